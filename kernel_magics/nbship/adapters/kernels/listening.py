"""Who is told what happens in a notebook, while it happens."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from nbship.records.cause import Evidence

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from nbship.records.cause import CellUsage
    from nbship.records.run import CellStatus


@dataclass(frozen=True, kw_only=True, slots=True)
class Reply:
    """What a kernel answered to a silent request."""

    is_ok: bool
    #: exception's name and text where it is not
    ename: str = ""
    evalue: str = ""


class Asking(Protocol):
    """What a listener may do with a kernel between cells."""

    @property
    def kernel_remark(self) -> str:
        """How the kernel was started."""
        ...

    @property
    def limit_remark(self) -> str:
        """Who holds it to its limit of memory; "" where it has none."""
        ...

    def ask(self, code: str, *, timeout_s: float) -> Reply:
        """Run code in the kernel silently: no output, no history, no execution count."""
        ...


class Listener(Protocol):
    """Who is told what happens, while it happens."""

    def kernel_ready(self, client: Asking) -> None:
        """Take note that the kernel answers; the first cell has not begun."""

    def cell_started(self, cell: Any) -> None:  # noqa: ANN401  # a NotebookNode
        """Take note that a code cell begins."""

    def output(self, data: Mapping[str, Any]) -> None:
        """Take an output of the running cell: ``output`` with ``display_id`` and ``is_update``, or ``clear``."""

    def cell_ended(
        self,
        cell: Any,  # noqa: ANN401  # a NotebookNode
        *,
        status: CellStatus,
        duration_s: float,
        error: Mapping[str, Any] | None,
        usage: CellUsage | None = None,
    ) -> None:
        """Take note that the running code cell has ended."""

    def cells_done(self, client: Asking) -> None:
        """Take note that the last cell has ended well; the kernel still lives."""


class Watch(Protocol):
    """Who looks at a kernel's process while it runs."""

    @property
    def limit_remark(self) -> str:
        """Who holds the kernel to its limit of memory; "" where it has none."""
        ...

    def begin(self, pid: int, stop_kernel: Callable[[], None]) -> None:
        """Begin to watch; ``stop_kernel`` kills it, from any thread."""

    def cell_started(self) -> None:
        """Take note that a code cell begins."""

    def cell_ended(self) -> CellUsage | None:
        """Return what the cell used; None where that cannot be told."""
        ...

    def evidence(self) -> Evidence:
        """Return what was seen, also of a kernel that is gone."""
        ...

    def close(self) -> None:
        """Look no more."""


class Unwatched:
    """The watch of a kernel that nobody looks at."""

    limit_remark = ""

    def begin(self, pid: int, stop_kernel: Callable[[], None]) -> None:
        """Do nothing."""

    def cell_started(self) -> None:
        """Do nothing."""

    def cell_ended(self) -> CellUsage | None:
        """Return nothing."""
        return None

    def evidence(self) -> Evidence:
        """Return no evidence."""
        return Evidence()

    def close(self) -> None:
        """Do nothing."""

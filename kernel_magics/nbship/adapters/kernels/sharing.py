"""Jobs of a sweep share a process that has executed the leading cells of all of them.

The first job executes those cells in a process without the kernel's protocol and goes on in a
copy of it. The original is kept as it was left, with everything that it answered. Each later job
is given another copy: what its client asks about the shared cells is answered from what was kept,
its own values are set, and the other cells are executed. Where a process cannot be copied safely,
jobs execute every cell themselves.
"""

from __future__ import annotations

import weakref
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from nbship.adapters.kernels.processes import ForkRefusedError
from nbship.adapters.kernels.shared_talk import Keeper, Recording, Replaying
from nbship.records.notebook import INJECTED_TAG, PARAMETERS_TAG

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nbship.adapters.kernels.conversation import Conversation
    from nbship.adapters.kernels.processes import (
        KernelProcess,
        KernelStart,
        Launcher,
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class Prefix:
    """What jobs have in common."""

    #: names the sweep
    key: str
    #: sources of the code cells in their order, the last one that is shared at the end
    sources: tuple[str, ...]
    #: which of them sets the values of one job; None where that comes later
    injected: int | None = None


#: processes live as long as the launcher that their servers belong to
_KEEPERS: weakref.WeakKeyDictionary[Launcher, Keeper] = weakref.WeakKeyDictionary()


class SharingLauncher:
    """Has the leading cells executed once for all jobs that it is made for.

    Parameters
    ----------
    inner
        Starts the processes, and lives as long as they are to be shared.
    prefix
        What this job has in common with others.
    """

    def __init__(self, inner: Launcher, prefix: Prefix) -> None:
        self._inner = inner
        self._prefix = prefix
        self._keeper = _KEEPERS.setdefault(inner, Keeper())

    def launch(self, start: KernelStart) -> KernelProcess:
        """Start a kernel, which shares nothing.

        Raises
        ------
        KernelError
            If it cannot be started.
        """
        return self._inner.launch(start)

    def converse(self, start: KernelStart) -> Conversation:
        """Have a process that has executed the prefix, or is going to.

        Raises
        ------
        ForkRefusedError
            If it cannot be shared, or if there is none.
        """
        key = self._prefix.key
        if key in self._keeper.refused:
            raise ForkRefusedError(self._keeper.refused[key])
        kept = self._keeper.find(key)
        if kept is not None:
            return Replaying(kept, start, self._prefix)
        # locks and leases of the first job are not the shared process's to hold
        talk: Any = self._inner.converse(replace(start, held_fds=()))
        return Recording(talk, start, self._prefix, self._keeper)

    def close(self) -> None:
        """Keep everything: it is the inner launcher's."""


def prefix_of(nb: Any, *, key: str, shared_cells: Sequence[str]) -> Prefix | None:  # noqa: ANN401
    """Find the shared cells in a notebook that is ready to be executed.

    Parameters
    ----------
    nb
        The notebook node, with its injected cell.
    key
        Names the sweep.
    shared_cells
        Ids of the leading cells that jobs may share.

    Returns
    -------
    Prefix or None
        None where nothing but the parameters cell is shared.
    """
    wanted, injected = set(shared_cells), None
    sources: list[str] = []
    is_worth_it = False
    for cell in nb.cells:
        if not wanted:
            break
        tags = cell.metadata.get("tags", [])
        is_injected = INJECTED_TAG in tags
        if cell.cell_type != "code":
            continue
        if not is_injected and cell.get("id") not in wanted:
            break
        wanted.discard(cell.get("id"))
        if cell.source.strip():
            injected = len(sources) if is_injected else injected
            sources.append(cell.source)
            is_worth_it |= not is_injected and PARAMETERS_TAG not in tags
    if not is_worth_it:
        return None
    return Prefix(key=key, sources=tuple(sources), injected=injected)

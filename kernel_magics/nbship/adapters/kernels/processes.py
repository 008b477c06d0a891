"""What a kernel's process is to those who talk to it, however it was started."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from nbship.adapters.kernels.conversation import Conversation


class ForkRefusedError(Exception):
    """Nothing is forked; its text says why."""


@dataclass(frozen=True, kw_only=True, slots=True)
class KernelStart:
    """Everything that starting a kernel needs."""

    #: the kernel specification's command, its connection file filled in
    argv: tuple[str, ...]
    #: JSON file of addresses and key, written by the client
    connection_file: Path
    #: the kernel's whole environment
    environ: Mapping[str, str]
    #: working folder
    cwd: Path
    #: kept open by the kernel while it lives, so that locks on them outlast who started it;
    #: programs that the kernel executes do not inherit them
    held_fds: tuple[int, ...] = ()
    #: True forbids a forked kernel
    is_fresh: bool = False
    #: modules that the notebook imports, so far as its text tells; they may be imported ahead
    imports: tuple[str, ...] = ()
    #: True forbids that: cells change what modules look at while they are imported
    is_bare: bool = False


class KernelProcess(Protocol):
    """A kernel's process; it leads a session and process group of its own."""

    @property
    def pid(self) -> int:
        """Process id, and id of its process group."""
        ...

    @property
    def preloaded(self) -> tuple[str, ...]:
        """Modules that were imported before the kernel began; empty for a fresh one."""
        ...

    @property
    def remark(self) -> str:
        """How it was started, for the record."""
        ...

    def fileno(self) -> int:
        """Return a descriptor that becomes readable when the process has ended."""
        ...

    def poll(self) -> int | None:
        """Return the exit code, negative for a signal; None where it lives."""
        ...

    def wait(self, timeout_s: float | None = None) -> int | None:
        """Wait for the end; None where the time is over first."""
        ...

    def send_signal(self, number: int) -> None:
        """Send a signal to its process group, where it lives."""
        ...

    def close(self) -> None:
        """Let go of descriptors; the process must have ended or is killed."""
        ...


class Launcher(Protocol):
    """Starts kernels: anew, or by forking a warm one."""

    def launch(self, start: KernelStart) -> KernelProcess:
        """Start a kernel; its sockets need not be bound yet.

        Raises
        ------
        KernelError
            If it cannot be started.
        """
        ...

    def converse(self, start: KernelStart) -> Conversation:
        """Have a process that runs cells without the kernel's protocol.

        Raises
        ------
        ForkRefusedError
            If there is none; a kernel does as well.
        """
        ...

    def close(self) -> None:
        """End what was kept warm."""
        ...

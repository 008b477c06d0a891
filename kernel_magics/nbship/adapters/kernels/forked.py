"""A kernel that a fork server made, as the one who asked for it sees it."""

from __future__ import annotations

import contextlib
import os
import resource
import select
import signal
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nbship.adapters.kernels.forkserver.wire import Lines
from nbship.adapters.kernels.processes import ForkRefusedError

if TYPE_CHECKING:
    import socket
    from collections.abc import Mapping, Sequence

    from nbship.adapters.kernels.processes import KernelStart

_LIMITS = tuple(
    getattr(resource, name) for name in dir(resource) if name.startswith("RLIMIT_")
)


def answered_process(connection: socket.socket, *, patience_s: float) -> ForkedProcess:
    """Wait for the answer to a request to fork.

    Raises
    ------
    ForkRefusedError
        If it is a refusal, or does not come in time.
    """
    deadline_s = time.monotonic() + patience_s
    lines = Lines()
    while True:
        left_s = max(0.0, deadline_s - time.monotonic())
        if not select.select([connection], [], [], left_s)[0]:
            raise ForkRefusedError("the fork server was busy importing")
        data = connection.recv(1 << 16)
        if not data:
            raise ForkRefusedError("the fork server hung up")
        for message in lines.feed(data):
            if "refused" in message:
                raise ForkRefusedError(message["refused"])
            return ForkedProcess(connection, message, lines)


class ForkedProcess:
    """A kernel that a fork server made.

    Parameters
    ----------
    connection
        To the server; hanging up kills the kernel.
    message
        The server's answer.
    lines
        Splits what the connection brings.
    """

    def __init__(
        self, connection: socket.socket, message: Mapping[str, Any], lines: Lines
    ) -> None:
        self._connection = connection
        self._lines = lines
        self._code: int | None = None
        self._pid = int(message["pid"])
        self._preloaded: Sequence[str] = message["preloaded"]

    @property
    def pid(self) -> int:
        """Process id, and id of its process group."""
        return self._pid

    @property
    def preloaded(self) -> tuple[str, ...]:
        """Modules that were imported before the kernel began."""
        return tuple(self._preloaded)

    @property
    def remark(self) -> str:
        """How it was started, for the record."""
        tops = sorted({name.partition(".")[0] for name in self._preloaded})
        shown = [name for name in tops if name not in sys.stdlib_module_names]
        listed = ", ".join(shown) or "nothing beyond the kernel's own modules"
        return f"forked from a warm kernel; preloaded: {listed}"

    def fileno(self) -> int:
        """Return a descriptor that becomes readable when the process has ended."""
        return self._connection.fileno()

    def poll(self) -> int | None:
        """Return the exit code, negative for a signal; None where it lives."""
        self._receive(0.0)
        return self._code

    def wait(self, timeout_s: float | None = None) -> int | None:
        """Wait for the end; None where the time is over first."""
        deadline_s = None if timeout_s is None else time.monotonic() + timeout_s
        while self._code is None:
            left_s = None if deadline_s is None else deadline_s - time.monotonic()
            if left_s is not None and left_s <= 0:
                return self.poll()
            self._receive(left_s)
        return self._code

    def send_signal(self, number: int) -> None:
        """Send a signal to its process group, where it lives."""
        if self.poll() is None:
            for send in (os.killpg, os.kill):  # it may not lead its group yet
                with contextlib.suppress(ProcessLookupError):
                    send(self._pid, number)
                    return

    def close(self) -> None:
        """Let go of the connection; a kernel that still lives is killed."""
        self._connection.close()

    def _receive(self, timeout_s: float | None) -> None:
        if self._code is not None or self._connection.fileno() < 0:
            return
        waiting = select.poll()
        waiting.register(self._connection, select.POLLIN)
        if not waiting.poll(None if timeout_s is None else timeout_s * 1000):
            return
        try:
            data = self._connection.recv(4096)
        except ConnectionError:
            data = b""
        for message in self._lines.feed(data):
            self._code = message.get("exit", self._code)
        if not data and self._code is None:
            self._code = (
                -signal.SIGKILL
            )  # the server is gone, and took its kernels along


def fork_request(start: KernelStart, command: str) -> dict[str, Any]:
    """Return everything that a fork takes over from what would have been its parent."""
    arguments = start.argv[start.argv.index("-m") + 2 :]
    return {
        "command": command,
        "argv": arguments,
        "orig_argv": start.argv,
        "environ": dict(start.environ),
        "cwd": str(start.cwd),
        "imports": start.imports,
        "umask": _umask(),
        "limits": [(number, resource.getrlimit(number)) for number in _LIMITS],
        "cpus": sorted(os.sched_getaffinity(0)),
    }


def _umask() -> int:
    """Read the umask without changing it for other threads."""
    with contextlib.suppress(OSError, ValueError):
        for line in (
            Path("/proc/self/status").read_text("ascii", "replace").splitlines()
        ):
            if line.startswith("Umask:"):
                return int(line.split()[1], 8)
    mask = os.umask(0o022)
    os.umask(mask)
    return mask

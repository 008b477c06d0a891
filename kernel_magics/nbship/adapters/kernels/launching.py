"""Start kernels."""

from __future__ import annotations

import contextlib
import os
import select
import subprocess
import threading
from typing import TYPE_CHECKING

from nbship.adapters.kernels.processes import ForkRefusedError
from nbship.errors import KernelError

if TYPE_CHECKING:
    from nbship.adapters.kernels.conversation import Conversation
    from nbship.adapters.kernels.processes import KernelStart


class FreshLauncher:
    """Starts each kernel as a new process."""

    def launch(self, start: KernelStart) -> FreshProcess:
        """Start a kernel.

        Raises
        ------
        KernelError
            If its program cannot be executed.
        """
        try:
            process = subprocess.Popen(
                start.argv,
                env={**start.environ, "JPY_PARENT_PID": str(os.getpid())},
                cwd=start.cwd,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
                pass_fds=start.held_fds,
            )
        except (OSError, ValueError) as error:
            raise KernelError(
                f"{start.argv[0]}: the kernel cannot be started: {error}",
                hint="Look at the kernel's specification: `jupyter kernelspec list`.",
            ) from error
        return FreshProcess(process)

    def converse(self, start: KernelStart) -> Conversation:  # noqa: ARG002
        """Refuse: only a forked process runs cells without the kernel's protocol.

        Raises
        ------
        ForkRefusedError
            Always.
        """
        raise ForkRefusedError("kernels are started afresh here")

    def close(self) -> None:
        """Do nothing: nothing is kept warm."""


class FreshProcess:
    """A kernel that this process started.

    Parameters
    ----------
    process
        Leads its own session.
    """

    preloaded: tuple[str, ...] = ()
    #: how it was started
    remark: str = "fresh"

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process
        self._end = _end_of(process)

    @property
    def pid(self) -> int:
        """Process id, and id of its process group."""
        return self._process.pid

    def fileno(self) -> int:
        """Return a descriptor that becomes readable when the process has ended."""
        return self._end

    def poll(self) -> int | None:
        """Return the exit code, negative for a signal; None where it lives."""
        return self._process.poll()

    def wait(self, timeout_s: float | None = None) -> int | None:
        """Wait for the end; None where the time is over first."""
        if timeout_s is None:
            return self._process.wait()
        ending = select.poll()
        ending.register(self._end, select.POLLIN)
        ending.poll(max(0.0, timeout_s) * 1000)
        return self._process.poll()

    def send_signal(self, number: int) -> None:
        """Send a signal to its process group, where it lives."""
        if self._process.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, number)

    def close(self) -> None:
        """Let go of the descriptor."""
        self._process.poll()
        if self._end >= 0:
            os.close(self._end)
            self._end = -1


def _end_of(process: subprocess.Popen[bytes]) -> int:
    """Return a descriptor that becomes readable when a child has ended."""
    with contextlib.suppress(AttributeError, OSError):
        return os.pidfd_open(process.pid)
    readable, writable = os.pipe()  # an old kernel, or a sandbox that lacks the call

    def tell() -> None:
        process.wait()
        os.close(writable)

    threading.Thread(target=tell, daemon=True).start()
    return readable

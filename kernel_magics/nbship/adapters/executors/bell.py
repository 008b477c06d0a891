"""The bell of a supervisor: a named pipe that whoever changes the queue rings.

It carries no facts but a wished number of workers: what is to be done stands in the queue.
"""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

FILE_NAME = "supervisor.bell"
_READ_BYTES = 4096


def ring(store: Path, *, workers: int | None = None) -> bool:
    """Wake the supervisor of a store; False where none listens."""
    try:
        descriptor = os.open(store / FILE_NAME, os.O_WRONLY | os.O_NONBLOCK)
    except OSError:
        return False
    with contextlib.suppress(OSError):  # full: it is ringing already
        os.write(descriptor, f"{workers or ''}\n".encode())
    os.close(descriptor)
    return True


class Bell:
    """The listening end.

    Parameters
    ----------
    store
        The store's folder. Where its file system has no named pipes, the bell never rings.
    """

    def __init__(self, store: Path) -> None:
        path = store / FILE_NAME
        self._descriptor: int | None = None
        with contextlib.suppress(OSError):
            with contextlib.suppress(FileExistsError):
                os.mkfifo(path, 0o600)
            # open for both, so that it never reads as ended
            self._descriptor = os.open(path, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)

    def fileno(self) -> int | None:
        """Return a descriptor that is readable when it rang; None where it cannot ring."""
        return self._descriptor

    def heard(self) -> int | None:
        """Take what was rung; return the largest number of workers that was wished."""
        if self._descriptor is None:
            return None
        words: list[bytes] = []
        with contextlib.suppress(BlockingIOError):
            while data := os.read(self._descriptor, _READ_BYTES):
                words += data.split()
        return max((int(word) for word in words if word.isdigit()), default=None)

    def close(self) -> None:
        """Stop listening."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

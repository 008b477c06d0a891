"""Locks between processes: ``flock`` on a file, freed by the system when its holder dies."""

from __future__ import annotations

import contextlib
import fcntl
import time
from typing import IO, TYPE_CHECKING

from nbship.errors import store_error

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_POLL_S = 0.1


@contextlib.contextmanager
def file_lock(path: Path, *, wait_s: float) -> Iterator[bool]:
    """Hold the lock of a file.

    Parameters
    ----------
    path
        The file; made where it is missing, and left there.
    wait_s
        How long to wait for another holder.

    Raises
    ------
    StoreError
        If the file cannot be made.

    Yields
    ------
    bool
        Whether the lock is held.
    """
    with _opened(path) as file:
        yield _acquire(file.fileno(), time.monotonic() + wait_s)


def is_held(path: Path) -> bool:
    """Tell whether a living process holds the lock of a file."""
    try:
        file = path.open("rb")
    except FileNotFoundError:
        return False
    with file:
        try:
            fcntl.flock(file.fileno(), fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        return False


def _opened(path: Path) -> IO[str]:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        return path.open("a")
    except OSError as error:
        raise store_error(error, path) from error


def _acquire(descriptor: int, deadline_s: float) -> bool:
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= deadline_s:
                return False
            time.sleep(_POLL_S)
        else:
            return True

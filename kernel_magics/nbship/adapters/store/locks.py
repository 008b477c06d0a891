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
#: whoever asks whether a file is held holds it for a moment
_MOMENTS, _MOMENT_S = 5, 0.002


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
    with held_file(path, wait_s=wait_s) as descriptor:
        yield descriptor is not None


@contextlib.contextmanager
def held_file(path: Path, *, wait_s: float) -> Iterator[int | None]:
    """Hold the lock of a file, as :func:`file_lock` does.

    Yields
    ------
    int or None
        The descriptor that holds it, None where it is not held. Whoever else keeps that
        descriptor open, such as a kernel, holds the lock on after the block.
    """
    with _opened(path) as file:
        is_ours = _acquire(file.fileno(), time.monotonic() + wait_s)
        yield file.fileno() if is_ours else None


def wait_until_free(path: Path) -> None:
    """Wait until nobody holds the lock of a file."""
    with path.open("rb") as file:
        fcntl.flock(file.fileno(), fcntl.LOCK_SH)


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
    moments = _MOMENTS
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= deadline_s and not moments:
                return False
            time.sleep(_MOMENT_S if moments else _POLL_S)
            moments = max(0, moments - 1)
        else:
            return True

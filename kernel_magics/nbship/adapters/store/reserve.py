"""Space that is kept for the end: where the disk is full by then, the truth still fits on it."""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_SIZE_BYTES = 128 * 1024


class Reserve:
    """A file that takes space until it is freed.

    Parameters
    ----------
    path
        Where it lies: on the file system that is written to at the end.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        with contextlib.suppress(OSError):  # full already: there is nothing to keep
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT, 0o600)
            try:
                os.posix_fallocate(descriptor, 0, _SIZE_BYTES)
            finally:
                os.close(descriptor)

    def free(self) -> None:
        """Give the space back; it may be given back already."""
        with contextlib.suppress(OSError):
            self._path.unlink()

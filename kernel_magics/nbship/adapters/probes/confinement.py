"""A memory cgroup of its own for a kernel, where this process may make one.

It is made below our own, never beside it: whoever confined us (Slurm, a container) confines the
kernel too. Version 2 allows that only to a process without neighbours in its cgroup.
"""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING

from nbship.adapters.probes.cgroups import memory_cgroup

if TYPE_CHECKING:
    from pathlib import Path

    from nbship.adapters.probes.cgroups import MemoryCgroup

_LIMIT = {1: "memory.limit_in_bytes", 2: "memory.max"}
#: without these a process over its limit is swapped out, and slow, instead of killed
_NO_SWAP = {1: "memory.memsw.limit_in_bytes", 2: "memory.swap.max"}


class Confinement:
    """Holds a process, and those that it starts, to a limit of memory.

    Parameters
    ----------
    pid
        The process.
    limit_bytes
        Its limit.
    """

    def __init__(self, pid: int, limit_bytes: int) -> None:
        self._folder: Path | None = None
        ours = memory_cgroup(os.getpid())
        if ours is None:
            return
        folder = ours.folder / f"nbship-{pid}"
        with contextlib.suppress(OSError):
            folder.mkdir()
            self._folder = folder
            try:
                _limit(folder, ours, limit_bytes)
                (folder / "cgroup.procs").write_text(str(pid), "utf-8")
            except OSError:
                self.close()

    @property
    def is_in_force(self) -> bool:
        """False where no cgroup could be made: somebody else has to see to the limit."""
        return self._folder is not None

    def close(self) -> None:
        """Remove the cgroup; its processes have ended."""
        if self._folder is not None:
            with contextlib.suppress(OSError):
                self._folder.rmdir()
            self._folder = None


def _limit(folder: Path, ours: MemoryCgroup, limit_bytes: int) -> None:
    (folder / _LIMIT[ours.version]).write_text(str(limit_bytes), "utf-8")
    swap = "0" if ours.version > 1 else str(limit_bytes)
    with contextlib.suppress(OSError):  # kernels without accounts of swap
        (folder / _NO_SWAP[ours.version]).write_text(swap, "utf-8")

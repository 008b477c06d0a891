"""Memory that really runs out: a cgroup with a limit, whose processes the system kills."""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING

from nbship.adapters.probes.cgroups import memory_cgroup
from support.notebook_files import wait_for
from support.tools import lack

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_MIB = 1 << 20


@contextlib.contextmanager
def limited_memory(limit_mib: int) -> Iterator[Path]:
    """Make a cgroup below ours, and remove it; its ``cgroup.procs`` takes processes.

    Where we may make none, as in most containers, the test is skipped, under CI it fails.
    """
    ours = memory_cgroup(os.getpid())
    if ours is None:
        lack("no memory cgroup here")
    # in version 2 only the topmost cgroup may hold processes and pass its controllers on
    above = ours.folder if ours.version == 1 else ours.top
    folder = above / f"nbship-test-{os.getpid()}"
    try:
        folder.mkdir()
    except OSError as error:
        lack(f"no cgroup can be made: {error}")
    try:
        limit = "memory.limit_in_bytes" if ours.version == 1 else "memory.max"
        try:
            (folder / limit).write_text(str(limit_mib * _MIB))
        except OSError as error:
            lack(f"no limit can be set on a cgroup: {error}")
        swap = folder / "memory.swap.max"
        if swap.exists():
            swap.write_text("0")
        yield folder
    finally:
        wait_for(lambda: not (folder / "cgroup.procs").read_text().strip())
        folder.rmdir()

"""The processor and the memory of this machine."""

from __future__ import annotations

import os
import platform
from functools import cache
from pathlib import Path

_BYTES_PER_GIB = 1 << 30


@cache
def cpu_model() -> str:
    """Return what the processor calls itself; "" where it does not say."""
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8", "replace").splitlines()
    except OSError:
        return platform.processor()
    named = (line.partition(":")[2] for line in lines if line.startswith("model name"))
    return next(named, platform.processor()).strip()


@cache
def memory_gib() -> float:
    """Return the memory of the whole machine in GiB; 0 where it is unknown."""
    try:
        size_bytes = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (ValueError, OSError):
        return 0.0
    return round(size_bytes / _BYTES_PER_GIB, 2)

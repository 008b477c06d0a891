"""Resident memory of a process, and of those that it started."""

from __future__ import annotations

from pathlib import Path
from typing import Any

_KIB = 1024


def resident_bytes(pid: int) -> tuple[int, int]:
    """Return the resident memory of a process, now and at its highest; zeros where it is gone."""
    try:
        text = Path(f"/proc/{pid}/status").read_text("utf-8", "replace")
    except OSError:
        return 0, 0
    found = {"VmRSS": 0, "VmHWM": 0}
    for line in text.splitlines():
        name, _, value = line.partition(":")
        if name in found:
            found[name] = int(value.split()[0]) * _KIB
    return found["VmRSS"], found["VmHWM"]


class Family:
    """A process and those that it started.

    Parameters
    ----------
    pid
        The process.
    """

    def __init__(self, pid: int) -> None:
        import psutil  # noqa: F401  # now, not within the first sample

        self._pid = pid
        self._process: Any = None

    def memory_bytes(self) -> int | None:
        """Return the resident memory of the process and its children; None where it has ended.

        Of pages that forked children share with others, their share counts: the sum is what
        would be free without them.
        """
        import psutil

        try:
            self._process = self._process or psutil.Process(self._pid)
            if self._process.status() == psutil.STATUS_ZOMBIE:
                return None
            own: int = self._process.memory_info().rss
            children = self._process.children(recursive=True)
        except psutil.Error:
            return None
        return own + sum(_share(child) for child in children)


def _share(child: Any) -> int:  # noqa: ANN401  # psutil has no types
    import psutil

    try:
        full = child.memory_full_info()
        return int(getattr(full, "pss", full.rss))
    except psutil.Error:  # it has ended meanwhile, or belongs to somebody else
        return 0

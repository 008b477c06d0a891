"""The memory cgroup of a process: its limit, and how many processes it lost."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

#: version 1 writes the largest multiple of a page for "no limit"
_NO_LIMIT = 1 << 62


@dataclass(frozen=True, kw_only=True, slots=True)
class MemoryCgroup:
    """A cgroup that accounts for memory."""

    folder: Path
    #: where its hierarchy is mounted
    top: Path
    #: 1 or 2
    version: int

    def oom_kills(self) -> int | None:
        """Count the processes that it lost for lack of memory, ever; None where it does not tell.

        The topmost cgroup does not.
        """
        name = "memory.events" if self.version > 1 else "memory.oom_control"
        return _field(self.folder / name, "oom_kill")

    def limit_bytes(self) -> int:
        """Return the lowest limit of it and those above it; 0 where there is none."""
        if self.version == 1:
            stat = self.folder / "memory.stat"
            found = [_field(stat, "hierarchical_memory_limit") or 0]
        else:
            folders = (self.folder, *self.folder.parents)
            found = [_number(f / "memory.max") for f in _up_to(folders, self.top)]
        limits = [limit for limit in found if 0 < limit < _NO_LIMIT]
        return min(limits, default=0)


def machine_oom_kills() -> int:
    """Count the processes that the machine killed for lack of memory since it started."""
    return _field(Path("/proc/vmstat"), "oom_kill") or 0


def memory_cgroup(pid: int) -> MemoryCgroup | None:
    """Return the memory cgroup of a process; None where it cannot be told."""
    try:
        lines = Path(f"/proc/{pid}/cgroup").read_text("utf-8").splitlines()
        mounts = Path("/proc/self/mountinfo").read_text("utf-8").splitlines()
    except OSError:
        return None
    for version in (1, 2):  # a machine with both accounts for memory in the first
        path = _path_in(lines, version)
        mount = _mount(mounts, version)
        if path is None or mount is None:
            continue
        root, top = mount
        try:
            folder = top / PurePosixPath(path).relative_to(root)
        except ValueError:  # the cgroup lies outside of what is mounted here
            folder = top
        return MemoryCgroup(folder=folder, top=top, version=version)
    return None


def _path_in(lines: list[str], version: int) -> str | None:
    for line in lines:
        number, controllers, path = line.split(":", 2)
        if version == 1 and "memory" in controllers.split(","):
            return path
        if version > 1 and number == "0" and not controllers:
            return path
    return None


def _mount(lines: list[str], version: int) -> tuple[str, Path] | None:
    """Return root and place of a mounted hierarchy."""
    for line in lines:
        before, _, behind = line.partition(" - ")
        kind, _, options = behind.split(" ", 2)
        _, _, _, root, place, *_ = before.split(" ")
        if version == 1 and kind == "cgroup" and "memory" in options.split(","):
            return root, Path(place)
        if version > 1 and kind == "cgroup2":
            return root, Path(place)
    return None


def _up_to(folders: tuple[Path, ...], top: Path) -> Iterator[Path]:
    for folder in folders:
        yield folder
        if folder == top:
            return


def _field(path: Path, name: str) -> int | None:
    try:
        text = path.read_text("utf-8")
    except OSError:
        return None
    for line in text.splitlines():
        key, _, value = line.partition(" ")
        if key == name:
            return int(value)
    return None


def _number(path: Path) -> int:
    try:
        return int(path.read_text("utf-8"))
    except (OSError, ValueError):  # ValueError: "max"
        return 0

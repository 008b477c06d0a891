"""Processes of this machine: whether one still lives, and starting one that outlives us."""

from __future__ import annotations

import contextlib
import os
import re
import signal
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

#: position in ``/proc/<pid>/stat`` behind the name in brackets
_STATE, _STARTED = 0, 19
_children: set[int] = set()


def birth_of(pid: int) -> str | None:
    """Return a token that tells a process from a later one of the same pid; None if it is dead."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text("utf-8", "replace")
    except FileNotFoundError:
        return _birth_without_proc(pid)
    except ProcessLookupError:
        return None
    fields = text.rpartition(")")[2].split()
    return None if fields[_STATE] in {"Z", "X"} else fields[_STARTED]


def start_detached(
    words: Sequence[str], *, environ: Mapping[str, str], log: Path
) -> int:
    """Start a process in a session of its own; its output is appended to ``log``.

    Parameters
    ----------
    words
        The command; its first word is a path.
    environ
        Variables that are set beside those of this process.
    log
        File for what it prints.

    Returns
    -------
    int
        Its pid.
    """
    _reap()
    log.parent.mkdir(parents=True, exist_ok=True)
    appended = os.O_WRONLY | os.O_APPEND | os.O_CREAT
    pid = os.posix_spawn(
        words[0],
        list(words),
        {**os.environ, **environ},
        file_actions=[
            (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
            (os.POSIX_SPAWN_OPEN, 1, str(log), appended, 0o644),
            (os.POSIX_SPAWN_DUP2, 1, 2),
        ],
        setsid=True,
    )
    _children.add(pid)
    return pid


def _reap() -> None:
    """Collect those that have ended while we live, so that none stays as a zombie."""
    for pid in tuple(_children):
        try:
            ended, _ = os.waitpid(pid, os.WNOHANG)
        except ChildProcessError:  # another one collected it, or we are a fork
            ended = pid
        if ended:
            _children.discard(pid)


def _birth_without_proc(pid: int) -> str | None:
    if Path("/proc/self/stat").exists():
        return None
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return None
    except PermissionError:
        return ""
    return ""


def end_holders(path: Path) -> None:
    """Kill whatever keeps a lock of a file, with its process group where it leads one."""
    for pid in holders_of(path):
        if pid == os.getpid():
            continue
        with contextlib.suppress(OSError):
            if os.getpgid(pid) == pid:
                os.killpg(pid, signal.SIGKILL)
            else:
                os.kill(pid, signal.SIGKILL)


def stop_holders(path: Path) -> None:
    """End the nbship processes that keep a lock of a file as Ctrl-C would."""
    for pid in holders_of(path):
        with contextlib.suppress(OSError):
            if b"nbship.faces" in Path(f"/proc/{pid}/cmdline").read_bytes():
                os.kill(pid, signal.SIGTERM)


def holders_of(path: Path) -> tuple[int, ...]:
    """List the processes that keep a lock of a file: their descriptors carry it in ``fdinfo``."""
    try:
        wanted = path.stat()
    except FileNotFoundError:
        return ()
    return tuple(
        int(process.name)
        for process in Path("/proc").iterdir()
        if process.name.isdigit() and _holds(process, wanted)
    )


def _holds(process: Path, wanted: os.stat_result) -> bool:
    try:
        for descriptor in (process / "fd").iterdir():
            about = descriptor.stat()
            if (about.st_dev, about.st_ino) != (wanted.st_dev, wanted.st_ino):
                continue
            info = (process / "fdinfo" / descriptor.name).read_text()
            if re.search(r"FLOCK.*WRITE", info):
                return True
    except OSError:  # gone meanwhile, or another user's
        return False
    return False

"""Processes of this machine: whether one still lives, and starting one that outlives us."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

#: position in ``/proc/<pid>/stat`` behind the name in brackets
_STATE, _STARTED = 0, 19
_children: list[subprocess.Popen[bytes]] = []


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
        The command.
    environ
        Variables that are set beside those of this process.
    log
        File for what it prints.

    Returns
    -------
    int
        Its pid.
    """
    _children[:] = [child for child in _children if child.poll() is None]
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as file:
        child = subprocess.Popen(
            words,
            env={**os.environ, **environ},
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=file,
            start_new_session=True,
        )
    _children.append(child)  # kept, so that it is reaped while we live
    return child.pid


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

"""The environment that a job was submitted from, kept in memory until it has settled.

A job has the variables of the shell or notebook that submitted it, whoever works on it later.
They may hold secrets, so that no disk sees them: they lie in the memory file system, readable by
this user alone, and are gone after a reboot. A job that outlives one has the variables of whoever
starts the next supervisor.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import stat
import sys
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from nbship import variables

if TYPE_CHECKING:
    from collections.abc import Mapping

_MEMORY = Path("/dev/shm")  # noqa: S108  # the folder in it is checked to be ours
#: belong to the run, shell or kernel that submits
_LEFT_OUT = {variables.RUN_FOLDER, variables.NOTEBOOK, "JPY_PARENT_PID", "_", "SHLVL"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Surroundings:
    """Where a job was submitted from."""

    #: digest of the rest
    name: str
    #: interpreter that has nbship
    python: str
    #: folder of the project
    project: Path
    environ: Mapping[str, str]


def surroundings_here(project: Path) -> Surroundings:
    """Return those of this process."""
    kept = {k: v for k, v in os.environ.items() if k not in _LEFT_OUT}
    return _made(sys.executable, str(project.absolute()), kept)


def keep(surroundings: Surroundings, store: Path) -> str:
    """Keep surroundings for the jobs of a store and return their name."""
    folder = _folder(store)
    path = folder / surroundings.name
    if not path.exists():
        with contextlib.suppress(OSError):  # recalled as missing
            folder.mkdir(mode=0o700, exist_ok=True)
            if not _is_ours(folder):
                return ""
            temporary = path.with_name(f".{path.name}.{os.getpid()}")
            descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT, 0o600)
            with os.fdopen(descriptor, "w") as file:
                json.dump(_plain(surroundings), file)
            temporary.replace(path)
    return surroundings.name


def recall(name: str, store: Path) -> Surroundings | None:
    """Return surroundings by their name; None where they are gone."""
    folder = _folder(store)
    try:
        if not name or not _is_ours(folder):
            return None
        data = json.loads((folder / name).read_text("utf-8"))
        return _made(data["python"], data["project"], data["environ"])
    except (OSError, ValueError, KeyError):
        return None


def forget(store: Path) -> None:
    """Forget what was kept for the jobs of a store; none of them is left."""
    folder = _folder(store)
    with contextlib.suppress(OSError):
        if _is_ours(folder):
            shutil.rmtree(folder)


def _made(python: str, project: str, environ: Mapping[str, str]) -> Surroundings:
    text = json.dumps([python, project, sorted(environ.items())])
    return Surroundings(
        name=sha256(text.encode("utf-8", "surrogateescape")).hexdigest()[:16],
        python=python,
        project=Path(project),
        environ=environ,
    )


def _plain(surroundings: Surroundings) -> dict[str, object]:
    return {
        "python": surroundings.python,
        "project": str(surroundings.project),
        "environ": dict(surroundings.environ),
    }


def _folder(store: Path) -> Path:
    place = _MEMORY if os.access(_MEMORY, os.W_OK) else Path("/tmp")  # noqa: S108
    digest = sha256(str(store.resolve()).encode()).hexdigest()[:16]
    return place / f"nbship-{os.getuid()}-{digest}"


def _is_ours(folder: Path) -> bool:
    about = folder.lstat()
    return stat.S_ISDIR(about.st_mode) and about.st_uid == os.getuid()

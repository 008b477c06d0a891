"""A project's folder copied for a rerun, so that nothing of the user's is written over."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from nbship.errors import JobError, store_errors

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

_BESIDE = frozenset(
    [
        ".mlops",
        ".git",
        ".hg",
        ".svn",
        ".venv",
        "venv",
        "node_modules",
        "__pycache__",
        ".ipynb_checkpoints",
        ".tox",
        ".nox",
        ".mypy_cache",
        ".ruff_cache",
        ".pytest_cache",
    ]
)
#: a file that the job is not known to have read is copied up to this size
_LARGEST_BYTES = 256 << 20
_MOST_FILES = 20_000
_MOST_BYTES = 4 << 30


@dataclass(frozen=True, kw_only=True, slots=True)
class Wanted:
    """Which files are copied."""

    #: written until then; None for all
    until: datetime | None
    #: copied whatever their age and size, relative to the folder
    always: frozenset[str] = field(default=frozenset())


def copy_folder(source: Path, target: Path, wanted: Wanted) -> tuple[str, ...]:
    """Copy a folder without repositories, environments, caches and stores.

    Parameters
    ----------
    source, target
        From where, and to where; the target is made.
    wanted
        Which files.

    Returns
    -------
    tuple of str
        The files that were left out because they are too young or too large.

    Raises
    ------
    JobError
        If the folder is too large to be copied.
    StoreError
        If the file system refuses.
    """
    left_out: list[str] = []
    files = size_bytes = 0
    with store_errors(target):
        target.mkdir(parents=True)
        for path, is_folder in _entries(source):
            name = path.relative_to(source).as_posix()
            if is_folder:
                if wanted.until is None or _is_old(path, wanted.until):
                    (target / name).mkdir(parents=True, exist_ok=True)
            elif _is_wanted(path, name, wanted):
                files, size_bytes = files + 1, size_bytes + path.stat().st_size
                _check(source, files, size_bytes)
                (target / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(path, target / name)
            else:
                left_out.append(name)
    return tuple(left_out)


def put_modules(modules: Path, target: Path, copies: Mapping[str, str]) -> None:
    """Put the code beside a notebook back to what it was when its job was planned.

    Parameters
    ----------
    modules
        The job's ``modules/``.
    target
        The copied project.
    copies
        Path of each file in the project -> its copy in ``modules``. Files outside of the
        project are left alone.

    Raises
    ------
    StoreError
        If the file system refuses.
    """
    for name, copy in copies.items():
        if Path(name).is_absolute() or ".." in Path(name).parts:
            continue
        with store_errors(target / name):
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(modules / copy, target / name)


def _entries(source: Path) -> Iterator[tuple[Path, bool]]:
    """Walk below a folder: files, and folders that are to be made."""
    for place, folders, files in os.walk(source):
        here = Path(place)
        folders[:] = sorted(
            name
            for name in folders
            if name not in _BESIDE and not (here / name / "pyvenv.cfg").exists()
        )
        yield from ((here / name, True) for name in folders)
        paths = (here / name for name in sorted(files))
        yield from ((path, False) for path in paths if path.is_file())


def _is_wanted(path: Path, name: str, wanted: Wanted) -> bool:
    if name in wanted.always:
        return True
    if wanted.until is not None and not _is_old(path, wanted.until):
        return False
    return path.stat().st_size <= _LARGEST_BYTES


def _is_old(path: Path, until: datetime) -> bool:
    return path.stat().st_mtime <= until.timestamp()


def _check(source: Path, files: int, size_bytes: int) -> None:
    if files > _MOST_FILES or size_bytes > _MOST_BYTES:
        raise JobError(
            f"{source}: more than {_MOST_FILES} files or {_MOST_BYTES >> 30} GiB: too large to copy"
            " for a rerun",
            hint="Keep notebook and data in a folder of their own, with `mlops init` in it.",
        )

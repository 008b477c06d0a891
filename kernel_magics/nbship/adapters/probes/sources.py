"""The source of editable distributions: it changes without a trace in what is installed."""

from __future__ import annotations

import os
from dataclasses import replace
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nbship.records.environment import Package

_LEFT_OUT = frozenset({"__pycache__", "node_modules", "build", "dist", "venv"})


def with_source_digest(package: Package) -> Package:
    """Add the digest of the Python files in an editable distribution's source."""
    if not package.source_folders:
        return package
    digest = sha256()
    for folder in package.source_folders:
        for name, path, size_bytes, changed_at_ns in _python_files(folder):
            content = _digest(path, size_bytes, changed_at_ns)
            digest.update(f"{name} {content}\n".encode("utf-8", "surrogateescape"))
    return replace(package, source_digest=digest.hexdigest())


def _python_files(folder: str) -> Iterator[tuple[str, str, int, int]]:
    """Yield name, path, size and time of each Python file below a folder, in order."""
    for parent, folders, names in os.walk(folder):
        folders[:] = sorted(n for n in folders if n not in _LEFT_OUT and n[0] != ".")
        for name in sorted(names):
            if name.endswith((".py", ".so")):
                path = f"{parent}/{name}"
                told = os.stat(path)  # noqa: PTH116  # hundreds of times per question
                yield path[len(folder) :], path, told.st_size, told.st_mtime_ns


@lru_cache(maxsize=65536)
def _digest(path: str, _size_bytes: int, _changed_at_ns: int) -> str:
    """Return the digest of a file; it is read once as long as size and time stay."""
    return sha256(Path(path).read_bytes()).hexdigest()

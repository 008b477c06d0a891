"""Which distributions provide which import names, and which modules lie in a folder."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


def import_providers() -> Mapping[str, tuple[str, ...]]:
    """Map import names to distributions, as this environment's metadata says."""
    from importlib.metadata import packages_distributions

    return {
        name: tuple(sorted(set(distributions)))
        for name, distributions in packages_distributions().items()
    }


def local_modules(folder: Path) -> frozenset[str]:
    """Name the modules and packages that a kernel finds in its working folder."""
    try:
        entries = list(folder.iterdir())
    except OSError:
        return frozenset()
    files = {path.stem for path in entries if path.suffix == ".py"}
    folders = {path.name for path in entries if _holds_python(path)}
    return frozenset(name for name in files | folders if name.isidentifier())


def _holds_python(path: Path) -> bool:
    try:
        return path.is_dir() and any(path.glob("*.py"))
    except OSError:
        return False

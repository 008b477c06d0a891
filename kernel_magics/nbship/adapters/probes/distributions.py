"""What is installed in this very interpreter, and which modules it offers."""

from __future__ import annotations

import contextlib
import functools
import importlib.util
import sys
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

from nbship.release.pins import Installed

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping


def installed_here(modules: Iterable[str]) -> Installed:
    """Look up the distributions behind some import names.

    Parameters
    ----------
    modules
        Import names, dotted ones by their first part.
    """
    names = {module.partition(".")[0] for module in modules}
    providers = _providers(tuple(_stamps()))
    found = {name: tuple(dict.fromkeys(providers.get(name, ()))) for name in names}
    versions = {
        owner: metadata.version(owner) for owners in found.values() for owner in owners
    }
    files = {name: _file_of(name) for name, owners in found.items() if not owners}
    return Installed(providers=found, versions=versions, files=files)


@functools.lru_cache(maxsize=1)
def _providers(_stamps: tuple[tuple[str, int], ...]) -> Mapping[str, list[str]]:
    """Read every distribution: tenths of a second, so until something is installed."""
    return metadata.packages_distributions()


def _stamps() -> Iterator[tuple[str, int]]:
    for folder in sys.path:
        with contextlib.suppress(OSError):
            yield folder, Path(folder or ".").stat().st_mtime_ns


def _file_of(name: str) -> str:
    try:
        spec = importlib.util.find_spec(name)
    except (ImportError, ValueError):
        return "no file"
    return str(spec.origin) if spec and spec.origin else "no file"

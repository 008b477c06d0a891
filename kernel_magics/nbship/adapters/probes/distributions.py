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
    found = {
        name: tuple(dict.fromkeys(owners)) for name, owners in _providers(names).items()
    }
    versions = {
        owner: metadata.version(owner) for owners in found.values() for owner in owners
    }
    files = {name: _file_of(name) for name, owners in found.items() if not owners}
    return Installed(providers=found, versions=versions, files=files)


def _providers(names: set[str]) -> Mapping[str, tuple[str, ...]]:
    offers = _offers(tuple(_stamps()))
    return {
        name: tuple(d.metadata["Name"] for d, tops in offers if name in tops)
        for name in names
    }


@functools.lru_cache(maxsize=1)
def _offers(
    _stamps: tuple[tuple[str, int], ...],
) -> tuple[tuple[metadata.Distribution, frozenset[str]], ...]:
    """Read what every distribution offers: not for nothing, so until something is installed.

    ``importlib.metadata.packages_distributions`` says the same, and reads the metadata of each
    distribution besides, which takes ten times as long.
    """
    return tuple((d, frozenset(_top_names(d))) for d in metadata.distributions())


def _top_names(distribution: metadata.Distribution) -> Iterable[str]:
    declared = distribution.read_text("top_level.txt")
    if declared:
        return declared.split()
    record = distribution.read_text("RECORD")
    if record is None:
        paths = [file.as_posix() for file in distribution.files or ()]
    else:
        paths = [line.partition(",")[0].strip('"') for line in record.splitlines()]
    return {
        path.partition("/")[0].removesuffix(".py")
        for path in paths
        if path.endswith(".py")
    }


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

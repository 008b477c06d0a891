"""The wheel of a project that is installed editable: built by its own back end, else packed."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from nbship.adapters.bundles.packed import (
    copy_source,
    tag_of,
    wheel_text,
    write_wheel,
)
from nbship.adapters.bundles.uv import last_lines, run_uv
from nbship.errors import ReleaseError
from nbship.records.environment import normalized_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nbship.adapters.bundles.installed import Installation, Installed

_TIMEOUT_S = 900
#: files of a flat project that belong to no package
_NO_PACKAGES = frozenset({"setup.py", "conftest.py", "noxfile.py", "tasks.py"})
_LEFT_OUT = frozenset({"__pycache__", "node_modules", "build", "dist"})
_KEPT = ("METADATA", "entry_points.txt", "top_level.txt")


def build_editable(package: Installed, *, python: str, into: Path) -> Path:
    """Build the wheel of an editable distribution from a copy of its source.

    Parameters
    ----------
    package
        The distribution.
    python
        The interpreter to build for.
    into
        The folder for the wheel.

    Raises
    ------
    ReleaseError
        If its source is not here, its back end fails, or another version comes out.
    """
    if package.source is None:
        raise ReleaseError(f"{package.name}: its source is not on this machine")
    with tempfile.TemporaryDirectory(prefix="nbship-build-") as name:
        copy = copy_source(package.source, Path(name) / "source")
        out = Path(name) / "wheel"
        words = ["build", "--quiet", "--wheel", "--out-dir", str(out)]
        words += ["--python", python, "--no-python-downloads"]
        # the copy has no repository: its version is the installed one; no kernel needs a panel
        own = {"SETUPTOOLS_SCM_PRETEND_VERSION": package.version}
        own |= {"NBSHIP_PANEL": "as-is", "SOURCE_DATE_EPOCH": "315532800"}
        ended = run_uv([*words, str(copy)], timeout_s=_TIMEOUT_S, **own)
        if ended.code != 0:
            words.append("--offline")
            ended = run_uv([*words, str(copy)], timeout_s=_TIMEOUT_S, **own)
        wheels = sorted(out.glob("*.whl")) if out.is_dir() else []
        if ended.code != 0 or len(wheels) != 1:
            raise ReleaseError(
                f"{package.name}: its source cannot be built:\n{last_lines(ended.errors, 3)}"
            )
        _check(package, wheels[0])
        return Path(shutil.move(wheels[0], into / wheels[0].name))


def pack_source(package: Installed, installation: Installation, into: Path) -> Path:
    """Write the wheel of an editable distribution from the packages in its source, as they lie.

    What its back end would add or generate is not in it.

    Raises
    ------
    ReleaseError
        If no package is found.
    """
    info = f"{package.stem}.dist-info"
    contents: dict[str, Path | bytes] = {}
    for folder in editable_folders(package):
        for path in _importable(folder, package):
            contents[path.relative_to(folder).as_posix()] = path
    if not contents:
        raise ReleaseError(f"{package.name}: no package is found in its source")
    contents[f"{info}/WHEEL"] = wheel_text(tag_of(contents, installation))
    for name in _KEPT:
        text = package.text(name) or (
            package.text("PKG-INFO") if name == "METADATA" else ""
        )
        if text:
            contents[f"{info}/{name}"] = text.encode("utf-8", "surrogateescape")
    return write_wheel(package, contents, into)


def editable_folders(package: Installed) -> list[Path]:
    """Return the folders that an editable installation puts on the path, else its source."""
    folders = []
    for name in package.files():
        if name.endswith(".pth"):
            lines = (package.info.parent / name).read_text("utf-8").splitlines()
            folders += [Path(line) for line in lines if line.startswith("/")]
    found = [folder for folder in folders if folder.is_dir()]
    return found or ([package.source] if package.source else [])


def _importable(folder: Path, package: Installed) -> Iterator[Path]:
    """Yield the files of top-level modules and packages in a folder."""
    named = package.text("top_level.txt").split()
    for entry in sorted(folder.iterdir()):
        is_named = entry.stem in named or not named
        if entry.is_file() and entry.suffix == ".py" and is_named:
            if entry.name not in _NO_PACKAGES:
                yield entry
        elif entry.is_dir() and is_named and (entry / "__init__.py").is_file():
            yield from _files_below(entry)


def _files_below(folder: Path) -> Iterator[Path]:
    for parent, folders, names in os.walk(folder):
        folders[:] = sorted(set(folders) - _LEFT_OUT)
        yield from (Path(parent, n) for n in sorted(names) if not n.endswith(".pyc"))


def _check(package: Installed, wheel: Path) -> None:
    name, version = wheel.name.split("-")[:2]
    wanted = (normalized_name(package.name), package.version)
    if (normalized_name(name), version) != wanted:
        raise ReleaseError(
            f"{package.name}: {wheel.name} was built where {package.version} is installed"
        )

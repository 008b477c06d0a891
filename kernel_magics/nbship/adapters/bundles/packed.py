"""A wheel made from what is installed: the files that RECORD lists, each where it belongs.

Equal installations give equal bytes: one order, one time, no compression.
"""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import re
import shutil
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nbship.errors import ReleaseError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from nbship.adapters.bundles.installed import Installation, Installed

_EPOCH = (1980, 1, 1, 0, 0, 0)
_UNIX = 3
_CHUNK_BYTES = 1 << 20
_SHEBANG = re.compile(rb"\A#!.*python[^\n]*")
_NATIVE = (".so", ".pyd", ".dylib")


def pack_installed(package: Installed, installation: Installation, into: Path) -> Path:
    """Write the wheel of an installed distribution from its own files.

    Parameters
    ----------
    package
        The distribution.
    installation
        What it is part of.
    into
        The folder for the wheel.

    Raises
    ------
    ReleaseError
        If it has no RECORD, files of it are gone, or some lie where no wheel can put them.
    """
    names = package.files()
    if not names:
        raise ReleaseError(f"{package.name} has no RECORD: its files are not known")
    layout = _Layout(package=package, installation=installation)
    contents: dict[str, Path | bytes] = {}
    for name in names:
        path = (package.info.parent / name).resolve()
        if not path.is_file():
            raise ReleaseError(f"{package.name}: {name} is gone, RECORD lists it")
        place = layout.place_of(name, path)
        if place:
            contents[place] = _script(path) if "/scripts/" in place else path
    wheel = f"{package.info.name}/WHEEL"
    if wheel not in contents:
        contents[wheel] = wheel_text(_tag(contents, installation))
    return write_wheel(package, contents, into)


def write_wheel(
    package: Installed, contents: Mapping[str, Path | bytes], into: Path
) -> Path:
    """Write a wheel from files and bytes by their names in it; RECORD is made new."""
    info = f"{package.stem}.dist-info"
    found = contents[f"{info}/WHEEL"]
    text = found if isinstance(found, bytes) else found.read_bytes()
    path = into / f"{package.stem}-{_compressed_tag(text.decode())}.whl"
    record = io.StringIO()
    rows = csv.writer(record, lineterminator="\n")
    last = sorted(contents, key=lambda name: (name.startswith(f"{info}/"), name))
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for name in last:
            digest, size_bytes = _add(archive, name, contents[name])
            rows.writerow((name, f"sha256={digest}", size_bytes))
        rows.writerow((f"{info}/RECORD", "", ""))
        _add(archive, f"{info}/RECORD", record.getvalue().encode())
    return path


def wheel_text(tag: str) -> bytes:
    """Write the file WHEEL for one tag."""
    is_pure = tag.endswith("-none-any")
    return (
        "Wheel-Version: 1.0\nGenerator: nbship\n"
        f"Root-Is-Purelib: {str(is_pure).lower()}\nTag: {tag}\n"
    ).encode()


def tag_of(names: Iterable[str], installation: Installation) -> str:
    """Return the tag of a wheel with these files: pure Python, or built for this machine."""
    if any(name.endswith(_NATIVE) for name in names):
        return f"{installation.tag}-{installation.tag}-{installation.platform}"
    return "py3-none-any"


def _tag(contents: Mapping[str, Any], installation: Installation) -> str:
    return tag_of(contents, installation)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Layout:
    """Where installed files lie in a wheel."""

    package: Installed
    installation: Installation

    def place_of(self, name: str, path: Path) -> str:
        """Return a file's name in the wheel; "" where an installer makes it anew.

        Raises
        ------
        ReleaseError
            If it lies outside the environment.
        """
        if not name.startswith(("../", "/")):
            return name
        scripts = Path(self.installation.places["scripts"]).resolve()
        data = Path(self.installation.places["data"]).resolve()
        prefix = f"{self.package.stem}.data"
        if path.is_relative_to(scripts):
            script = path.relative_to(scripts).as_posix()
            is_made = script in self.package.generated_scripts()
            return "" if is_made else f"{prefix}/scripts/{script}"
        if path.is_relative_to(data):
            return f"{prefix}/data/{path.relative_to(data).as_posix()}"
        raise ReleaseError(f"{self.package.name}: {name} lies outside the environment")


def _script(path: Path) -> bytes:
    """Read a script as a wheel has it: installers write the interpreter's path into it."""
    return _SHEBANG.sub(b"#!python", path.read_bytes(), count=1)


def _compressed_tag(text: str) -> str:
    """Join the tags of WHEEL as PEP 425 compresses them in a file's name."""
    tags = [
        line.partition(":")[2].strip().split("-")
        for line in text.splitlines()
        if line.startswith("Tag:")
    ]
    parts = [".".join(sorted({tag[i] for tag in tags})) for i in range(3)]
    return "-".join(parts)


def _add(archive: zipfile.ZipFile, name: str, content: Path | bytes) -> tuple[str, int]:
    """Add one file; return its digest as RECORD writes it, and its size."""
    is_program = (
        isinstance(content, Path) and bool(content.stat().st_mode & 0o111)
    ) or "/scripts/" in name
    entry = zipfile.ZipInfo(name, date_time=_EPOCH)
    entry.create_system = _UNIX
    entry.external_attr = (0o100755 if is_program else 0o100644) << 16
    digest, size_bytes = hashlib.sha256(), 0
    source = io.BytesIO(content) if isinstance(content, bytes) else content.open("rb")
    with source, archive.open(entry, "w", force_zip64=_is_large(content)) as target:
        while chunk := source.read(_CHUNK_BYTES):
            digest.update(chunk)
            size_bytes += len(chunk)
            target.write(chunk)
    code = base64.urlsafe_b64encode(digest.digest()).decode().rstrip("=")
    return code, size_bytes


def _is_large(content: Path | bytes) -> bool:
    size = len(content) if isinstance(content, bytes) else content.stat().st_size
    return size >= zipfile.ZIP64_LIMIT


def copy_source(source: Path, into: Path) -> Path:
    """Copy a project without what its tools leave behind."""
    left = shutil.ignore_patterns(
        ".git", ".hg", ".venv", "venv", ".mlops", "node_modules", "__pycache__",
        "*.egg-info", "dist", "build", ".tox", ".nox", ".*_cache", "*.pyc",
    )  # fmt: skip
    return Path(shutil.copytree(source, into, ignore=left, symlinks=True))

"""Snapshots of advisories: OSV records in a zip archive, a folder, or JSON lines."""

from __future__ import annotations

import json
import zipfile
from typing import TYPE_CHECKING, Any

from nbship.errors import ReleaseError
from nbship.records.digest import digest_file, digest_tree
from nbship.release.advisories import Snapshot

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_BROKEN = (
    AttributeError,
    KeyError,
    OSError,
    TypeError,
    ValueError,
    zipfile.BadZipFile,
)
_HINT = (
    "Give what OSV publishes for PyPI (all.zip), a folder of its records, or a file with one"
    " record a line."
)


def read_snapshot(path: Path) -> Snapshot:
    """Read a snapshot; records about other ecosystems than PyPI are left out.

    Parameters
    ----------
    path
        A ``.zip`` with a record per ``.json``, a folder of such files, or a file with one
        record a line.

    Raises
    ------
    ReleaseError
        If it cannot be read, or holds no record with its time.
    """
    try:
        records = [record for record in _records(path) if _is_about_pypi(record)]
        dated = max((str(record["modified"]) for record in records), default="")
        digest = digest_tree(path) if path.is_dir() else digest_file(path)
    except _BROKEN as error:
        raise ReleaseError(
            f"{path}: cannot be read as a snapshot of advisories:"
            f" {type(error).__name__}: {error}",
            hint=_HINT,
        ) from error
    if not dated:
        raise ReleaseError(f"{path}: no advisory about PyPI in it", hint=_HINT)
    return Snapshot(
        digest=digest,
        dated=dated,
        records=tuple(sorted(records, key=lambda record: str(record.get("id")))),
    )


def _records(path: Path) -> Iterator[dict[str, Any]]:
    if path.is_dir():
        for file in sorted(path.rglob("*.json")):
            yield json.loads(file.read_bytes())
    elif zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            for name in sorted(archive.namelist()):
                if name.endswith(".json"):
                    yield json.loads(archive.read(name))
    else:
        with path.open(encoding="utf-8") as lines:
            yield from (json.loads(line) for line in lines if line.strip())


def _is_about_pypi(record: dict[str, Any]) -> bool:
    packages = [item.get("package", {}) for item in record.get("affected", ())]
    return any(package.get("ecosystem") == "PyPI" for package in packages)

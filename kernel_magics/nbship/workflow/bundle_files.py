"""Files of captures, exports and bundles: read whole, written whole."""

from __future__ import annotations

import contextlib
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from nbship.errors import ExportError, RecordFormatError, store_error
from nbship.records.codec import from_json
from nbship.records.digest import digest_file
from nbship.records.release import RootCapture

if TYPE_CHECKING:
    from collections.abc import Iterator

Record = TypeVar("Record")

CAPTURE = "capture.json"


def read_capture(folder: Path) -> RootCapture:
    """Read ``capture.json`` and check that every file it names is there, unchanged.

    Raises
    ------
    ExportError
        If a file is missing or differs; all are named.
    RecordFormatError
        If ``capture.json`` is no capture.
    """
    if not (folder / CAPTURE).is_file():
        raise ExportError(f"{folder}: no {CAPTURE}", hint="Export the root again.")
    capture = read_record(RootCapture, folder / CAPTURE)
    wanted = {
        capture.module: capture.module_digest,
        capture.golden: capture.golden_digest,
        **{entry.file: entry.digest for entry in capture.local_modules},
        **{f"state/{entry.file}": entry.digest for entry in capture.state},
        **{f"golden/{entry.file}": entry.digest for entry in capture.golden_files},
    }
    failures = [
        f"{folder / name}: {'changed' if (folder / name).is_file() else 'missing'}"
        for name, digest in wanted.items()
        if not (folder / name).is_file() or digest_file(folder / name) != digest
    ]
    if failures:
        raise ExportError("\n".join(failures), hint="Export the root again.")
    return capture


def read_record(kind: type[Record], path: Path) -> Record:
    """Read a record of a bundle.

    Raises
    ------
    RecordFormatError
        If the file is no JSON, or another record.
    """
    try:
        data = json.loads(path.read_bytes())
    except ValueError as error:
        raise RecordFormatError(f"{path.name}: not JSON: {error}") from error
    return from_json(kind, data, where=path.name)


def regular_files(folder: Path) -> dict[str, Path]:
    """Map every file below a folder by its path there; links are not followed."""
    found: dict[str, Path] = {}
    for place, folders, names in os.walk(folder, followlinks=False):
        paths = [Path(place) / name for name in (*folders, *names)]
        for path in paths:
            if path.is_symlink() or not path.is_dir():
                found[path.relative_to(folder).as_posix()] = path
    return dict(sorted(found.items()))


@contextlib.contextmanager
def writing(folder: Path) -> Iterator[None]:
    """Put a file system's refusal into words.

    Raises
    ------
    StoreError
        If the file system refuses.
    """
    try:
        yield
    except OSError as error:
        refusal = store_error(error, Path(error.filename or folder))
        raise refusal from error

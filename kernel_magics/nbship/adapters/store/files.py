"""The store as files that a person can read."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import shutil
from typing import TYPE_CHECKING, TypeVar

from nbship.adapters.store.journal import FILE_NAME, FileJournal
from nbship.adapters.store.locks import held_file, is_held
from nbship.errors import RecordFormatError, RecordNotFoundError, store_errors
from nbship.records.codec import from_json, json_text
from nbship.records.ids import is_id

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

Record = TypeVar("Record")

#: kind of id -> (folder below the store, suffix of a record that is one file)
_PLACES = {
    "run": ("runs", ""),
    "job": ("jobs", ""),
    "verdict": ("verdicts", ".json"),
    "approval": ("approvals", ".json"),
    "report": ("reports", ".html"),
    "export": ("exports", ""),
    "sweep": ("sweeps", ""),
}


class FileStore:
    """``.mlops/`` on a file system; see DESIGN §4 for its folders.

    Parameters
    ----------
    folder
        The store's folder; made when the first record is written.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def run_folder(self, run_id: str) -> Path:
        """Return ``runs/<run>/``, whether it exists or not."""
        return self.folder / "runs" / run_id

    def job_folder(self, job_id: str) -> Path:
        """Return ``jobs/<job>/``."""
        return self.folder / "jobs" / job_id

    def attempt_folder(self, job_id: str, number: int) -> Path:
        """Return ``jobs/<job>/attempts/<number>/``."""
        return self.job_folder(job_id) / "attempts" / str(number)

    def record_path(self, record_id: str) -> Path:
        """Return where an id's file or folder lies: ``verdicts/<id>.json``, ``exports/<id>``.

        Raises
        ------
        RecordNotFoundError
            If the id is of no kind that the store knows.
        """
        kind = record_id.partition("-")[0]
        if kind not in _PLACES:
            raise RecordNotFoundError(
                f"{record_id!r} is no id of nbship; they begin with {', '.join(_PLACES)}",
                hint="Copy the id from `mlops jobs` or `mlops runs`.",
            )
        place, suffix = _PLACES[kind]
        return self.folder / place / f"{record_id}{suffix}"

    @property
    def releases(self) -> Path:
        """``releases/``, with ``<name>/<version>/`` for each."""
        return self.folder / "releases"

    def journal(self, run_id: str) -> FileJournal:
        """Open the journal of a run for appending and reading."""
        return FileJournal(self.run_folder(run_id) / FILE_NAME)

    def ids(self, kind: str) -> tuple[str, ...]:
        """List the ids of one kind, oldest first."""
        place, suffix = _PLACES[kind]
        folder = self.folder / place
        if not folder.is_dir():
            return ()
        names = (path.name.removesuffix(suffix) for path in folder.iterdir())
        return tuple(sorted(name for name in names if is_id(name, kind)))

    def save(self, record: object, path: Path) -> None:
        """Write a record as JSON: a whole file or none."""
        self.write_bytes(_encode(record), path)

    def save_lightly(self, record: object, path: Path) -> None:
        """Write a record that another place holds too: a whole file, not forced to the disk."""
        with store_errors(path), _temporary(path) as temporary:
            temporary.write_bytes(_encode(record))
            temporary.replace(path)

    def write_bytes(self, data: bytes, path: Path) -> None:
        """Write a file by write, fsync and rename.

        Raises
        ------
        StoreError
            If the file system refuses; nothing is left behind.
        """
        with store_errors(path), _temporary(path) as temporary:
            _write_synced(temporary, data)
            temporary.replace(path)

    def append(self, data: bytes, path: Path) -> None:
        """Add whole lines to a file, by one write."""
        with store_errors(path), path.open("ab", buffering=0) as file:
            file.write(data)

    def keep_blob(self, run_id: str, digest: str, data: bytes) -> None:
        """Keep bytes as ``runs/<run>/blobs/<sha256>``; what is there already stays.

        Blobs are not synced to the disk one by one: like the journal, they survive the
        process.

        Raises
        ------
        StoreError
            If the file system refuses; nothing is left behind.
        """
        path = self.run_folder(run_id) / "blobs" / digest
        if path.exists():
            return
        with store_errors(path), _temporary(path) as temporary:
            temporary.write_bytes(data)
            temporary.replace(path)

    def link(self, source: Path, path: Path) -> bool:
        """Give a file a second name by ``os.link``; False where another one stands there already."""
        with store_errors(path):
            try:
                os.link(source, path)
            except FileExistsError:
                return False
            return True

    @contextlib.contextmanager
    def whole_folder(self, path: Path) -> Iterator[Path]:
        """Fill a new folder under another name; it appears whole, or not at all.

        Raises
        ------
        StoreError
            If the file system refuses.
        """
        draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
        try:
            with store_errors(path):
                draft.mkdir(parents=True)
                yield draft
                draft.rename(path)
        finally:
            shutil.rmtree(draft, ignore_errors=True)

    def hold(self, path: Path) -> contextlib.AbstractContextManager[int | None]:
        """Hold a file by ``flock``; give the descriptor, None where another process holds it."""
        return held_file(path, wait_s=0.0)

    def is_held(self, path: Path) -> bool:
        """Tell whether a living process holds the file by ``flock``."""
        return is_held(path)

    def load(self, kind: type[Record], path: Path) -> Record:
        """Read a record.

        Raises
        ------
        RecordNotFoundError
            If there is no such file.
        RecordFormatError
            If it is no JSON, or another record.
        """
        try:
            data = json.loads(path.read_text("utf-8"))
        except FileNotFoundError as error:
            raise RecordNotFoundError(
                f"{self.folder}: no record {path.relative_to(self.folder) if path.is_relative_to(self.folder) else path}",
                hint="Copy the id from `mlops jobs` or `mlops runs`.",
            ) from error
        except (json.JSONDecodeError, UnicodeDecodeError) as error:
            raise RecordFormatError(
                f"{path}: not JSON: {error}",
                hint="Restore the file: records are written once and never edited.",
            ) from error
        return from_json(kind, data, where=str(path))


def _encode(record: object) -> bytes:
    return json_text(record).encode("utf-8", "surrogatepass")


@contextlib.contextmanager
def _temporary(path: Path) -> Iterator[Path]:
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    try:
        yield temporary
    finally:
        temporary.unlink(missing_ok=True)


def _write_synced(path: Path, data: bytes) -> None:
    with path.open("xb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())

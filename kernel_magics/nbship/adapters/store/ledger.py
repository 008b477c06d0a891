"""How far runs and releases are mirrored: SQLite in WAL mode, rebuildable from journals and trackers."""

from __future__ import annotations

import contextlib
import sqlite3
from typing import TYPE_CHECKING, Any

from nbship.errors import StoreError
from nbship.records.mirror import Attachment, Mirror, ReleaseMirror

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_BUSY_TIMEOUT_S = 30.0
_TABLES = """
create table if not exists mirrors (
  run_id text, tracker text, reference text, metrics integer, is_closed integer, error text,
  primary key (run_id, tracker));
create table if not exists attachments (
  run_id text, tracker text, path text, folder text,
  primary key (run_id, tracker, path, folder));
create table if not exists releases (
  release text, tracker text, digest text, reference text, error text,
  primary key (release, tracker));
"""


class SqliteLedger:
    """The ledger of mirrors in ``shipping.sqlite``; each call is one transaction.

    Parameters
    ----------
    path
        The database; made when it is first asked.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def mirror(self, run_id: str, tracker: str) -> Mirror:
        """Return the mirror of a run at a tracker; a blank one where there is none yet."""
        known = {mirror.tracker: mirror for mirror in self.mirrors(run_id)}
        return known.get(tracker, Mirror(run_id=run_id, tracker=tracker))

    def mirrors(self, run_id: str) -> tuple[Mirror, ...]:
        """List the mirrors of a run."""
        query = "select tracker, reference, metrics, is_closed, error from mirrors where run_id = ?"
        rows = self._read(query, (run_id,))
        return tuple(
            Mirror(
                run_id=run_id,
                tracker=tracker,
                reference=reference,
                metrics=metrics,
                is_closed=bool(is_closed),
                error=error,
            )
            for tracker, reference, metrics, is_closed, error in rows
        )

    def save(self, mirror: Mirror) -> None:
        """Keep the state of a mirror."""
        row = (
            mirror.run_id,
            mirror.tracker,
            mirror.reference,
            mirror.metrics,
            int(mirror.is_closed),
            mirror.error,
        )
        with self._transaction() as database:
            database.execute("replace into mirrors values (?, ?, ?, ?, ?, ?)", row)

    def attachments(self, run_id: str, tracker: str) -> tuple[Attachment, ...]:
        """List the files that a tracker still lacks."""
        query = "select path, folder from attachments where run_id = ? and tracker = ?"
        rows = self._read(query, (run_id, tracker))
        return tuple(
            Attachment(run_id=run_id, tracker=tracker, path=path, folder=folder)
            for path, folder in rows
        )

    def add_attachment(self, attachment: Attachment) -> None:
        """Remember a file for a tracker."""
        with self._transaction() as database:
            database.execute(
                "replace into attachments values (?, ?, ?, ?)", _row(attachment)
            )

    def drop_attachment(self, attachment: Attachment) -> None:
        """Forget a file: the tracker has it, or takes none."""
        with self._transaction() as database:
            database.execute(
                "delete from attachments where run_id = ? and tracker = ? and path = ? and folder = ?",
                _row(attachment),
            )

    def release_mirror(self, release: str, tracker: str) -> ReleaseMirror:
        """Return the mirror of a release at a tracker; a blank one where there is none yet."""
        query = "select digest, reference, error from releases where release = ? and tracker = ?"
        for digest, reference, error in self._read(query, (release, tracker)):
            return ReleaseMirror(
                release=release,
                tracker=tracker,
                digest=digest,
                reference=reference,
                error=error,
            )
        return ReleaseMirror(release=release, tracker=tracker)

    def save_release(self, mirror: ReleaseMirror) -> None:
        """Keep the state of a release's mirror."""
        row = (
            mirror.release,
            mirror.tracker,
            mirror.digest,
            mirror.reference,
            mirror.error,
        )
        with self._transaction() as database:
            database.execute("replace into releases values (?, ?, ?, ?, ?)", row)

    def _read(self, query: str, values: tuple[str, ...]) -> list[Any]:
        """Read rows; a store that cannot be written is read as it lies there."""
        if not self._path.is_file():
            return []
        try:
            with self._transaction() as database:
                return database.execute(query, values).fetchall()
        except StoreError:
            address = f"{self._path.absolute().as_uri()}?immutable=1"
        with self._explained():
            database = sqlite3.connect(address, uri=True)
            try:
                return database.execute(query, values).fetchall()
            finally:
                database.close()

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._explained():
            self._path.parent.mkdir(parents=True, exist_ok=True)
            database = sqlite3.connect(self._path, timeout=_BUSY_TIMEOUT_S)
            try:
                database.execute("pragma journal_mode = wal")
                database.executescript(_TABLES)
                with database:
                    yield database
            finally:
                database.close()

    @contextlib.contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            raise StoreError(
                f"{self._path}: cannot be used: {error}",
                hint="Free space or grant writing there; the file may also be deleted.",
            ) from error


def _row(attachment: Attachment) -> tuple[str, str, str, str]:
    return (
        attachment.run_id,
        attachment.tracker,
        attachment.path,
        attachment.folder,
    )

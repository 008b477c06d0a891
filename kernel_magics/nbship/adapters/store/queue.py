"""The queue: SQLite in WAL mode, rebuildable from the tickets that lie in the job folders.

``jobs/<job>/ticket.json`` says that a job is wanted; it is removed when the job has settled. The
database adds what changes often: what runs, and what waits until when. A ticket's file is written
before its row and removed before it, so that a database that is lost is made again from the files.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import threading
import time
from dataclasses import fields, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from nbship.errors import NbshipError, StoreError
from nbship.records.queue import Ticket, TicketState

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from nbship.ports import Store

FILE_NAME = "queue.sqlite"
_TICKET = "ticket.json"
_BUSY_TIMEOUT_S = 30.0
_LAYOUT = 1
#: some milliseconds, however many jobs wait
_AT_ONCE = 256
_COLUMNS = tuple(field.name for field in fields(Ticket))
_TABLE = f"create table tickets ({', '.join(_COLUMNS)}, primary key (job_id))"
_ORDER = "order by priority desc, enqueued_at, rowid"
#: how often a waiting reader looks whether another process has written: 0.02 ms each
_GLANCE_S = 0.02


class SqliteQueue:
    """The queue of one store; each call is one transaction that survives a crash.

    Parameters
    ----------
    store
        The store; the database is made when it is first asked.
    surroundings
        Keeps the environment of this process for the jobs it adds; returns its name.
    """

    def __init__(
        self, store: Store, *, surroundings: Callable[[], str] | None = None
    ) -> None:
        self._store = store
        self._path = store.folder / FILE_NAME
        self._surroundings = surroundings
        self._open = threading.local()

    def add(
        self, job_ids: Sequence[str], *, priority: int, attempts: int, losses: int
    ) -> None:
        """Want jobs; one that is wanted already keeps its ticket."""
        now = datetime.now(UTC)
        with self._transaction() as database:
            # inside, so that no supervisor that leaves forgets them meanwhile
            name = self._surroundings() if self._surroundings else ""
            known = {row[0] for row in database.execute("select job_id from tickets")}
            tickets = [
                Ticket(
                    job_id=job_id,
                    priority=priority,
                    attempts=attempts,
                    losses=losses,
                    first_attempt=self._next_attempt(job_id),
                    enqueued_at=now,
                    not_before_at=now,
                    surroundings=name,
                )
                for job_id in job_ids
                if job_id not in known
            ]
            for ticket in tickets:
                self._store.save_lightly(ticket, self._file(ticket.job_id))
            _insert(database, tickets)

    def when_empty(self, act: Callable[[], object]) -> bool:
        """Do something while no job is wanted and none can become so; False where one is."""
        with self._transaction() as database:
            is_empty = database.execute("select 1 from tickets").fetchone() is None
            if is_empty:
                act()
        return is_empty

    def tickets(self) -> tuple[Ticket, ...]:
        """List the tickets in the order that they are taken in."""
        return self._select(_ORDER)

    def due(self, now: datetime) -> tuple[Ticket, ...]:
        """List, in their order, the tickets that there is something to do about; not all at once."""
        return self._select(
            f"where state != ? or not_before_at <= ? {_ORDER} limit {_AT_ONCE}",
            TicketState.QUEUED,
            now.isoformat(),
        )

    def earliest(self) -> datetime | None:
        """Return when the first of the waiting tickets may be taken; None where none waits."""
        query = "select min(not_before_at) from tickets where state = ?"
        with self._explained():
            row = self._connection().execute(query, (TicketState.QUEUED,)).fetchone()
        return None if row[0] is None else datetime.fromisoformat(row[0])

    def ticket(self, job_id: str) -> Ticket | None:
        """Return the ticket of a job; None where it is not wanted, or has settled."""
        found = self._select("where job_id = ?", job_id)
        return found[0] if found else None

    def take(self, job_id: str, *, attempt: int) -> bool:
        """Note that an attempt begins; False where the ticket is gone or not waiting."""
        return self._change(
            "state = ?, attempt = ? where job_id = ? and state = ?",
            TicketState.RUNNING,
            attempt,
            job_id,
            TicketState.QUEUED,
        )

    def put_back(self, job_id: str, *, not_before_at: datetime) -> bool:
        """Let a job wait for its next attempt; False where it was given up."""
        running, queued = TicketState.RUNNING, TicketState.QUEUED
        self._change(
            "attempt = 0, not_before_at = ?,"
            " state = case state when ? then ? else state end where job_id = ?",
            not_before_at.isoformat(),
            running,
            queued,
            job_id,
        )
        ticket = self.ticket(job_id)
        return ticket is not None and ticket.state is queued

    def cancel(self, job_id: str) -> bool:
        """Give a job up; False where it is not wanted."""
        return self._change("state = ? where job_id = ?", TicketState.CANCELLED, job_id)

    def drop(self, job_id: str) -> None:
        """Remove the ticket of a job that has settled."""
        self._file(job_id).unlink(missing_ok=True)
        with self._transaction() as database:
            database.execute("delete from tickets where job_id = ?", (job_id,))

    def wait(self, timeout_s: float) -> bool:
        """Wait until another process has changed the queue; False where the time is over."""
        deadline_s = time.monotonic() + timeout_s
        while True:
            with self._explained():
                version = self._connection().execute("pragma data_version").fetchone()
            if version != getattr(self._open, "version", None):
                self._open.version = version
                return True
            remaining_s = deadline_s - time.monotonic()
            if remaining_s <= 0:
                return False
            time.sleep(min(_GLANCE_S, remaining_s))

    def _select(self, rest: str, *values: str) -> tuple[Ticket, ...]:
        query = f"select {', '.join(_COLUMNS)} from tickets {rest}"  # noqa: S608  # our own words
        if not self._path.exists() and not self._store.folder.exists():
            return ()
        with self._explained():
            rows = self._connection().execute(query, values).fetchall()
        return tuple(_ticket(row) for row in rows)

    def _change(self, rest: str, *values: Any) -> bool:  # noqa: ANN401  # SQLite's
        with self._transaction() as database:
            done = database.execute(f"update tickets set {rest}", values)  # noqa: S608
            return done.rowcount > 0

    def _file(self, job_id: str) -> Path:
        return self._store.job_folder(job_id) / _TICKET

    def _next_attempt(self, job_id: str) -> int:
        folder = self._store.job_folder(job_id) / "attempts"
        paths = folder.iterdir() if folder.is_dir() else ()
        numbers = (int(path.name) for path in paths if path.name.isdigit())
        return 1 + max(numbers, default=0)

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._explained():
            database = self._connection()
            database.execute("begin immediate")
            try:
                yield database
            except BaseException:
                database.execute("rollback")
                raise
            database.execute("commit")

    def _connection(self) -> sqlite3.Connection:
        """Return this thread's connection; a fork opens its own."""
        known: sqlite3.Connection | None = getattr(self._open, "connection", None)
        if known is not None and self._open.pid == os.getpid():
            return known
        self._path.parent.mkdir(parents=True, exist_ok=True)
        database = sqlite3.connect(
            self._path, timeout=_BUSY_TIMEOUT_S, isolation_level=None
        )
        try:
            database.execute("pragma journal_mode = wal")
            database.execute("pragma synchronous = full")
            self._lay_out(database)
        except BaseException:
            database.close()
            raise
        self._open.connection, self._open.pid = database, os.getpid()
        return database

    def _lay_out(self, database: sqlite3.Connection) -> None:
        """Make the table where it is missing, from the tickets that lie in the job folders."""
        if database.execute("pragma user_version").fetchone() == (_LAYOUT,):
            return
        database.execute("begin immediate")
        if database.execute("pragma user_version").fetchone() != (_LAYOUT,):
            database.execute(_TABLE)
            _insert(database, [*self._kept_tickets()])
            database.execute(f"pragma user_version = {_LAYOUT}")
        database.execute("commit")

    def _kept_tickets(self) -> Iterator[Ticket]:
        for job_id in self._store.ids("job"):
            path = self._file(job_id)
            if path.is_file():
                with contextlib.suppress(NbshipError):
                    ticket = self._store.load(Ticket, path)
                    # an attempt may be running: the supervisor looks at the files
                    number = self._next_attempt(job_id) - 1
                    is_begun = number >= ticket.first_attempt
                    state = TicketState.RUNNING if is_begun else TicketState.QUEUED
                    number = number if is_begun else 0
                    yield replace(ticket, state=state, attempt=number)

    @contextlib.contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            raise StoreError(
                f"{self._path}: cannot be used: {error}",
                hint="Free space or grant writing there; where it is broken, delete it:"
                " it is made again from the job folders.",
            ) from error


def _insert(database: sqlite3.Connection, tickets: Sequence[Ticket]) -> None:
    marks = ", ".join("?" * len(_COLUMNS))
    rows = [
        tuple(_plain(getattr(ticket, name)) for name in _COLUMNS) for ticket in tickets
    ]
    database.executemany(f"insert or ignore into tickets values ({marks})", rows)  # noqa: S608


def _plain(value: Any) -> Any:  # noqa: ANN401  # SQLite's
    return value.isoformat() if isinstance(value, datetime) else value


def _ticket(row: Sequence[Any]) -> Ticket:
    values = dict(zip(_COLUMNS, row, strict=True))
    for name in ("enqueued_at", "not_before_at"):
        values[name] = datetime.fromisoformat(values[name])
    return Ticket(**{**values, "state": TicketState(values["state"])})

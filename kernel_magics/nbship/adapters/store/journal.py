"""The journal: one JSON line per event, appended by one ``write`` call.

Kernel, engine and shipper may append to one journal at once: ``O_APPEND`` and a single
``write`` keep their lines whole. A line cut short by a full disk or a crash is skipped by
readers and closed by the next writer.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import time
from dataclasses import fields
from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NoReturn

from nbship import variables
from nbship.capture.redaction import Redactor
from nbship.errors import RecordFormatError, store_error
from nbship.records.codec import from_json, to_json
from nbship.records.run import Event, EventKind

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

FILE_NAME = "journal.jsonl"
#: the schema and the fields of an event
_EVENT_FIELDS = 1 + len(fields(Event))


class FileJournal:
    """An append-only file of events.

    Parameters
    ----------
    path
        ``runs/<run>/journal.jsonl``; made, with its folder, by the first event.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._descriptor: int | None = None
        self._pid = 0
        self._is_torn = False

    def append(self, kind: EventKind, data: Mapping[str, Any]) -> None:
        """Write one event; it is with the kernel of the system when the call returns.

        Raises
        ------
        StoreError
            If the file system refuses; the event is lost, those before it stay.
        """
        try:
            self._append(kind, data)
        except OSError as error:
            self._refuse(error)

    def _append(self, kind: EventKind, data: Mapping[str, Any]) -> None:
        event = {  # an Event as the codec writes it, without its cost for every metric
            "schema": Event.SCHEMA,
            "kind": kind.value,
            "at": datetime.now(UTC).isoformat(),
            "monotonic_ns": time.monotonic_ns(),
            "pid": os.getpid(),
            "data": to_json(data),
        }
        line = json.dumps(event, ensure_ascii=False, default=str) + "\n"
        if variables.SECRETS in os.environ:
            line = _redactor(os.environ[variables.SECRETS]).text(line)
        payload = line.encode("utf-8", "surrogatepass")
        if self._is_torn:
            payload = b"\n" + payload
        written = os.write(self._open(), payload)
        self._is_torn = written != len(payload)
        if self._is_torn:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(self.path))

    def _refuse(self, error: OSError) -> NoReturn:
        with contextlib.suppress(OSError):
            if self.path.stat().st_size == 0:
                self.close()
                self.path.unlink()
                self.path.parent.rmdir()  # no folder of a run that never began
        raise store_error(error, self.path) from error

    def events(self) -> Iterator[Event]:
        """Read every whole event, in the order of the file; lines cut short are left out."""
        for event, _ in self.events_from(0):
            yield event

    def events_from(self, offset_bytes: int) -> Iterator[tuple[Event, int]]:
        """Read whole events from an offset on, each with the offset behind it."""
        try:
            file = self.path.open("rb")
        except FileNotFoundError:
            return
        with file:
            file.seek(offset_bytes)
            for line in file:
                if not line.endswith(b"\n"):
                    return
                offset_bytes += len(line)
                event = _parse(line, self.path)
                if event is not None:
                    yield event, offset_bytes

    def close(self) -> None:
        """Close the file; the next event opens it again."""
        if self._descriptor is not None and self._pid == os.getpid():
            os.close(self._descriptor)
        self._descriptor = None

    def _open(self) -> int:
        if self._descriptor is None or self._pid != os.getpid():
            self.path.parent.mkdir(parents=True, exist_ok=True)
            flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
            self._descriptor = os.open(self.path, flags, 0o644)
            self._pid = os.getpid()
        return self._descriptor


@lru_cache(maxsize=4)
def _redactor(names: str) -> Redactor:
    """Return what takes the secrets of a job's kernel out of events that it writes itself."""
    values = {name: os.environ.get(name, "") for name in names.split(",")}
    return Redactor({name: value for name, value in values.items() if value})


def _parse(line: bytes, path: Path) -> Event | None:
    try:
        data = json.loads(line)
    except (json.JSONDecodeError, UnicodeDecodeError):
        return None
    if not isinstance(data, dict):
        raise RecordFormatError(
            f"{path}: a line is no event", hint="Restore the journal."
        )
    return _quick_event(data) or from_json(Event, data, where=str(path))


def _quick_event(data: dict[str, Any]) -> Event | None:
    """Read a sound event, in a tenth of the codec's time; None leaves it to the codec."""
    numbers = (data.get("monotonic_ns"), data.get("pid"))
    if (
        len(data) != _EVENT_FIELDS
        or data.get("schema") != Event.SCHEMA
        or not all(type(number) is int for number in numbers)
        or type(data.get("data")) is not dict
    ):
        return None
    try:
        return Event(
            kind=EventKind(data["kind"]),
            at=datetime.fromisoformat(data["at"]),
            monotonic_ns=data["monotonic_ns"],
            pid=data["pid"],
            data=data["data"],
        )
    except (KeyError, TypeError, ValueError):
        return None

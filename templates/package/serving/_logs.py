"""Structured logs: one JSON object a line, each with the model's version.

A request's line has its id, route, status, time and rows. Lines are collected and written
together, at the latest after a quarter of a second. An error has its traceback, whose lines
of ``model.py`` name the notebook cell that they were cut from.
"""

from __future__ import annotations

import datetime as dt
import logging
import os
import sys
from typing import TYPE_CHECKING, Any

import msgspec

from .. import _cells

if TYPE_CHECKING:
    import asyncio

_DELAY_S = 0.25
_MANY = 512


class Log:
    """Where one process writes its lines."""

    def __init__(self, *, model: str, version: str) -> None:
        self._head = {"model": model, "version": version}
        self._waiting: list[bytes] = []
        self._loop: asyncio.AbstractEventLoop | None = None
        self._is_planned = False

    def collect(self, loop: asyncio.AbstractEventLoop) -> None:
        """Collect lines from now on, while this event loop runs."""
        self._loop = loop

    def write(self, event: str, *, level: str = "info", **facts: Any) -> None:
        """Add a line."""
        line = {
            "at": dt.datetime.now(dt.UTC).isoformat(timespec="milliseconds"),
            "level": level,
            "event": event,
            **self._head,
            "pid": os.getpid(),
            **facts,
        }
        self._waiting.append(msgspec.json.encode(line, enc_hook=str) + b"\n")
        if self._loop is None or len(self._waiting) >= _MANY:
            self.flush()
        elif not self._is_planned:
            self._is_planned = True
            loop = self._loop  # lines come from the thread of the model, too
            loop.call_soon_threadsafe(loop.call_later, _DELAY_S, self.flush)

    def failure(self, event: str, error: BaseException, **facts: Any) -> None:
        """Add a line with a traceback that names notebook cells."""
        self.write(
            event,
            level="error",
            error=f"{type(error).__name__}: {error}",
            cell=_cells.place_of(error),
            traceback=_cells.text_of(error),
            **facts,
        )
        self.flush()

    def flush(self) -> None:
        """Write what waits."""
        self._is_planned = False
        lines, self._waiting = self._waiting, []
        if lines:
            sys.stderr.buffer.write(b"".join(lines))
            sys.stderr.buffer.flush()

    def take_over(self, level: int = logging.WARNING) -> None:
        """Write what libraries log in the same form."""
        handler = _Handler(self)
        root = logging.getLogger()
        root.handlers[:] = [handler]
        root.setLevel(level)
        logging.captureWarnings(capture=True)


class _Handler(logging.Handler):
    def __init__(self, log: Log) -> None:
        super().__init__()
        self._log = log

    def emit(self, record: logging.LogRecord) -> None:
        level = record.levelname.lower()
        facts: dict[str, Any] = {"logger": record.name, "message": record.getMessage()}
        if record.exc_info and record.exc_info[1] is not None:
            facts["traceback"] = _cells.text_of(record.exc_info[1])
        self._log.write("log", level=level, **facts)

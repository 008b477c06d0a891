"""What one server allows: sizes, times and numbers, each an option of the command."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from dataclasses import dataclass
from typing import Any

_SWEEP_S = 0.05


@dataclass(frozen=True, kw_only=True, slots=True)
class Limits:
    """The limits of a server."""

    #: largest body of a request
    max_body_mib: float = 16.0
    #: from a request's first byte to its answer
    timeout_s: float = 30.0
    #: rows of one shared call of the model
    max_batch_rows: int = 256
    #: rows that may wait for the model in one worker; more are refused with 503
    max_waiting_rows: int = 50_000
    #: connections of one worker; more are refused with 503
    max_connections: int = 1000
    #: answering goes on that long after SIGTERM, while readiness already says no
    drain_s: float = 0.0

    @property
    def max_body_bytes(self) -> int:
        """Return the largest body in bytes."""
        return int(self.max_body_mib * 1024 * 1024)

    @property
    def stuck_s(self) -> float:
        """A call of the model that takes longer is given up, with its process."""
        return 10 * self.timeout_s


class Deadlines:
    """Ends what waits too long: one look every twentieth of a second, no timer a request."""

    def __init__(self, timeout_s: float) -> None:
        self._timeout_s = timeout_s
        self._loop = asyncio.get_running_loop()
        self._waiting: deque[tuple[float, asyncio.Future[Any]]] = deque()
        self._is_planned = False

    def watch(self, future: asyncio.Future[Any], started: float) -> None:
        """Let a future fail with :class:`TimeoutError` when its time is over.

        Parameters
        ----------
        future
            What is waited for.
        started
            When its request began, by the monotonic clock.
        """
        self._waiting.append((started + self._timeout_s, future))
        if not self._is_planned:
            self._is_planned = True
            self._loop.call_later(_SWEEP_S, self._sweep)

    def _sweep(self) -> None:
        now = time.monotonic()
        while self._waiting:
            deadline, future = self._waiting[0]
            if not future.done():
                if deadline > now:
                    break
                future.set_exception(TimeoutError())
            self._waiting.popleft()
        self._is_planned = bool(self._waiting)
        if self._is_planned:
            self._loop.call_later(_SWEEP_S, self._sweep)

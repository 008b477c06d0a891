"""Adaptive micro-batching: requests that arrive together are answered by one call.

Nothing ever waits for company. An idle model is called at once, with every request that the
event loop has already read; what arrives while a call runs forms the next one. Calls that
are expected to be short run in the event loop, long ones in one thread beside it. Either way
``predict`` is never called twice at the same time in one process.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from ..answering import _tables

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..answering._paths import Chosen
    from ._metrics import Metrics

#: a call that is expected to take longer leaves the event loop free
_IN_LOOP_S = 0.002


class BusyError(RuntimeError):
    """Too many rows wait already."""


class _Waiting:
    """One request's rows, and where its answer goes."""

    __slots__ = ("answer", "count", "rows")

    def __init__(self, rows: Any, count: int, answer: asyncio.Future[Any]) -> None:
        self.rows = rows
        self.count = count
        self.answer = answer


class Batcher:
    """The way of all requests of one process to its model.

    Parameters
    ----------
    chosen
        What answers, and whether rows of several requests may share a call.
    metrics
        Where calls are counted.
    max_rows : int, >= 1
        Rows of one shared call; a larger request has a call of its own.
    max_waiting_rows : int, >= 1
        Rows that may wait; more are refused.
    """

    def __init__(
        self, chosen: Chosen, *, metrics: Metrics, max_rows: int, max_waiting_rows: int
    ) -> None:
        self._chosen = chosen
        self._metrics = metrics
        self._max_rows = max_rows if chosen.is_by_row else 1
        self._max_waiting_rows = max_waiting_rows
        self._queue: deque[_Waiting] = deque()
        self._waiting_rows = 0
        self._is_planned = False
        self._is_running = False
        self._loop = asyncio.get_running_loop()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="predict")

    def ask(self, rows: Any, count: int) -> asyncio.Future[Any]:
        """Add a request; its future has the answer, or what ``predict`` raised.

        Raises
        ------
        BusyError
            If too many rows wait already.
        """
        if self._queue and self._waiting_rows + count > self._max_waiting_rows:
            raise BusyError(f"{self._waiting_rows} rows wait for the model already")
        future = self._loop.create_future()
        self._queue.append(_Waiting(rows, count, future))
        self._waiting_rows += count
        self._plan()
        return future

    def close(self) -> None:
        """End the thread."""
        self._thread.shutdown(wait=False, cancel_futures=True)

    def _plan(self) -> None:
        if not self._is_planned and not self._is_running and self._queue:
            self._is_planned = True
            # the requests that were read together are all added before this is called
            self._loop.call_soon(self._start)

    def _start(self) -> None:
        self._is_planned = False
        batch = self._next_batch()
        self._metrics.set("waiting_rows", self._waiting_rows)
        if not batch:
            return
        # read by the parent and by readiness: a call that never ends is noticed
        self._metrics.set("busy_since", time.monotonic())
        if self._chosen.expected_s(sum(item.count for item in batch)) <= _IN_LOOP_S:
            self._finish(batch, self._answers(batch))
            return
        self._is_running = True
        done = self._loop.run_in_executor(self._thread, self._answers, batch)
        done.add_done_callback(lambda future: self._after(batch, future))

    def _after(self, batch: Sequence[_Waiting], done: asyncio.Future[Any]) -> None:
        self._is_running = False
        if done.cancelled():
            return
        self._finish(batch, done.result())

    def _finish(self, batch: Sequence[_Waiting], answers: Sequence[Any]) -> None:
        self._metrics.set("busy_since", 0.0)
        for item, answer in zip(batch, answers, strict=True):
            if item.answer.done():  # its request ran out of time
                continue
            if isinstance(answer, Exception):
                item.answer.set_exception(answer)
            else:
                item.answer.set_result(answer)
        self._plan()

    def _next_batch(self) -> list[_Waiting]:
        batch: list[_Waiting] = []
        rows = 0
        while self._queue:
            item = self._queue[0]
            if batch and rows + item.count > self._max_rows:
                break
            self._queue.popleft()
            self._waiting_rows -= item.count
            if item.answer.done():
                continue
            batch.append(item)
            rows += item.count
        return batch

    def _answers(self, batch: Sequence[_Waiting]) -> list[Any]:
        """Answer a batch; a batch that fails is asked again one by one."""
        count = sum(item.count for item in batch)
        try:
            answer = self._call(_tables.join([item.rows for item in batch]), count)
            if len(batch) == 1:
                return [answer]
            if _tables.is_by_row(answer, count):
                return _parts(answer, batch)
        except (Exception, SystemExit) as error:  # noqa: BLE001  # the author's code
            if len(batch) == 1:
                return [_held(error)]
        return [self._alone(item) for item in batch]

    def _alone(self, item: _Waiting) -> Any:
        try:
            return self._call(item.rows, item.count)
        except (Exception, SystemExit) as error:  # noqa: BLE001  # the author's code
            return _held(error)

    def _call(self, rows: Any, count: int) -> Any:
        answer, is_fast = self._chosen.answer(rows)
        self._metrics.called(count, is_fast=is_fast)
        return answer


def _held(error: BaseException) -> Exception:
    """Return what a future can hold: neither the end of an iterator nor of the program."""
    if isinstance(error, Exception) and not isinstance(error, StopIteration):
        return error
    held = RuntimeError(f"{type(error).__name__}: {error}")
    return held.with_traceback(error.__traceback__)


def _parts(answer: Any, batch: Sequence[_Waiting]) -> list[Any]:
    parts, start = [], 0
    for item in batch:
        parts.append(_tables.cut(answer, start, start + item.count))
        start += item.count
    return parts

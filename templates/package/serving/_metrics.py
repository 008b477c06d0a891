"""Prometheus metrics of all workers, counted without locks and added up at a scrape.

Every worker has a row of numbers in memory that was shared before the fork, and writes to
its own row only. Whichever worker is scraped adds the rows. A worker that takes another's
place goes on with its row, so that counters never fall. (The client library's own way for
several processes writes files, which a read-only container has no place for.)
"""

from __future__ import annotations

import mmap
from bisect import bisect_left
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

#: what requests are counted by
ROUTES = ("predict", "infer", "other")
STATUSES = (200, 400, 404, 405, 408, 411, 413, 415, 422, 500, 503, 504)
#: upper bounds of the time of a request, in seconds
SECONDS = (
    0.0005,
    0.001,
    0.0025,
    0.005,
    0.01,
    0.025,
    0.05,
    0.1,
    0.25,
    0.5,
    1.0,
    2.5,
    5.0,
    10.0,
)
#: upper bounds of the rows of one call of the model
ROWS = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024)
_GAUGES = ("ready", "in_flight", "waiting_rows", "busy_since")
_COUNTERS = ("rows", "errors", "author_calls", "fast_calls")
_BYTES = 8


def _layout() -> tuple[dict[str, int], int]:
    places: dict[str, int] = {}
    place = 0
    names = [f"requests.{r}.{s}" for r in ROUTES for s in STATUSES]
    names += [*_GAUGES, *_COUNTERS]
    for name in names:
        places[name] = place
        place += 1
    for name, bounds in (
        ("seconds.predict", SECONDS),
        ("seconds.infer", SECONDS),
        ("batch", ROWS),
    ):
        places[name] = place
        place += len(bounds) + 2  # one above all bounds, and the sum
    return places, place


_PLACES, _WIDTH = _layout()


class Metrics:
    """The numbers of all workers, and the row of this one."""

    def __init__(self, workers: int) -> None:
        self._memory = mmap.mmap(-1, workers * _WIDTH * _BYTES)
        self._all = memoryview(self._memory).cast("d")
        self._workers = workers
        self._start = 0

    def take(self, worker: int) -> None:
        """Write to the row of that worker from now on; its gauges begin at zero."""
        self._start = worker * _WIDTH
        self.clear(worker)

    def clear(self, worker: int) -> None:
        """Say that a worker does nothing any more."""
        for name in _GAUGES:
            self._all[worker * _WIDTH + _PLACES[name]] = 0.0

    def set(self, name: str, value: float) -> None:
        """Set a gauge of this worker."""
        self._all[self._start + _PLACES[name]] = value

    def add(self, name: str, value: float = 1.0) -> None:
        """Add to a counter or gauge of this worker."""
        self._all[self._start + _PLACES[name]] += value

    def answered(self, route: str, status: int, seconds: float) -> None:
        """Count one request."""
        known = status if status in STATUSES else 500
        self._all[self._start + _PLACES[f"requests.{route}.{known}"]] += 1.0
        if route != "other":
            self._observe(f"seconds.{route}", SECONDS, seconds)

    def called(self, rows: int, *, is_fast: bool) -> None:
        """Count one call of the model."""
        self.add("fast_calls" if is_fast else "author_calls")
        self.add("rows", rows)
        self._observe("batch", ROWS, rows)

    def of_worker(self, name: str, worker: int) -> float:
        """Read a number of one worker."""
        return float(self._all[worker * _WIDTH + _PLACES[name]])

    def total(self, name: str) -> float:
        """Add a number of all workers."""
        return self._sum(_PLACES[name])

    def are_all_ready(self) -> bool:
        """Return whether every worker has passed its golden cases."""
        return all(self.of_worker("ready", w) == 1.0 for w in range(self._workers))

    def is_stuck(self, now: float, limit_s: float) -> bool:
        """Return whether a worker has been in one call for longer than that."""
        return any(self.busy_s(w, now) > limit_s for w in range(self._workers))

    def busy_s(self, worker: int, now: float) -> float:
        """Return for how long a worker has been in one call."""
        since = self.of_worker("busy_since", worker)
        return now - since if since else 0.0

    def text(self, *, model: str, version: str) -> str:
        """Write the exposition format."""
        return "\n".join([*self._lines(model, version), ""])

    def _observe(self, name: str, bounds: tuple[float, ...], value: float) -> None:
        start = self._start + _PLACES[name]
        self._all[start + bisect_left(bounds, value)] += 1.0
        self._all[start + len(bounds) + 1] += value

    def _sum(self, place: int) -> float:
        return float(sum(self._all[w * _WIDTH + place] for w in range(self._workers)))

    def _lines(self, model: str, version: str) -> Iterator[str]:
        yield from _head("model_info", "gauge", "Which model this is.")
        yield f'model_info{{model="{_quoted(model)}",version="{_quoted(version)}"}} 1'
        yield from _head("model_requests_total", "counter", "Answered requests.")
        for route in ROUTES:
            for status in STATUSES:
                value = self.total(f"requests.{route}.{status}")
                if value or status == STATUSES[0]:
                    labels = f'route="{route}",status="{status}"'
                    yield f"model_requests_total{{{labels}}} {value:.0f}"
        for name, kind, about in _PLAIN:
            exposed = f"model_{name}_total" if kind == "counter" else f"model_{name}"
            yield from _head(exposed, kind, about)
            yield f"{exposed} {self.total(name):.0f}"
        yield from _head("model_workers", "gauge", "Processes that answer.")
        yield f"model_workers {self._workers}"
        about = "Time from a request's first byte to its answer."
        yield from _head("model_request_seconds", "histogram", about)
        for route in ROUTES[:2]:
            yield from self._histogram(
                "model_request_seconds", f"seconds.{route}", SECONDS, f'route="{route}"'
            )
        yield from _head("model_batch_rows", "histogram", "Rows in one call.")
        yield from self._histogram("model_batch_rows", "batch", ROWS, "")

    def _histogram(
        self, exposed: str, name: str, bounds: tuple[float, ...], labels: str
    ) -> Iterator[str]:
        count, comma = 0.0, "," if labels else ""
        for offset, bound in enumerate((*bounds, "+Inf")):
            count += self._sum(_PLACES[name] + offset)
            yield f'{exposed}_bucket{{{labels}{comma}le="{bound}"}} {count:.0f}'
        shown = f"{{{labels}}}" if labels else ""
        yield f"{exposed}_sum{shown} {self._sum(_PLACES[name] + len(bounds) + 1):.9g}"
        yield f"{exposed}_count{shown} {count:.0f}"


_PLAIN = (
    ("ready", "gauge", "Workers whose golden cases passed."),
    ("in_flight", "gauge", "Requests that wait for their answer."),
    ("waiting_rows", "gauge", "Rows that wait for the model."),
    ("rows", "counter", "Rows that were answered."),
    ("errors", "counter", "Requests that the author's code refused."),
    ("author_calls", "counter", "Calls of the author's function."),
    ("fast_calls", "counter", "Calls of the estimator's compiled routines."),
)


def _head(name: str, kind: str, about: str) -> Iterator[str]:
    yield f"# HELP {name} {about}"
    yield f"# TYPE {name} {kind}"


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")

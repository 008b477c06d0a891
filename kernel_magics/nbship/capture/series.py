"""The course of metrics, thinned for a small picture."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nbship.records.run import Metric

_LIMIT_POINTS = 200

Point = tuple[float, float]


class MetricSeries:
    """Points of each metric: ``(step, value)``, at most 200 and always the last one.

    When a series is full every second point goes and the distance between those that are
    kept doubles, so that a long run costs no more than a short one.
    """

    def __init__(self) -> None:
        self._points: dict[str, list[Point]] = {}
        self._strides: dict[str, int] = {}
        self._counts: dict[str, int] = {}
        self._last: dict[str, Point] = {}

    @classmethod
    def of(cls, metrics: Iterable[Metric]) -> MetricSeries:
        """Make the series of a folded run."""
        series = cls()
        for metric in metrics:
            series.add(metric.name, metric.value, step=metric.step)
        return series

    def add(self, name: str, value: float, *, step: int | None = None) -> None:
        """Take one metric; without a step it is counted on."""
        count = self._counts.get(name, 0)
        self._counts[name] = count + 1
        point = (float(count if step is None else step), float(value))
        self._last[name] = point
        points = self._points.setdefault(name, [])
        stride = self._strides.setdefault(name, 1)
        if count % stride == 0:
            points.append(point)
        if len(points) > _LIMIT_POINTS:
            del points[1::2]
            self._strides[name] = stride * 2

    def points(self, name: str) -> list[Point]:
        """Return the finite points of one metric, oldest first."""
        points = [*self._points.get(name, [])]
        if name in self._last and (not points or points[-1] != self._last[name]):
            points.append(self._last[name])
        return [p for p in points if math.isfinite(p[1])]

    @property
    def last(self) -> dict[str, float]:
        """The last value of each metric, in the order of their first."""
        return {name: point[1] for name, point in self._last.items()}

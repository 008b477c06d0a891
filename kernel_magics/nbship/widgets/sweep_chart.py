"""The plot of a sweep as SVG: a metric over one parameter, or parallel coordinates over several.

Colours are classes, so that the page around it decides between light and dark.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any

from nbship.records.job import JobStatus

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from nbship.records.domains import Domain
    from nbship.records.sweep import SweepResults, SweepRow

_WIDTH, _HEIGHT = 760, 280
_LEFT, _RIGHT, _TOP, _BOTTOM = 64, 64, 34, 42
#: listed values that get a tick each
_TICKS = 8
#: a positive axis whose ends differ by this factor is drawn in equal ratios
_LOG_RATIO = 50
_SHADES = 5
#: spreads whole numbers evenly between 0 and 1
_GOLDEN = (math.sqrt(5) - 1) / 2
_SPREAD = 11.0
_LABEL_LETTERS = 14


@dataclass(frozen=True, kw_only=True, slots=True)
class Axis:
    """Where values lie between 0 and 1."""

    name: str
    #: values in their order, of an axis without numbers
    values: tuple[Any, ...] = ()
    low: float = 0.0
    high: float = 1.0
    is_log: bool = False
    ticks: tuple[Any, ...] = ()

    def place(self, value: Any) -> float | None:  # noqa: ANN401  # a JSON value
        """Return the share of a value; None where it has no place."""
        if self.values:
            if value not in self.values:
                return None
            return _share(self.values.index(value), 0, len(self.values) - 1)
        if not _is_number(value):
            return None
        if self.is_log:
            return _share(math.log(value), math.log(self.low), math.log(self.high))
        return _share(value, self.low, self.high)


def sweep_chart(results: SweepResults) -> str:
    """Draw the jobs of a sweep; "" where there is nothing to compare yet."""
    rows = [row for row in results.rows if _value(row, results.metric) is not None]
    if not rows:
        return ""
    axes = [_axis(domain, results.rows) for domain in results.sweep.space]
    values = [v for row in rows if (v := _value(row, results.metric)) is not None]
    metric = _metric_axis(results.metric, values)
    draw = _scatter if len(axes) == 1 else _parallel
    body = "".join(draw(results, [*axes, metric]))
    label = (
        f"{results.metric} of {len(rows)} jobs over {', '.join(a.name for a in axes)}"
    )
    return (
        f"<svg class='sw-chart' role='img' aria-label='{escape(label, quote=True)}' "
        f"viewBox='0 0 {_WIDTH} {_HEIGHT}' xmlns='http://www.w3.org/2000/svg'>{body}</svg>"
    )


def number_text(value: Any) -> str:  # noqa: ANN401  # a JSON value
    """Write a value as briefly as people read it."""
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def row_text(row: SweepRow, metric: str) -> str:
    """Describe a job in one line."""
    values = ", ".join(f"{name}={number_text(v)}" for name, v in row.values.items())
    value = _value(row, metric)
    said = row.status if value is None else f"{metric} {number_text(value)}"
    pruned = " (pruned)" if row.status == JobStatus.PRUNED.value else ""
    return f"{row.number}: {values} — {said}{pruned}"


def _value(row: SweepRow, metric: str) -> float | None:
    """Return the metric of a job that succeeded or was pruned."""
    value = row.metrics.get(metric)
    is_told = row.status in {JobStatus.SUCCEEDED.value, JobStatus.PRUNED.value}
    return value if is_told and value is not None and math.isfinite(value) else None


def _axis(domain: Domain, rows: Sequence[SweepRow]) -> Axis:
    used = [row.values[domain.name] for row in rows if domain.name in row.values]
    listed = list(domain.values) or used
    if not all(_is_number(value) for value in listed):
        values = tuple({repr(value): value for value in listed}.values())
        return Axis(name=domain.name, values=values, ticks=values)
    ends = [domain.low, domain.high] if domain.is_range else []
    numbers = [*(end for end in ends if end is not None), *listed]
    low, high = min(numbers), max(numbers)
    is_log = low > 0 and (domain.is_log or high / low >= _LOG_RATIO)
    few = tuple(sorted(set(domain.values)))
    ticks = few if 0 < len(few) <= _TICKS else _ticks(low, high, is_log=is_log)
    return Axis(name=domain.name, low=low, high=high, is_log=is_log, ticks=ticks)


def _metric_axis(name: str, numbers: Sequence[float]) -> Axis:
    room = 0.04 * (max(numbers) - min(numbers))
    low, high = min(numbers) - room, max(numbers) + room
    return Axis(name=name, low=low, high=high, ticks=_ticks(low, high, is_log=False))


def _ticks(low: float, high: float, *, is_log: bool) -> tuple[float, ...]:
    """Choose round numbers between two ends: powers of ten, or steps of 1, 2 or 5."""
    if is_log:
        powers = range(math.ceil(math.log10(low)), math.floor(math.log10(high)) + 1)
        found = [10.0**power for power in powers]
        return tuple(found[:: 1 + len(found) // _TICKS]) or (low, high)
    if high == low:
        return (low,)
    rough = (high - low) / 4
    unit = 10.0 ** math.floor(math.log10(rough))
    step = next(unit * k for k in (1, 2, 5, 10) if unit * k >= rough)
    first = math.ceil(low / step)
    count = math.floor(high / step) - first + 1
    return tuple(float(f"{(first + i) * step:.12g}") for i in range(count))


def _is_number(value: Any) -> bool:  # noqa: ANN401
    return type(value) in {int, float} and math.isfinite(value)


def _share(value: float, low: float, high: float) -> float:
    return 0.5 if high == low else (value - low) / (high - low)


def _x(share: float) -> float:
    return _LEFT + share * (_WIDTH - _LEFT - _RIGHT)


def _y(share: float) -> float:
    return _HEIGHT - _BOTTOM - share * (_HEIGHT - _TOP - _BOTTOM)


def _parallel(results: SweepResults, axes: Sequence[Axis]) -> Iterator[str]:
    places = [_x(_share(i, 0, len(axes) - 1)) for i in range(len(axes))]
    for row in _in_drawing_order(results):
        value = _value(row, results.metric)
        told = [*(row.values.get(axis.name) for axis in axes[:-1]), value]
        points = [
            (x, _y(share) + (_aside(row) if axis is not axes[-1] else 0))
            for x, axis, item in zip(places, axes, told, strict=True)
            if (share := axis.place(item)) is not None
        ]
        yield (
            f"<path class='{_classes(row, results)}' data-row='{row.number}' "
            f"d='{_curve(points)}'>{_title(row, results)}</path>"
        )
    for number, (x, axis) in enumerate(zip(places, axes, strict=True)):
        is_last = number == len(axes) - 1
        yield from _upright(axis, x, is_last=is_last)


def _aside(row: SweepRow) -> float:
    """Move a line up or down a little, so that lines through one value do not hide each other."""
    return ((row.number * _GOLDEN) % 1 - 0.5) * _SPREAD


def _curve(points: Sequence[tuple[float, float]]) -> str:
    """Join points by curves that leave and meet each axis at a right angle."""
    parts = [f"M{points[0][0]:.1f},{points[0][1]:.1f}"] if points else []
    for (x0, y0), (x1, y1) in itertools.pairwise(points):
        middle = (x0 + x1) / 2
        parts.append(f"C{middle:.1f},{y0:.1f} {middle:.1f},{y1:.1f} {x1:.1f},{y1:.1f}")
    return " ".join(parts)


def _upright(axis: Axis, x: float, *, is_last: bool) -> Iterator[str]:
    name = "sw-axis sw-metric" if is_last else "sw-axis"
    yield f"<line class='{name}' x1='{x:.1f}' x2='{x:.1f}' y1='{_y(0):.1f}' y2='{_y(1):.1f}'/>"
    yield _label(axis.name, x, _TOP - 16, "middle", "sw-name")
    side, anchor = (7, "start") if is_last else (-7, "end")
    for tick in axis.ticks:
        y = _y(axis.place(tick) or 0.0)
        yield f"<line class='sw-tick' x1='{x - 3:.1f}' x2='{x + 3:.1f}' y1='{y:.1f}' y2='{y:.1f}'/>"
        yield _label(number_text(tick), x + side, y + 4, anchor, "sw-mark")


def _scatter(results: SweepResults, axes: Sequence[Axis]) -> Iterator[str]:
    across, up = axes
    yield from _frame(across, up)
    yield from _trend(results, across, up)
    for row in _in_drawing_order(results):
        share = across.place(row.values.get(across.name))
        if share is None:
            continue
        height = up.place(_value(row, results.metric))
        x, classes = _x(share), _classes(row, results)
        if height is None:
            y = _y(0)
            shape = f"M{x - 5:.1f},{y - 5:.1f}l10,10m0,-10l-10,10"
            yield f"<path class='{classes} sw-cross' data-row='{row.number}' d='{shape}'>"
            yield f"{_title(row, results)}</path>"
        else:
            radius = 7 if row.number == results.best else 5
            yield f"<circle class='{classes}' data-row='{row.number}' cx='{x:.1f}' "
            yield f"cy='{_y(height):.1f}' r='{radius}'>{_title(row, results)}</circle>"


def _frame(across: Axis, up: Axis) -> Iterator[str]:
    for tick in up.ticks:
        y = _y(up.place(tick) or 0.0)
        yield f"<line class='sw-grid' x1='{_x(0) - 16:.1f}' x2='{_x(1) + 16:.1f}' y1='{y:.1f}' y2='{y:.1f}'/>"
        yield _label(number_text(tick), _x(0) - 22, y + 4, "end", "sw-mark")
    yield _label(up.name, _x(0) - 22, _TOP - 16, "start", "sw-name")
    for tick in across.ticks:
        x = _x(across.place(tick) or 0.0)
        yield _label(number_text(tick), x, _HEIGHT - 22, "middle", "sw-mark")
    yield _label(across.name, _x(0.5), _HEIGHT - 4, "middle", "sw-name")


def _trend(results: SweepResults, across: Axis, up: Axis) -> Iterator[str]:
    """Join the jobs that succeeded, where one number was swept."""
    if across.values:
        return
    places = sorted(
        (_x(x), _y(y))
        for row in results.rows
        if row.status == JobStatus.SUCCEEDED.value
        and (x := across.place(row.values.get(across.name))) is not None
        and (y := up.place(_value(row, results.metric))) is not None
    )
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
    yield f"<polyline class='sw-trend' points='{path}'/>" if path else ""


def _in_drawing_order(results: SweepResults) -> list[SweepRow]:
    """Put what matters on top: the best job last."""

    def weight(row: SweepRow) -> tuple[bool, bool]:
        return row.number == results.best, _value(row, results.metric) is not None

    return sorted(results.rows, key=weight)


def _classes(row: SweepRow, results: SweepResults) -> str:
    if row.number == results.best:
        return "sw-job sw-best"
    if row.status != JobStatus.SUCCEEDED.value:
        return f"sw-job sw-{row.status}"
    return f"sw-job sw-shade{_shade(row, results)}"


def _shade(row: SweepRow, results: SweepResults) -> int:
    """Return how good a job is among those that can be compared: 1 to 5."""
    values = [v for r in results.rows if (v := _value(r, results.metric)) is not None]
    value = _value(row, results.metric)
    if value is None or not results.direction:
        return _SHADES
    share = _share(value, min(values), max(values))
    share = 1 - share if results.direction == "minimize" else share
    return 1 + min(_SHADES - 1, int(share * _SHADES))


def _title(row: SweepRow, results: SweepResults) -> str:
    return f"<title>{escape(row_text(row, results.metric))}</title>"


def _label(text: str, x: float, y: float, anchor: str, name: str) -> str:
    short = text if len(text) <= _LABEL_LETTERS else f"{text[: _LABEL_LETTERS - 1]}…"
    return (
        f"<text class='{name}' x='{x:.1f}' y='{y:.1f}' text-anchor='{anchor}'>"
        f"{escape(short)}</text>"
    )

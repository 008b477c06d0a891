"""The run's state as static HTML: what reports, viewers without widgets and exports show."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

_WIDTH, _HEIGHT, _PAD = 240, 48, 4
_STYLE = "font-family:var(--jp-ui-font-family,sans-serif);font-size:var(--jp-ui-font-size1,13px)"


def run_html(
    rows: Sequence[tuple[str, str]],
    series: Sequence[tuple[str, Sequence[tuple[float, float]]]],
) -> str:
    """Write rows of facts and the line of each metric as HTML.

    Parameters
    ----------
    rows
        Pairs of a name and a text.
    series
        Pairs of a metric's name and its points.
    """
    facts = "".join(
        f"<tr><th scope='row' style='text-align:left'>{escape(name)}</th>"
        f"<td style='text-align:left'>{escape(text)}</td></tr>"
        for name, text in rows
    )
    lines = "".join(_figure(name, points) for name, points in series if points)
    return (
        f"<div class='nbship-run' style='{_STYLE}'><table>{facts}</table>{lines}</div>"
    )


def _figure(name: str, points: Sequence[tuple[float, float]]) -> str:
    label = escape(metric_label(name, points), quote=True)
    return (
        "<figure style='display:inline-block;margin:4px 12px 4px 0'>"
        f"<svg role='img' aria-label='{label}' width='{_WIDTH}' height='{_HEIGHT}' "
        f"viewBox='0 0 {_WIDTH} {_HEIGHT}'>{_line(points)}</svg>"
        f"<figcaption>{escape(name)} {points[-1][1]:.6g}</figcaption></figure>"
    )


def metric_label(name: str, points: Sequence[tuple[float, float]]) -> str:
    """Describe a metric's line in words."""
    first, last = points[0][1], points[-1][1]
    if len(points) == 1:
        return f"{name}: {last:.6g}"
    return f"{name}: from {first:.6g} to {last:.6g} in {len(points)} points"


def _line(points: Sequence[tuple[float, float]]) -> str:
    places = [_place(point, points) for point in points]
    color = "var(--jp-brand-color1,#1976d2)"
    if len(places) == 1:
        x, y = places[0]
        return f"<circle cx='{x:.1f}' cy='{y:.1f}' r='3' fill='{color}'/>"
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
    return (
        f"<polyline points='{path}' fill='none' stroke='{color}' stroke-width='1.5'/>"
    )


def _place(
    point: tuple[float, float], points: Sequence[tuple[float, float]]
) -> tuple[float, float]:
    steps, values = [p[0] for p in points], [p[1] for p in points]
    x = _share(point[0], min(steps), max(steps))
    y = 1 - _share(point[1], min(values), max(values))
    return _PAD + x * (_WIDTH - 2 * _PAD), _PAD + y * (_HEIGHT - 2 * _PAD)


def _share(value: float, low: float, high: float) -> float:
    return 0.5 if high == low else (value - low) / (high - low)

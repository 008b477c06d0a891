"""A comparison for people: the verdict, every cell that is not identical, both snippets."""

from __future__ import annotations

import html
from collections import Counter
from typing import TYPE_CHECKING

from nbship.records.comparison import (
    DIVERGED,
    CellVerdict,
    Comparison,
    ComparisonVerdict,
)
from nbship.vetting.words import safe_words

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nbship.records.comparison import CellComparison, Difference, MetricComparison

_SHOWN = 3
_HEAD = ("cell", "verdict", "first line")


def headline(comparison: Comparison) -> str:
    """Say in one line what came of it."""
    verdict = comparison.verdict
    if verdict is ComparisonVerdict.INPUT_CHANGED:
        return f"input changed: {', '.join(comparison.changed_inputs)}"
    counts = Counter(cell.verdict for cell in comparison.cells)
    counted = ", ".join(f"{counts[v]} {v.value}" for v in CellVerdict if counts[v])
    where = ""
    if verdict is ComparisonVerdict.DIVERGED:
        first = comparison.diverged_at
        where = f" at cell {first.number}" if first else " in a metric"
    return f"{verdict.value}{where} ({counted or 'no code cells'})"


def comparison_text(comparison: Comparison) -> str:
    """Write a comparison for a terminal."""
    lines = [f"{comparison.job_id} rerun: {headline(comparison)}"]
    for cell in comparison.cells:
        lines += _cell(cell)
    lines += [
        f"  metric {safe_words(m.name)}: {m.verdict.value}, {_values(m)}"
        for m in comparison.metrics
    ]
    lines += [f"  note: {safe_words(note)}" for note in comparison.notes]
    if comparison.runs:
        times = ", ".join(
            f"{run.duration_s:.1f} s"
            + (f" (hash seed {run.hash_seed})" * bool(run.hash_seed))
            for run in comparison.runs
        )
        lines.append(f"  runs in the {comparison.environment} environment: {times}")
    return "\n".join(lines)


def comparison_html(comparison: Comparison) -> str:
    """Write a comparison as a table; everything that came from a notebook is escaped."""
    rows = "".join(
        f"<tr><td>{cell.number}</td><td>{cell.verdict.value}</td>"
        f"<td><code>{html.escape(safe_words(cell.title))}</code>{_details(cell)}</td></tr>"
        for cell in comparison.cells
    )
    metrics = "".join(
        f"<tr><td>metric</td><td>{m.verdict.value}</td>"
        f"<td>{html.escape(safe_words(m.name))}: {html.escape(_values(m))}</td></tr>"
        for m in comparison.metrics
    )
    head = "".join(f'<th scope="col">{name}</th>' for name in _HEAD)
    caption = (
        f"{comparison.job_id} rerun: {html.escape(safe_words(headline(comparison)))}"
    )
    return (
        f"<table><caption>{caption}</caption><thead><tr>{head}</tr></thead>"
        f"<tbody>{rows}{metrics}</tbody></table>"
    )


def _cell(cell: CellComparison) -> Iterator[str]:
    if cell.verdict is CellVerdict.IDENTICAL and not cell.noise:
        return
    yield f"  cell {cell.number}  {cell.verdict.value}  {safe_words(cell.title)[:60]}"
    if cell.verdict is CellVerdict.IDENTICAL:
        yield f"    reruns differ in {len(cell.noise)} places: {cell.noise[0]}"
    for difference in cell.differences[:_SHOWN]:
        yield from _difference(difference, is_long=difference.verdict in DIVERGED)


def _difference(difference: Difference, *, is_long: bool) -> Iterator[str]:
    detail = f": {difference.detail}" if difference.detail else ""
    yield f"    {difference.place}, {difference.rule}{safe_words(detail)}"
    if is_long or difference.verdict is CellVerdict.NOT_VERIFIABLE:
        if difference.published:
            yield f"      published  {safe_words(difference.published)}"
        if difference.rerun:
            yield f"      rerun      {safe_words(difference.rerun)}"


def _details(cell: CellComparison) -> str:
    if not cell.differences:
        return ""
    lines = (
        html.escape(line)
        for difference in cell.differences[:_SHOWN]
        for line in _difference(difference, is_long=True)
    )
    text = "&#10;".join(lines)
    return f"<pre>{text}</pre>"


def _values(metric: MetricComparison) -> str:
    shown = [
        "none" if v is None else f"{v:g}" for v in (metric.published, metric.rerun)
    ]
    if metric.published == metric.rerun:
        return f"{shown[0]}{'; ' + metric.detail if metric.detail else ''}"
    return f"{shown[0]} -> {shown[1]}{'; ' + metric.detail if metric.detail else ''}"

"""The results of a sweep as static HTML: in notebooks, and as a page of its own."""

from __future__ import annotations

from collections import Counter
from functools import cache
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from nbship.records.job import JobStatus
from nbship.widgets.sweep_chart import number_text, sweep_chart
from nbship.workflow.sweep_results import WAITING, ranked_rows

if TYPE_CHECKING:
    from collections.abc import Callable

    from nbship.records.sweep import SweepResults, SweepRow

#: metrics beside the compared one that get a column
_OTHERS = 3
_LEGEND = {
    JobStatus.PRUNED.value: "pruned: ended early",
    JobStatus.FAILED.value: "failed",
    JobStatus.KILLED.value: "killed",
    JobStatus.INTERRUPTED.value: "interrupted",
}


def sweep_html(results: SweepResults, *, link: Callable[[SweepRow], str]) -> str:
    """Write plot and table.

    Parameters
    ----------
    results
        The jobs side by side.
    link
        Returns the address of a row's executed notebook; "" where it has none.
    """
    parts = (
        f"<style>{style()}</style>",
        _head(results),
        sweep_chart(results),
        _legend(results),
        _table(results, link),
        _sharing(results),
    )
    return f"<div class='nbship-sweep'>{''.join(parts)}</div>"


def sweep_page(results: SweepResults, *, link: Callable[[SweepRow], str]) -> str:
    """Write a page that needs nothing beside itself and runs no script."""
    title = escape(f"Sweep of {results.sweep.notebook}")
    body = sweep_html(results, link=link)
    return (
        "<!doctype html>\n<html lang='en' class='nbship-sweep-page'><head>"
        "<meta charset='utf-8'>"
        "<meta name='viewport' content='width=device-width, initial-scale=1'>"
        f"<title>{title}</title></head><body><main>{body}</main></body></html>\n"
    )


@cache
def style() -> str:
    """Return the style sheet of table and plot."""
    return (Path(__file__).parent / "sweep_view.css").read_text("utf-8")


def summary(results: SweepResults) -> str:
    """Say in one line how the jobs stand, and what the best one has."""
    counts = Counter(row.status for row in results.rows)
    said = ", ".join(f"{count} {status}" for status, count in counts.items())
    jobs = f"{len(results.rows)} job{'' if len(results.rows) == 1 else 's'}"
    return f"{jobs}: {said}" if said else jobs


def best_text(results: SweepResults) -> str:
    """Say which job is best; "" where none is."""
    for row in results.rows:
        if row.number == results.best:
            values = ", ".join(f"{n}={number_text(v)}" for n, v in row.values.items())
            value = number_text(row.metrics[results.metric])
            return f"{results.metric} {value} with {values}"
    return ""


def _head(results: SweepResults) -> str:
    sweep = results.sweep
    how = f"{sweep.sampler.value}, seed {sweep.seed}"
    best = best_text(results)
    line = f"<p class='sw-line'>{escape(sweep.id)} · {escape(how if sweep.samples else sweep.sampler.value)} · {escape(summary(results))}</p>"
    told = f"<p class='sw-line sw-told'><b>Best</b> {escape(best)}</p>" if best else ""
    return f"<h1>Sweep of {escape(sweep.notebook)}</h1>{line}{told}"


def _legend(results: SweepResults) -> str:
    statuses = {row.status for row in results.rows}
    items = [("sw-best", "best")] if results.best is not None else []
    items += [(f"sw-{s}", text) for s, text in _LEGEND.items() if s in statuses]
    if not items:
        return ""
    spans = "".join(
        f"<span><i class='sw-swatch {name}'></i>{escape(text)}</span>"
        for name, text in items
    )
    return f"<p class='sw-legend'>{spans}</p>"


def _table(results: SweepResults, link: Callable[[SweepRow], str]) -> str:
    names = [domain.name for domain in results.sweep.space]
    metrics = _metrics(results)
    head = "".join(f"<th scope='col'>{escape(name)}</th>" for name in ("#", *names))
    for metric in metrics:
        name = "sw-metric" if metric == results.metric else ""
        head += f"<th scope='col' class='sw-number {name}'>{escape(metric)}</th>"
    head += "".join(
        f"<th scope='col'>{name}</th>" for name in ("status", "took", "notebook")
    )
    body = "".join(
        _row(row, names, metrics, results=results, address=link(row))
        for row in ranked_rows(results)
    )
    return (
        "<div class='sw-scroll'><table><thead><tr>"
        f"{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def _metrics(results: SweepResults) -> list[str]:
    names = {name: None for row in results.rows for name in row.metrics}
    others = [name for name in names if name != results.metric][:_OTHERS]
    return [*([results.metric] if results.metric else []), *others]


def _row(
    row: SweepRow,
    names: list[str],
    metrics: list[str],
    *,
    results: SweepResults,
    address: str,
) -> str:
    is_best = row.number == results.best
    star = "<span class='sw-star' title='best'>★</span>" if is_best else ""
    cells = [f"<th scope='row'>{row.number}{star}</th>"]
    cells += [
        f"<td>{escape(number_text(row.values.get(name, '')))}</td>" for name in names
    ]
    for metric in metrics:
        value = row.metrics.get(metric)
        text = "" if value is None else number_text(float(value))
        cells.append(f"<td class='sw-number'>{escape(text)}</td>")
    cells += [
        _status_cell(row),
        f"<td class='sw-whole'>{_took(row)}</td>",
        _notebook(row, address),
    ]
    kind = "sw-best" if is_best else f"sw-is-{row.status}"
    return f"<tr class='{kind}' data-row='{row.number}'>{''.join(cells)}</tr>"


def _status_cell(row: SweepRow) -> str:
    text = "reused" if row.is_reused else row.status
    cause = f"<div class='sw-cause'>{escape(row.cause)}</div>" if row.cause else ""
    return (
        f"<td><span class='sw-badge sw-{row.status}'>{escape(text)}</span>{cause}</td>"
    )


def _took(row: SweepRow) -> str:
    return "" if row.duration_s is None else f"{row.duration_s:.1f} s"


def _notebook(row: SweepRow, address: str) -> str:
    if not row.executed:
        text = "" if row.status == WAITING else escape(row.job_id)
        return f"<td class='sw-whole'>{text}</td>"
    name = escape(row.job_id)
    place = escape(row.executed, quote=True)
    if not address:
        return f"<td class='sw-whole'><span title='{place}'>{name}</span></td>"
    return f"<td class='sw-whole'><a href='{quote(address)}' title='{place}'>{name}</a></td>"


def _sharing(results: SweepResults) -> str:
    shared = {row.shared_cells for row in results.rows if row.shared_cells}
    if not shared:
        return ""
    cells = max(shared, key=len)
    return (
        f"<p class='sw-line'>{len(cells)} leading cells were executed once for these jobs"
        f" ({escape(', '.join(cells))}); {escape(results.sweep.sharing_ends)}.</p>"
    )

"""A tree of notebooks as Markdown, for the page of a CI run, and as text for its log."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

from nbship.records.ci import CiStatus
from nbship.vetting.verdict import is_blocking
from nbship.vetting.words import clean_text, printable, safe_words

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nbship.records.ci import CiCell, CiNotebook, CiReport

_MESSAGE_LINES = 30
_TICKS = re.compile(r"`+")
_ESCAPED = str.maketrans({c: f"\\{c}" for c in "\\`*_[]<>|#"})


def ci_markdown(report: CiReport) -> str:
    """Write the summary: one row a notebook, then what is in the way of each."""
    part = f" (part {report.shard})" if report.shard else ""
    lines = [
        f"## Notebooks{part}: {'passed' if report.passed else 'not passed'}",
        "",
        f"{_counts(report)} in {_seconds(report):.1f} s.",
        "",
    ]
    if report.notebooks:
        lines += ["| | notebook | cells | time | metrics |", "|---|---|---|---|---|"]
        lines += [_row(notebook) for notebook in report.notebooks]
    for notebook in report.notebooks:
        lines += _details(notebook)
    return "\n".join(lines) + "\n"


def ci_text(report: CiReport) -> str:
    """Write the summary for a terminal."""
    rows = []
    for notebook in report.notebooks:
        word = "unchanged" if notebook.is_unchanged else notebook.status.value
        if notebook.is_unchanged and notebook.status is not CiStatus.PASSED:
            word = f"{notebook.status.value}, unchanged"
        rows.append(f"{word:<10} {printable(notebook.path)} ({_time(notebook)})")
        rows += [f"  {text}" for text in _objections(notebook)]
    return "\n".join([*rows, f"{_counts(report)} in {_seconds(report):.1f} s"])


def _counts(report: CiReport) -> str:
    counts = Counter(notebook.status.value for notebook in report.notebooks)
    unchanged = sum(notebook.is_unchanged for notebook in report.notebooks)
    parts = [f"{count} {word}" for word, count in counts.items()]
    parts += [f"{unchanged} unchanged"] if unchanged else []
    total = len(report.notebooks)
    noun = "notebook" if total == 1 else "notebooks"
    return f"{total} {noun}: {', '.join(parts)}" if parts else "no notebooks"


def _seconds(report: CiReport) -> float:
    return (report.ended_at - report.began_at).total_seconds()


def _time(notebook: CiNotebook) -> str:
    return f"{notebook.duration_s:.1f} s"


def _row(notebook: CiNotebook) -> str:
    ran = sum(cell.status is not CiStatus.SKIPPED for cell in notebook.cells)
    metrics = ", ".join(f"{n} = {v:.6g}" for n, v in notebook.metrics.items())
    word = (
        notebook.status.value
        if notebook.status is CiStatus.PASSED
        else f"**{notebook.status.value}**"
    )
    word += " (unchanged)" if notebook.is_unchanged else ""
    cells = f"{ran}/{len(notebook.cells)}"
    fields = (word, _escaped(notebook.path), cells, _time(notebook), _escaped(metrics))
    return f"| {' | '.join(fields)} |"


def _details(notebook: CiNotebook) -> Iterator[str]:
    objections = list(_objections(notebook))
    if not objections:
        return
    yield from ("", f"### {_escaped(notebook.path)}", "")
    yield from (f"- {_escaped(text)}" for text in objections)
    for cell in notebook.cells:
        if cell.status is CiStatus.FAILED:
            yield from _failed_cell(cell)


def _failed_cell(cell: CiCell) -> Iterator[str]:
    lines = clean_text(cell.message).splitlines()[-_MESSAGE_LINES:]
    runs = (len(run) for line in lines for run in _TICKS.findall(line))
    fence = "`" * max(3, 1 + max(runs, default=0))
    title = _escaped(f"cell {cell.number}: {cell.title}")
    yield from ("", f"<details><summary>{title}</summary>", "", f"{fence}text")
    yield from lines
    yield from (fence, "", "</details>")


def _objections(notebook: CiNotebook) -> Iterator[str]:
    numbers = {cell.id: cell.number for cell in notebook.cells}
    if notebook.cause:
        yield safe_words(f"{notebook.cause.partition(chr(10))[0]} {notebook.hint}")
    for finding in notebook.findings:
        if is_blocking(finding):
            number = numbers.get(finding.cell_id or "")
            where = f", cell {number}" if number else ""
            yield safe_words(f"{finding.code}{where}: {finding.message} {finding.fix}")


def _escaped(text: str) -> str:
    return printable(text).translate(_ESCAPED)

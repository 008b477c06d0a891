"""A verdict for people: worst first, each finding with its cell and one thing to do."""

from __future__ import annotations

import textwrap
from collections import Counter
from typing import TYPE_CHECKING

from nbship.records.vetting import Finding, Severity, Verdict
from nbship.vetting.secrets import redact
from nbship.vetting.verdict import is_blocking
from nbship.vetting.words import printable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from nbship.records.notebook import Notebook

_HEADINGS = {
    Severity.BLOCKER: "Blockers",
    Severity.WARNING: "Warnings",
    Severity.NOTE: "Notes",
}
_WIDTH = 96


def as_text(verdict: Verdict, notebook: Notebook | None, *, name: str) -> str:
    """Write a verdict for a terminal.

    Parameters
    ----------
    verdict
        The verdict.
    notebook
        The snapshot, for the lines that are meant; None where it is not at hand.
    name
        What the notebook is called.
    """
    lines = [
        f"{'PASSED' if verdict.passed else 'BLOCKED'}  {printable(name)}",
        summary(verdict),
    ]
    lines += list(_metrics(verdict.metrics))
    sources = {cell.id: cell.source for cell in (notebook.cells if notebook else ())}
    for severity, heading in _HEADINGS.items():
        group = [f for f in verdict.findings if f.severity is severity]
        if group:
            lines += ["", f"{heading} ({len(group)})"]
            lines += [
                line
                for f in group
                for line in _finding(f, sources.get(f.cell_id or "", ""))
            ]
    lines += ["", printable(f"verdict {verdict.id} over {verdict.job_id}")]
    return "\n".join(lines)


def summary(verdict: Verdict) -> str:
    """Count in one line what stands in the way, and what does not."""
    blocking = sum(map(is_blocking, verdict.findings))
    open_ = Counter(f.severity for f in verdict.findings if f.waiver is None)
    waived = sum(f.waiver is not None for f in verdict.findings)
    parts = [
        _counted(blocking, "blocker"),
        _counted(open_[Severity.WARNING], "warning"),
        _counted(open_[Severity.NOTE], "note"),
        *([f"{waived} waived"] if waived else []),
    ]
    return f"{', '.join(parts)}; {_counted(len(verdict.gates), 'gate')} asked"


def _counted(count: int, noun: str) -> str:
    return f"{count or 'no'} {noun}{'' if count == 1 else 's'}"


def _metrics(metrics: Mapping[str, Mapping[str, object]]) -> Iterator[str]:
    for name, row in metrics.items():
        demands = ", ".join(
            f"{key} {row[key]:g}"
            for key in ("minimum", "maximum", "baseline")
            if isinstance(row.get(key), (int, float))
        )
        value = row.get("value")
        shown = f"{value:g}" if isinstance(value, (int, float)) else str(value or "-")
        mark = "ok" if row.get("passed") else "NOT MET"
        yield f"  {printable(name)} = {printable(shown)} ({demands or 'nothing demanded'}): {mark}"


def _line_of(source: str, line: int | None) -> str:
    """Return one line of a cell: the one that is meant, else the first that is not empty."""
    lines = source.splitlines()
    if line is not None and line <= len(lines):
        return lines[line - 1].strip()
    return next((text.strip() for text in lines if text.strip()), "")


def _finding(finding: Finding, source: str) -> Iterator[str]:
    lead = f"  {printable(finding.code):<8}"
    indent = " " * len(lead)
    yield from textwrap.wrap(
        printable(finding.message),
        _WIDTH,
        initial_indent=lead,
        subsequent_indent=indent,
    )
    if finding.cell_id:
        line = f", line {finding.line}" if finding.line else ""
        shown = redact(_line_of(source, finding.line))
        where = f"cell {finding.cell_id}{line}" + (f": {shown}" if shown else "")
        yield indent + _cut(printable(where), _WIDTH - len(indent))
    if finding.waiver:
        waiver = finding.waiver
        yield indent + printable(
            f"waived by {waiver.person} until {waiver.expires_on}: {waiver.reason}"
        )
    elif finding.fix:
        yield from textwrap.wrap(
            f"fix: {printable(finding.fix)}",
            _WIDTH,
            initial_indent=indent,
            subsequent_indent=indent,
        )


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else text[: width - 1] + "…"

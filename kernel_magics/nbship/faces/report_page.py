"""What stands on the page of a report, in words and rows; the template only lays it out."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from nbship.faces.report_cells import title_of, view_cells, view_findings
from nbship.faces.report_words import plural, shown
from nbship.records.vetting import Severity

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nbship.faces.report_cells import CellView, FindingView
    from nbship.records.job import Job
    from nbship.records.vetting import Verdict
    from nbship.workflow.report import ReportFacts

_WEIGHT = {Severity.BLOCKER: 0, Severity.WARNING: 1, Severity.NOTE: 2}


@dataclass(frozen=True, kw_only=True)
class Banner:
    """The answer, in words, with a tone that the style sheet colours."""

    #: ``passed``, ``waived``, ``blocked`` or ``none``
    tone: str
    icon: str
    word: str
    why: str
    counts: str


@dataclass(frozen=True, kw_only=True)
class Page:
    """Everything that the template lays out."""

    title: str
    facts: ReportFacts | None
    cells: tuple[CellView, ...]
    banner: Banner | None = None
    #: findings that count, heaviest first
    findings: tuple[FindingView, ...] = ()
    waived: tuple[FindingView, ...] = ()
    metrics: tuple[Mapping[str, Any], ...] = ()
    parameters: tuple[Mapping[str, Any], ...] = ()

    def cell(self, cell_id: str | None) -> CellView | None:
        """Return the cell of an id; None where the page has none."""
        return next((c for c in self.cells if cell_id and c.id == cell_id), None)

    def about(self, cell: CellView) -> tuple[FindingView, ...]:
        """Return the findings about one cell."""
        return tuple(v for v in (*self.findings, *self.waived) if v.cell is cell)


def make_page(
    notebook: Mapping[str, Any], facts: ReportFacts | None, *, name: str
) -> Page:
    """Lay a notebook and what is known of its job out for the template.

    Parameters
    ----------
    notebook
        As nbformat has it.
    facts
        The job, its outcome, run, verdict and approvals; None for a plain notebook.
    name
        The notebook's name, used where it has no title and there is no job.
    """
    cells = view_cells(
        notebook,
        outcome=facts.outcome if facts else None,
        executions=facts.run.cells if facts and facts.run else (),
    )
    if facts is not None:
        name = PurePosixPath(facts.job.notebook).stem
    title = title_of(notebook, name)
    if facts is None:
        return Page(title=title, facts=None, cells=cells)
    found = sorted(
        facts.verdict.findings if facts.verdict else (),
        key=lambda f: (f.waiver is not None, _WEIGHT[f.severity], f.code),
    )
    views = view_findings(found, cells)
    return Page(
        title=title,
        facts=facts,
        cells=cells,
        banner=_banner(facts.verdict),
        findings=tuple(v for v in views if v.finding.waiver is None),
        waived=tuple(v for v in views if v.finding.waiver is not None),
        metrics=tuple(_metrics(facts)),
        parameters=tuple(_parameters(facts.job)),
    )


def _banner(verdict: Verdict | None) -> Banner:
    if verdict is None:
        why = "No verdict has been given on this job."
        return Banner(tone="none", icon="?", word="Not vetted", why=why, counts="")
    counted = Counter(f.severity for f in verdict.findings if f.waiver is None)
    waived = sum(f.waiver is not None for f in verdict.findings)
    parts = [
        *(plural(counted[severity], severity.value) for severity in _WEIGHT),
        f"{waived} waived",
        plural(len(verdict.gates), "gate") + " asked",
    ]
    counts = " · ".join(parts)
    if not verdict.passed:
        why = f"{_codes(verdict)} must be settled before this job can be released."
        return Banner(tone="blocked", icon="✕", word="Blocked", why=why, counts=counts)
    if waived:
        why = "Nothing stops the release; what was waived is listed with its reason."
        word = "Passed with waivers"
        return Banner(tone="waived", icon="!", word=word, why=why, counts=counts)
    why = "Nothing that was found stops the release."
    return Banner(tone="passed", icon="✓", word="Passed", why=why, counts=counts)


def _codes(verdict: Verdict) -> str:
    codes = [
        f.code
        for f in verdict.findings
        if f.severity is Severity.BLOCKER and f.waiver is None
    ]
    return ", ".join(dict.fromkeys(codes)) or "The verdict"


def _metrics(facts: ReportFacts) -> list[dict[str, Any]]:
    judged = dict(facts.verdict.metrics) if facts.verdict else {}
    logged = facts.run.last_metrics if facts.run else {}
    values = dict(facts.outcome.metrics)
    rows = []
    for name in dict.fromkeys((*judged, *values)):
        rule = judged.get(name) or {}
        value = rule.get("value", values.get(name))
        baseline = rule.get("baseline")
        rows.append(
            {
                "name": name,
                "unit": logged[name].unit if name in logged else "",
                "value": "not logged" if value is None else shown(value),
                "threshold": _threshold(rule),
                "baseline": _baseline(rule),
                "change": _change(value, baseline),
                "passed": rule.get("passed"),
            }
        )
    return rows


def _threshold(rule: Mapping[str, Any]) -> str:
    signs = {"minimum": "≥", "maximum": "≤"}
    bounds = [
        f"{sign} {shown(rule[key])}"
        for key, sign in signs.items()
        if rule.get(key) is not None
    ]
    if bounds or rule.get("threshold") is None:
        return ", ".join(bounds)
    sign = "≤" if rule.get("direction") == "minimize" else "≥"
    return f"{sign} {shown(rule['threshold'])}"


def _baseline(rule: Mapping[str, Any]) -> str:
    if rule.get("baseline") is None:
        return ""
    tolerance = rule.get("tolerance")
    allowed = f", tolerance {shown(tolerance)}" if tolerance else ""
    return f"{shown(rule['baseline'])}{allowed}"


def _change(value: object, baseline: object) -> str:
    numbers = (int, float)
    if not isinstance(value, numbers) or not isinstance(baseline, numbers):
        return ""
    return f"{value - baseline:+.4g}"


def _parameters(job: Job) -> list[dict[str, Any]]:
    rows = []
    for parameter in job.contract.parameters:
        is_set = parameter.name in job.values
        used = job.values.get(parameter.name, parameter.default)
        default = parameter.default_text or shown(parameter.default)
        if parameter.is_required:
            default = "required"
        rows.append(
            {
                "name": parameter.name,
                "type": parameter.annotation or parameter.kind.value,
                "default": default,
                "used": default if used == parameter.default else shown(used),
                "is_changed": is_set and used != parameter.default,
                "description": parameter.description,
            }
        )
    return rows

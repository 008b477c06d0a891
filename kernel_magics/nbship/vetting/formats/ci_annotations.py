"""A tree of notebooks as annotations: GitHub's workflow commands, GitLab's Code Quality.

https://docs.github.com/actions/reference/workflow-commands-for-github-actions
https://docs.gitlab.com/ci/testing/code_quality/#code-quality-report-format
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nbship.records.ci import CiStatus
from nbship.records.digest import digest_json
from nbship.records.vetting import Severity
from nbship.vetting.words import printable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nbship.records.ci import CiNotebook, CiReport

_COMMANDS = {
    Severity.BLOCKER: "error",
    Severity.WARNING: "warning",
    Severity.NOTE: "notice",
}
_SEVERITIES = {
    Severity.BLOCKER: "blocker",
    Severity.WARNING: "minor",
    Severity.NOTE: "info",
}
_RANK = {Severity.BLOCKER: 0, Severity.WARNING: 1, Severity.NOTE: 2}


@dataclass(frozen=True, kw_only=True, slots=True)
class _Remark:
    """One thing to say about one place of one file."""

    path: str
    line: int
    code: str
    severity: Severity
    text: str


def github_commands(report: CiReport) -> str:
    """Write one command a line, the worst first: GitHub shows ten of each kind."""
    return "".join(f"{_command(remark)}\n" for remark in _remarks(report))


def code_quality(report: CiReport) -> list[dict[str, Any]]:
    """Return GitLab's Code Quality report as a JSON value."""
    return [
        {
            "description": remark.text,
            "check_name": remark.code,
            "fingerprint": digest_json([remark.path, remark.code, remark.text]),
            "severity": _SEVERITIES[remark.severity],
            "location": {"path": remark.path, "lines": {"begin": remark.line}},
        }
        for remark in _remarks(report)
    ]


def _remarks(report: CiReport) -> list[_Remark]:
    found = (remark for notebook in report.notebooks for remark in _of(notebook))
    return sorted(found, key=lambda r: (_RANK[r.severity], r.path, r.line, r.code))


def _of(notebook: CiNotebook) -> Iterator[_Remark]:
    lines = {cell.id: cell.line for cell in notebook.cells}
    if notebook.status in {CiStatus.FAILED, CiStatus.REFUSED}:
        failed = (c.line for c in notebook.cells if c.status is CiStatus.FAILED)
        yield _Remark(
            path=notebook.path,
            line=next(failed, 1),
            code=notebook.status.value,
            severity=Severity.BLOCKER,
            text=printable(f"{notebook.cause} {notebook.hint}"),
        )
    for finding in notebook.findings:
        if finding.waiver is None:
            yield _Remark(
                path=notebook.path,
                line=lines.get(finding.cell_id or "", 1),
                code=finding.code,
                severity=finding.severity,
                text=printable(f"{finding.message} {finding.fix}"),
            )


def _command(remark: _Remark) -> str:
    facts = f"file={_property(remark.path)},line={remark.line}"
    facts += f",title={_property(remark.code)}"
    return f"::{_COMMANDS[remark.severity]} {facts}::{_data(remark.text)}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")

"""A verdict as SARIF 2.1.0, the form that code hosts and editors read.

https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nbship.records.digest import digest_json
from nbship.records.vetting import Severity
from nbship.vetting.words import printable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from nbship.records.vetting import Finding, Verdict

SCHEMA_ADDRESS = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_LEVELS = {
    Severity.BLOCKER: "error",
    Severity.WARNING: "warning",
    Severity.NOTE: "note",
}


def as_sarif(
    verdict: Verdict,
    *,
    notebook: str,
    titles: Mapping[str, str],
    lines: Mapping[str, int],
    version: str,
) -> dict[str, Any]:
    """Write a verdict as a SARIF log with one run.

    Parameters
    ----------
    verdict
        The verdict.
    notebook
        Path of the notebook relative to the project.
    titles
        Code to what is wrong where its gate objects.
    lines
        Cell id to the line, from 1, at which the cell stands in the notebook's file.
    version
        nbship's version.
    """
    subject = Notebook(
        path=notebook, codes=verdict.gates, findings=verdict.findings, lines=lines
    )
    return sarif_log(
        [subject],
        titles=titles,
        version=version,
        automation=f"nbship/{verdict.job_id}/{verdict.id}",
        passed=verdict.passed,
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class Notebook:
    """What is said of one notebook."""

    #: relative to the project
    path: str
    #: of the gates that were asked
    codes: Sequence[str]
    findings: Sequence[Finding]
    #: cell id to the line, from 1, at which the cell stands in the notebook's file
    lines: Mapping[str, int]


def sarif_log(
    notebooks: Sequence[Notebook],
    *,
    titles: Mapping[str, str],
    version: str,
    automation: str,
    passed: bool,
) -> dict[str, Any]:
    """Write what is said of notebooks as a SARIF log with one run.

    Parameters
    ----------
    notebooks
        The notebooks.
    titles
        Code to what is wrong where its gate objects.
    version
        nbship's version.
    automation
        Which series of logs this one belongs to.
    passed
        Whether nothing stands in the way.
    """
    asked = {code for notebook in notebooks for code in notebook.codes}
    found = {f.code for notebook in notebooks for f in notebook.findings}
    codes = sorted(asked | found)
    driver = {
        "name": "nbship",
        "semanticVersion": version,
        "rules": [_rule(code, titles.get(code, "")) for code in codes],
    }
    results = [
        _result(f, uri=_uri(n.path), index=codes.index(f.code), lines=n.lines)
        for n in notebooks
        for f in n.findings
    ]
    run = {
        "tool": {"driver": driver},
        "automationDetails": {"id": automation},
        "columnKind": "unicodeCodePoints",
        "properties": {"passed": passed},
        "results": results,
    }
    return {"$schema": SCHEMA_ADDRESS, "version": "2.1.0", "runs": [run]}


def _rule(code: str, title: str) -> dict[str, Any]:
    return {"id": code, "shortDescription": {"text": printable(title) or code}}


def _result(
    finding: Finding, *, uri: str, index: int, lines: Mapping[str, int]
) -> dict[str, Any]:
    text = f"{finding.message}. {finding.fix}" if finding.fix else finding.message
    cell_line = lines.get(finding.cell_id or "", 1)
    location: dict[str, Any] = {
        "physicalLocation": {
            "artifactLocation": {"uri": uri},
            "region": {"startLine": cell_line},
        }
    }
    if finding.cell_id:
        cell = printable(finding.cell_id)
        line = f", line {finding.line}" if finding.line else ""
        location["logicalLocations"] = [{"name": cell, "kind": "cell"}]
        location["message"] = {"text": f"cell {cell}{line}"}
    result: dict[str, Any] = {
        "ruleId": finding.code,
        "ruleIndex": index,
        "level": _LEVELS[finding.severity],
        "message": {"text": printable(text)},
        "locations": [location],
        "partialFingerprints": {
            "nbshipFinding/v1": digest_json(
                [finding.code, finding.cell_id, finding.message]
            )
        },
    }
    if finding.waiver:
        waiver = finding.waiver
        reason = f"{waiver.reason} ({waiver.person}, until {waiver.expires_on})"
        result["suppressions"] = [
            {"kind": "external", "justification": printable(reason)}
        ]
    return result


def _uri(path: str) -> str:
    """Write a path as a relative reference of RFC 3986, octet by octet."""
    safe = frozenset(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~/"
    )
    data = path.encode("utf-8", "replace")
    return "".join(chr(b) if chr(b) in safe else f"%{b:02X}" for b in data)

"""A verdict as SARIF 2.1.0, the form that code hosts and editors read.

https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nbship.records.digest import digest_json
from nbship.records.vetting import Severity
from nbship.vetting.words import printable

if TYPE_CHECKING:
    from collections.abc import Mapping

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
    codes = sorted({*verdict.gates, *(f.code for f in verdict.findings)})
    uri = _uri(notebook)
    return {
        "$schema": SCHEMA_ADDRESS,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": "nbship",
                        "semanticVersion": version,
                        "rules": [_rule(code, titles.get(code, "")) for code in codes],
                    }
                },
                "automationDetails": {"id": f"nbship/{verdict.job_id}/{verdict.id}"},
                "columnKind": "unicodeCodePoints",
                "properties": {"passed": verdict.passed},
                "results": [
                    _result(f, uri=uri, index=codes.index(f.code), lines=lines)
                    for f in verdict.findings
                ],
            }
        ],
    }


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

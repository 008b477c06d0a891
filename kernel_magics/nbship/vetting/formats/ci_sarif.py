"""A tree of notebooks as one SARIF log."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nbship.records.ci import CiStatus
from nbship.records.vetting import Finding, Severity
from nbship.vetting.formats.sarif import Notebook, sarif_log

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nbship.records.ci import CiNotebook, CiReport

#: code of the result that says that a notebook did not run to its end
_FAILED = "NBSHIP-CI"


def ci_sarif(
    report: CiReport, *, titles: Mapping[str, str], version: str
) -> dict[str, Any]:
    """Write a report as a SARIF log with one run.

    Parameters
    ----------
    report
        The report.
    titles
        Code to what is wrong where its gate objects.
    version
        nbship's version.
    """
    return sarif_log(
        [_notebook(notebook) for notebook in report.notebooks],
        titles={**titles, _FAILED: "the notebook does not run"},
        version=version,
        automation=f"nbship/ci/{report.shard}".rstrip("/"),
        passed=report.passed,
    )


def _notebook(notebook: CiNotebook) -> Notebook:
    findings = notebook.findings
    if notebook.status in {CiStatus.FAILED, CiStatus.REFUSED}:
        findings = (_failure(notebook), *findings)
    return Notebook(
        path=notebook.path,
        codes=notebook.gates,
        findings=findings,
        lines={cell.id: cell.line for cell in notebook.cells},
    )


def _failure(notebook: CiNotebook) -> Finding:
    failed = (c.id for c in notebook.cells if c.status is CiStatus.FAILED)
    return Finding(
        code=_FAILED,
        severity=Severity.BLOCKER,
        message=notebook.cause,
        fix=notebook.hint,
        cell_id=next(failed, None),
    )

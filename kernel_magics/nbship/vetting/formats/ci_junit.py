"""A tree of notebooks as JUnit XML: a suite per notebook, a case per cell and one for its gates."""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from nbship.records.ci import CiStatus
from nbship.vetting.verdict import is_blocking
from nbship.vetting.words import clean_text, printable

if TYPE_CHECKING:
    from nbship.records.ci import CiCell, CiNotebook, CiReport
    from nbship.records.vetting import Finding


def ci_junit(report: CiReport) -> str:
    """Write a report as ``testsuites``.

    A cell fails where it raised, or where a gate blocks because of it. What a gate says of
    the notebook as a whole stands in the case ``gates``.
    """
    suites = [_suite(notebook, report) for notebook in report.notebooks]
    root = ET.Element("testsuites", name="nbship ci")
    for key in ("tests", "failures", "errors", "skipped"):
        root.set(key, str(sum(int(suite.get(key, "0")) for suite in suites)))
    root.set("time", f"{sum(float(suite.get('time', '0')) for suite in suites):.3f}")
    root.extend(suites)
    ET.indent(root)
    return ET.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def _suite(notebook: CiNotebook, report: CiReport) -> ET.Element:
    cases = [_cell_case(cell, notebook) for cell in notebook.cells]
    cases.append(_notebook_case(notebook))
    suite = ET.Element("testsuite", name=printable(notebook.path))
    suite.set("tests", str(len(cases)))
    for key, tag in (("failures", "failure"), ("errors", "error")):
        suite.set(key, str(sum(case.find(tag) is not None for case in cases)))
    suite.set("skipped", str(sum(case.find("skipped") is not None for case in cases)))
    suite.set("time", f"{notebook.duration_s:.3f}")
    suite.set("timestamp", f"{report.began_at:%Y-%m-%dT%H:%M:%S}")
    properties = ET.SubElement(suite, "properties")
    facts = {
        "job": notebook.job_id,
        "verdict": notebook.verdict_id,
        "unchanged": str(notebook.is_unchanged).lower(),
        **{f"metric.{name}": f"{value:g}" for name, value in notebook.metrics.items()},
    }
    for name, value in facts.items():
        if value:
            ET.SubElement(
                properties, "property", name=printable(name), value=printable(value)
            )
    suite.extend(cases)
    return suite


def _cell_case(cell: CiCell, notebook: CiNotebook) -> ET.Element:
    case = _case(notebook, f"cell {cell.number}: {cell.title}", cell.duration_s)
    case.set("file", printable(notebook.path))
    case.set("line", str(cell.line))
    blocking = [f for f in notebook.findings if f.cell_id == cell.id and is_blocking(f)]
    if cell.status is CiStatus.FAILED:
        _failure(case, kind="cell", message=_first(cell.message), text=cell.message)
    elif blocking:
        _findings_failure(case, blocking)
    elif cell.status is CiStatus.SKIPPED:
        ET.SubElement(case, "skipped", message=printable(cell.message))
    return case


def _notebook_case(notebook: CiNotebook) -> ET.Element:
    """Make the case of the notebook as a whole: planning, death, and gates without a cell."""
    cells = {cell.id for cell in notebook.cells}
    blocking = [
        f for f in notebook.findings if f.cell_id not in cells and is_blocking(f)
    ]
    case = _case(notebook, "gates", 0.0)
    if notebook.status is CiStatus.REFUSED:
        text = f"{notebook.cause}\n{notebook.hint}".strip()
        error = ET.SubElement(
            case, "error", type="refused", message=printable(_first(notebook.cause))
        )
        error.text = clean_text(text)
    elif blocking:
        _findings_failure(case, blocking)
    elif notebook.status is CiStatus.FAILED and not _has_failed_cell(notebook):
        _failure(case, kind="job", message=_first(notebook.cause), text=notebook.cause)
    return case


def _has_failed_cell(notebook: CiNotebook) -> bool:
    return any(cell.status is CiStatus.FAILED for cell in notebook.cells)


def _case(notebook: CiNotebook, name: str, duration_s: float) -> ET.Element:
    return ET.Element(
        "testcase",
        classname=printable(notebook.path),
        name=printable(name),
        time=f"{duration_s:.3f}",
    )


def _findings_failure(case: ET.Element, findings: list[Finding]) -> None:
    lines = [f"{f.code}: {f.message} {f.fix}".rstrip() for f in findings]
    _failure(
        case, kind=findings[0].code, message=findings[0].message, text="\n".join(lines)
    )


def _failure(case: ET.Element, *, kind: str, message: str, text: str) -> None:
    failure = ET.SubElement(
        case, "failure", type=printable(kind), message=printable(message)
    )
    failure.text = clean_text(text)


def _first(text: str) -> str:
    return text.partition("\n")[0]

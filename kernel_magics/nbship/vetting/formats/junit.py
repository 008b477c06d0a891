"""A verdict as JUnit XML: one test case per gate, so that CI systems show what blocks."""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from nbship.vetting.verdict import is_blocking
from nbship.vetting.words import printable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from nbship.records.vetting import Finding, Verdict


def as_junit(verdict: Verdict, *, name: str, titles: Mapping[str, str]) -> str:
    """Write a verdict as one ``testsuite``.

    Parameters
    ----------
    verdict
        The verdict.
    name
        What the notebook is called.
    titles
        Code to what is wrong where its gate objects.
    """
    by_code: dict[str, list[Finding]] = {code: [] for code in verdict.gates}
    for finding in verdict.findings:
        by_code.setdefault(finding.code, []).append(finding)
    cases = [
        _case(code, findings, title=titles.get(code, ""), name=name)
        for code, findings in by_code.items()
    ]
    suite = ET.Element(
        "testsuite",
        name=printable(f"nbship vet {name}"),
        tests=str(len(cases)),
        failures=str(sum(case.find("failure") is not None for case in cases)),
        errors="0",
        skipped=str(sum(case.find("skipped") is not None for case in cases)),
        timestamp=f"{verdict.vetted_at:%Y-%m-%dT%H:%M:%S}",
    )
    properties = ET.SubElement(suite, "properties")
    for key, value in (("verdict", verdict.id), ("job", verdict.job_id)):
        ET.SubElement(properties, "property", name=key, value=printable(value))
    suite.extend(cases)
    root = ET.Element("testsuites")
    root.append(suite)
    ET.indent(root)
    return ET.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def _case(
    code: str, findings: Sequence[Finding], *, title: str, name: str
) -> ET.Element:
    case = ET.Element(
        "testcase",
        classname=printable(name),
        name=printable(f"{code} {title}".strip()),
        time="0",
    )
    blocking = [finding for finding in findings if is_blocking(finding)]
    others = [finding for finding in findings if not is_blocking(finding)]
    if blocking:
        failure = ET.SubElement(
            case,
            "failure",
            type=printable(code),
            message=printable(blocking[0].message),
        )
        failure.text = "\n".join(map(_line, blocking))
    elif findings and all(finding.waiver for finding in findings):
        ET.SubElement(case, "skipped", message=_waived(findings[0]))
    if others:
        ET.SubElement(case, "system-out").text = "\n".join(map(_line, others))
    return case


def _line(finding: Finding) -> str:
    place = f"cell {finding.cell_id}" if finding.cell_id else "notebook"
    line = f", line {finding.line}" if finding.line else ""
    fix = f" ({finding.fix})" if finding.fix else ""
    waived = f" [{_waived(finding)}]" if finding.waiver else ""
    return printable(
        f"{finding.severity.value}: {place}{line}: {finding.message}{fix}{waived}"
    )


def _waived(finding: Finding) -> str:
    waiver = finding.waiver
    if waiver is None:
        return ""
    return printable(
        f"waived by {waiver.person} until {waiver.expires_on}: {waiver.reason}"
    )

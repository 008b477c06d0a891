"""A verdict as text, JUnit and SARIF."""

import json
from datetime import UTC, datetime
from xml.etree import ElementTree as ET  # what we wrote ourselves

from hypothesis import given
from hypothesis import strategies as st

from nbship.records.vetting import Finding, Severity, Verdict, Waiver
from nbship.testing import make_cell, make_notebook
from nbship.vetting.formats.junit import as_junit
from nbship.vetting.formats.sarif import as_sarif
from nbship.vetting.formats.text import as_text

TITLES = {"NB205": "randomness without a seed", "NB301": "no parameters cell"}
WAIVER = Waiver(
    code="NB209", reason="image is frozen", person="ada", expires_on="2027-01-31"
)
VERDICT = Verdict(
    id="verdict-20260105-120000-0000",
    job_id="job-20260105-110000-0000",
    vetted_at=datetime(2026, 1, 5, 12, tzinfo=UTC),
    passed=False,
    findings=(
        Finding(
            code="NB205",
            severity=Severity.BLOCKER,
            message="`train_test_split` has no random_state",
            fix="Pass random_state=SEED.",
            cell_id="split",
            line=2,
        ),
        Finding(
            code="NB209",
            severity=Severity.BLOCKER,
            message="the cell installs with pip",
            cell_id="install",
            line=1,
            waiver=WAIVER,
        ),
        Finding(code="NB301", severity=Severity.WARNING, message="no parameters"),
        Finding(
            code="F401", severity=Severity.NOTE, message="`os` unused", cell_id="split"
        ),
    ),
    gates=("NB101", "NB205", "NB209", "NB301", "RUFF"),
    metrics={
        "accuracy": {"value": 0.91, "minimum": 0.9, "baseline": 0.92, "passed": True},
        "loss": {"value": None, "maximum": 0.1, "passed": False},
    },
)


def test_text_groups_by_severity_with_cell_line_and_fix():
    notebook = make_notebook(
        make_cell("\n  train, test = train_test_split(frame)\nprint(1)"),
        make_cell("%pip install x"),
    )
    cells = tuple(
        cell.__class__(id=name, kind=cell.kind, source=cell.source, index=cell.index)
        for cell, name in zip(notebook.cells, ("split", "install"), strict=True)
    )
    named = notebook.__class__(
        path="a.ipynb", digest="", kernel_name="", language="python", cells=cells
    )
    assert as_text(VERDICT, named, name="notebooks/a.ipynb").splitlines() == [
        "BLOCKED  notebooks/a.ipynb",
        "1 blocker, 1 warning, 1 note, 1 waived; 5 gates asked",
        "  accuracy = 0.91 (minimum 0.9, baseline 0.92): ok",
        "  loss = - (maximum 0.1): NOT MET",
        "",
        "Blockers (2)",
        "  NB205   `train_test_split` has no random_state",
        "          cell split, line 2: train, test = train_test_split(frame)",
        "          fix: Pass random_state=SEED.",
        "  NB209   the cell installs with pip",
        "          cell install, line 1: %pip install x",
        "          waived by ada until 2027-01-31: image is frozen",
        "",
        "Warnings (1)",
        "  NB301   no parameters",
        "",
        "Notes (1)",
        "  F401    `os` unused",
        "          cell split: train, test = train_test_split(frame)",
        "",
        "verdict verdict-20260105-120000-0000 over job-20260105-110000-0000",
    ]


def parsed(junit):
    return ET.fromstring(junit.encode("utf-8"))  # noqa: S314


def test_junit_has_a_case_per_gate_and_fails_where_one_blocks():
    root = parsed(as_junit(VERDICT, name="a.ipynb", titles=TITLES))
    [suite] = root
    assert (suite.get("tests"), suite.get("failures"), suite.get("skipped")) == (
        "6",
        "1",
        "1",
    )
    cases = {
        case.get("name"): [child.tag for child in case]
        for case in suite.iter("testcase")
    }
    assert cases == {
        "NB101": [],
        "NB205 randomness without a seed": ["failure"],
        "NB209": ["skipped", "system-out"],
        "NB301 no parameters cell": ["system-out"],
        "RUFF": [],
        "F401": ["system-out"],
    }
    failure = next(suite.iter("failure"))
    assert failure.get("message") == "`train_test_split` has no random_state"
    assert failure.text == (
        "blocker: cell split, line 2: `train_test_split` has no random_state "
        "(Pass random_state=SEED.)"
    )


def sarif(verdict, **changes):
    given = {
        "notebook": "notebooks/größe 1.ipynb",
        "titles": TITLES,
        "lines": {"split": 12},
        "version": "0.1.0",
    }
    return as_sarif(verdict, **{**given, **changes})


def test_sarif_has_what_version_2_1_0_requires():
    log = json.loads(json.dumps(sarif(VERDICT)))
    assert (log["version"], len(log["runs"])) == ("2.1.0", 1)
    [run] = log["runs"]
    driver = run["tool"]["driver"]
    assert driver["name"] == "nbship"
    rules = driver["rules"]
    assert len({rule["id"] for rule in rules}) == len(rules)
    for result in run["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
        assert result["level"] in {"none", "note", "warning", "error"}
        assert result["message"]["text"]
        [location] = result["locations"]
        place = location["physicalLocation"]
        assert place["artifactLocation"]["uri"] == "notebooks/gr%C3%B6%C3%9Fe%201.ipynb"
        assert place["region"]["startLine"] >= 1


def test_sarif_names_cells_by_line_and_suppresses_what_is_waived():
    first, waived, *_ = sarif(VERDICT)["runs"][0]["results"]
    assert first["locations"][0]["physicalLocation"]["region"] == {"startLine": 12}
    assert first["locations"][0]["logicalLocations"] == [
        {"name": "split", "kind": "cell"}
    ]
    assert "suppressions" not in first
    assert waived["suppressions"] == [
        {
            "kind": "external",
            "justification": "image is frozen (ada, until 2027-01-31)",
        }
    ]


@given(st.text(), st.text(), st.text(), st.text())
def test_every_format_survives_every_text(message, cell_id, reason, name):
    waiver = Waiver(code="X", reason=reason, person=name, expires_on="2027-01-31")
    findings = tuple(
        Finding(
            code="NB205",
            severity=severity,
            message=message,
            fix=reason,
            cell_id=cell_id,
            waiver=waiver if severity is Severity.NOTE else None,
        )
        for severity in Severity
    )
    verdict = Verdict(
        id="verdict-x",
        job_id=name,
        vetted_at=VERDICT.vetted_at,
        passed=False,
        findings=findings,
        gates=("NB205",),
    )
    junit = as_junit(verdict, name=name, titles={"NB205": reason})
    parsed(junit)
    log = sarif(verdict, notebook=name, titles={"NB205": reason})
    json.dumps(log, ensure_ascii=False).encode("utf-8")
    text = as_text(verdict, None, name=name)
    assert all(c.isprintable() or c == "\n" for c in text)

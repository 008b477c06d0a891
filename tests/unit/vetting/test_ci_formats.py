"""A tree of notebooks as JUnit, SARIF, annotations, Markdown and text."""

from datetime import UTC, datetime, timedelta
from xml.etree import ElementTree as ET  # what we wrote ourselves

import pytest

from nbship.records.ci import CiCell, CiNotebook, CiReport, CiStatus
from nbship.records.vetting import Finding, Severity, Waiver
from nbship.vetting.formats.ci_annotations import code_quality, github_commands
from nbship.vetting.formats.ci_junit import ci_junit
from nbship.vetting.formats.ci_sarif import ci_sarif
from nbship.vetting.formats.ci_summary import ci_markdown, ci_text

AT = datetime(2026, 1, 5, 12, tzinfo=UTC)
BLOCKER = Finding(
    code="NB205",
    severity=Severity.BLOCKER,
    message="`train_test_split` has no random_state",
    fix="Pass random_state=SEED.",
    cell_id="b",
    line=1,
)
WAIVED = Finding(
    code="NB209",
    severity=Severity.BLOCKER,
    message="installs",
    cell_id="b",
    waiver=Waiver(code="NB209", reason="frozen", person="ada", expires_on="2027-01-01"),
)
WARNING = Finding(code="NB301", severity=Severity.WARNING, message="no parameters")


def cell(name, number, status, **more):
    return CiCell(
        id=name,
        number=number,
        title=f"{name}()",
        status=status,
        line=number * 10,
        **more,
    )


PASSED = CiNotebook(
    path="nb/a.ipynb",
    status=CiStatus.PASSED,
    is_unchanged=True,
    job_id="job-1",
    verdict_id="verdict-1",
    duration_s=2.5,
    metrics={"accuracy": 0.9},
    cells=(cell("a", 1, CiStatus.PASSED, duration_s=2.5),),
    findings=(WARNING,),
    gates=("NB205", "NB301"),
)
FAILED = CiNotebook(
    path="nb/b|x.ipynb",
    status=CiStatus.FAILED,
    job_id="job-2",
    verdict_id="verdict-2",
    duration_s=1.0,
    cause="ZeroDivisionError: division by zero in cell a ('a()')",
    cells=(
        cell(
            "a",
            1,
            CiStatus.FAILED,
            duration_s=1.0,
            message="ZeroDivisionError: division by zero\n\x1b[31m1 / 0\x1b[0m ```",
        ),
        cell("b", 2, CiStatus.SKIPPED, message="not run"),
    ),
    gates=("NB205",),
)
BLOCKED = CiNotebook(
    path="nb/c.ipynb",
    status=CiStatus.BLOCKED,
    job_id="job-3",
    cells=(cell("b", 1, CiStatus.PASSED),),
    findings=(BLOCKER, WAIVED),
    gates=("NB205", "NB209"),
)
REFUSED = CiNotebook(
    path="nb/d.ipynb",
    status=CiStatus.REFUSED,
    cause="nb/d.ipynb: rate: a value is required",
    hint="Give it a default.",
)
REPORT = CiReport(
    began_at=AT,
    ended_at=AT + timedelta(seconds=4),
    notebooks=(PASSED, FAILED, BLOCKED, REFUSED),
    shard="1/2",
)


def parsed(report):
    return ET.fromstring(ci_junit(report))  # noqa: S314


def test_junit_has_a_suite_per_notebook_and_a_case_per_cell():
    root = parsed(REPORT)

    cases = [
        (suite.get("name"), case.get("name"), [child.tag for child in case])
        for suite in root
        for case in suite.iter("testcase")
    ]
    assert cases == [
        ("nb/a.ipynb", "cell 1: a()", []),
        ("nb/a.ipynb", "gates", []),
        ("nb/b|x.ipynb", "cell 1: a()", ["failure"]),
        ("nb/b|x.ipynb", "cell 2: b()", ["skipped"]),
        ("nb/b|x.ipynb", "gates", []),
        ("nb/c.ipynb", "cell 1: b()", ["failure"]),
        ("nb/c.ipynb", "gates", []),
        ("nb/d.ipynb", "gates", ["error"]),
    ]
    assert (root.get("tests"), root.get("failures"), root.get("errors")) == (
        "8",
        "2",
        "1",
    )
    failure = root[1].find("testcase/failure")
    assert failure.get("message") == "ZeroDivisionError: division by zero"
    assert failure.text.splitlines()[1] == "1 / 0 ```"
    assert root[0].find("testcase").get("time") == "2.500"
    assert root[2].find("testcase/failure").get("type") == "NB205"


def test_a_notebook_that_died_between_cells_fails_in_its_own_case():
    died = CiNotebook(
        path="x.ipynb", status=CiStatus.FAILED, cause="the worker was killed"
    )
    report = CiReport(began_at=AT, ended_at=AT, notebooks=(died,))

    (case,) = parsed(report).iter("testcase")

    assert case.find("failure").get("message") == "the worker was killed"


def test_sarif_holds_findings_and_failures_of_all_notebooks():
    log = ci_sarif(REPORT, titles={"NB205": "no seed"}, version="1.0")

    (run,) = log["runs"]
    found = [
        (
            result["ruleId"],
            result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"],
            result["locations"][0]["physicalLocation"]["region"]["startLine"],
            "suppressions" in result,
        )
        for result in run["results"]
    ]
    assert found == [
        ("NB301", "nb/a.ipynb", 1, False),
        ("NBSHIP-CI", "nb/b%7Cx.ipynb", 10, False),
        ("NB205", "nb/c.ipynb", 10, False),
        ("NB209", "nb/c.ipynb", 10, True),
        ("NBSHIP-CI", "nb/d.ipynb", 1, False),
    ]
    rules = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    assert [rules[r["ruleIndex"]] for r in run["results"]] == [x[0] for x in found]
    assert run["automationDetails"] == {"id": "nbship/ci/1/2"}


def test_github_commands_come_worst_first_and_escaped():
    lines = github_commands(REPORT).splitlines()

    assert lines == [
        (
            "::error file=nb/b|x.ipynb,line=10,title=failed::ZeroDivisionError: division by"
            " zero in cell a ('a()')"
        ),
        (
            "::error file=nb/c.ipynb,line=10,title=NB205::`train_test_split` has no"
            " random_state Pass random_state=SEED."
        ),
        (
            "::error file=nb/d.ipynb,line=1,title=refused::nb/d.ipynb: rate: a value is"
            " required Give it a default."
        ),
        "::warning file=nb/a.ipynb,line=1,title=NB301::no parameters",
    ]


@pytest.mark.parametrize(
    ("path", "shown"), [("a,b:c.ipynb", "a%2Cb%3Ac.ipynb"), ("5%.ipynb", "5%25.ipynb")]
)
def test_github_properties_are_escaped(path, shown):
    notebook = CiNotebook(path=path, status=CiStatus.REFUSED, cause="100% wrong")
    report = CiReport(began_at=AT, ended_at=AT, notebooks=(notebook,))

    assert github_commands(report) == (
        f"::error file={shown},line=1,title=refused::100%25 wrong\n"
    )


def test_code_quality_has_a_fingerprint_and_a_place_each():
    entries = code_quality(REPORT)

    assert [(e["check_name"], e["severity"], e["location"]) for e in entries] == [
        ("failed", "blocker", {"path": "nb/b|x.ipynb", "lines": {"begin": 10}}),
        ("NB205", "blocker", {"path": "nb/c.ipynb", "lines": {"begin": 10}}),
        ("refused", "blocker", {"path": "nb/d.ipynb", "lines": {"begin": 1}}),
        ("NB301", "minor", {"path": "nb/a.ipynb", "lines": {"begin": 1}}),
    ]
    assert len({e["fingerprint"] for e in entries}) == len(entries)


def test_markdown_has_a_row_per_notebook_and_what_is_in_the_way():
    text = ci_markdown(REPORT)

    assert text.splitlines()[:9] == [
        "## Notebooks (part 1/2): not passed",
        "",
        "4 notebooks: 1 passed, 1 failed, 1 blocked, 1 refused, 1 unchanged in 4.0 s.",
        "",
        "| | notebook | cells | time | metrics |",
        "|---|---|---|---|---|",
        "| passed (unchanged) | nb/a.ipynb | 1/1 | 2.5 s | accuracy = 0.9 |",
        "| **failed** | nb/b\\|x.ipynb | 1/2 | 1.0 s |  |",
        "| **blocked** | nb/c.ipynb | 1/1 | 0.0 s |  |",
    ]
    assert "````text\nZeroDivisionError: division by zero\n1 / 0 ```\n````\n" in text
    assert "- NB205, cell 1: \\`train\\_test\\_split\\` has no random\\_state" in text
    assert "NB209" not in text


def test_text_says_the_same_in_few_lines():
    assert ci_text(REPORT).splitlines() == [
        "unchanged  nb/a.ipynb (2.5 s)",
        "failed     nb/b|x.ipynb (1.0 s)",
        "  ZeroDivisionError: division by zero in cell a ('a()')",
        "blocked    nb/c.ipynb (0.0 s)",
        (
            "  NB205, cell 1: `train_test_split` has no random_state Pass"
            " random_state=SEED."
        ),
        "refused    nb/d.ipynb (0.0 s)",
        "  nb/d.ipynb: rate: a value is required Give it a default.",
        "4 notebooks: 1 passed, 1 failed, 1 blocked, 1 refused, 1 unchanged in 4.0 s",
    ]


def test_an_empty_tree_passes_and_says_so():
    report = CiReport(began_at=AT, ended_at=AT)

    assert report.passed
    assert ci_text(report) == "no notebooks in 0.0 s"
    assert parsed(report).get("tests") == "0"

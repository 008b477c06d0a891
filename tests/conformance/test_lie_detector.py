"""Every failure, for real, under stock papermill and under ours: ours says what happened.

``pytest -s`` prints the table that stands in docs/papermill.md.
"""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from support.lies import ENGINE, FAILURES, JOB, STOCK, run, table, untruths

PAGE = Path(__file__).resolve().parents[2] / "docs" / "papermill.md"
CASES = [
    pytest.param(failure, executor, id=f"{failure.name}-{executor}")
    for failure in FAILURES
    for executor in (STOCK, ENGINE, JOB)
    if executor not in failure.absent
]


@pytest.fixture(scope="module")
def found():
    findings = {}
    yield findings
    sys.stdout.write(f"\n{table(findings)}\n")


@pytest.mark.full
@pytest.mark.kernel
@pytest.mark.parametrize(("failure", "executor"), CASES)
def test_what_is_left_behind_says_what_happened(failure, executor, found, tmp_path):
    remains = run(failure, executor, tmp_path / "project")

    wrong = untruths(failure, executor, remains)

    found[failure.name, executor] = wrong
    if executor == STOCK:  # shown beside ours; its mistakes are its own
        return
    assert wrong == [], remains.said


def test_the_page_shows_every_failure_and_ours_right():
    rows = [
        [word.strip() for word in line.strip("|").split("|")]
        for line in PAGE.read_text("utf-8").splitlines()
        if line.startswith("|")
    ]
    shown = {row[0]: row[2:] for row in rows}

    for failure in FAILURES:
        ours = [
            "no such thing" if executor in failure.absent else "right"
            for executor in (ENGINE, JOB)
        ]
        assert shown[failure.name] == ours

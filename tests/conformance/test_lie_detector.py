"""Every failure, for real, under stock papermill and under ours: ours says what happened.

``pytest -s`` prints the table that stands in docs/papermill.md.
"""

from __future__ import annotations

import sys

import pytest

from support.lies import ENGINE, FAILURES, JOB, STOCK, run, table, untruths

pytestmark = [pytest.mark.full, pytest.mark.kernel]
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


@pytest.mark.parametrize(("failure", "executor"), CASES)
def test_what_is_left_behind_says_what_happened(failure, executor, found, tmp_path):
    remains = run(failure, executor, tmp_path / "project")

    wrong = untruths(failure, executor, remains)

    found[failure.name, executor] = wrong
    if executor == STOCK:  # shown beside ours; its mistakes are its own
        return
    assert wrong == [], remains.said

"""A passed verdict and its approvals cannot be left out."""

import dataclasses

import pytest

from nbship.errors import JobError, ReleaseError
from nbship.records.job import CapturedRoot, JobStatus
from nbship.records.vetting import Decision
from nbship.release.clearance import (
    Approvals,
    PassedVerdict,
    choose_root,
    enough_approvals,
    passed_verdict,
)
from nbship.workflow.approvals import verdict_digest
from support.releases import ReleaseCase
from support.review_case import JOB_ID


@pytest.fixture(scope="module")
def case(tmp_path_factory):
    return ReleaseCase(tmp_path_factory.mktemp("clearance"))


@pytest.fixture(scope="module")
def outcome(case):
    return case.finish(roots=(case.captured(),))


@pytest.fixture(scope="module")
def verdict(case, outcome):
    return case.vet()


def test_proofs_are_made_by_their_checks_alone(verdict):
    with pytest.raises(TypeError, match="passed_verdict"):
        PassedVerdict(verdict=verdict, checked=None)
    with pytest.raises(TypeError, match="enough_approvals"):
        Approvals(approvals=(), verdict_digest="", checked=True)


def test_a_passed_verdict_over_the_same_subject_counts(verdict):
    passed = passed_verdict(verdict, job_id=JOB_ID, subject=verdict.subject)

    assert passed.verdict is verdict


def test_a_job_that_was_never_vetted_is_refused():
    with pytest.raises(ReleaseError, match="never vetted"):
        passed_verdict(None, job_id=JOB_ID, subject={})


def test_a_blocked_verdict_is_refused(verdict):
    blocked = dataclasses.replace(verdict, passed=False)

    with pytest.raises(ReleaseError, match="blocks"):
        passed_verdict(blocked, job_id=JOB_ID, subject=verdict.subject)


@pytest.mark.parametrize(
    "key", ["snapshot", "values", "lock", "data", "outcome", "findings"]
)
def test_what_changed_since_the_verdict_is_named(verdict, key):
    now = {**verdict.subject, key: "0" * 64}

    with pytest.raises(ReleaseError, match=f"{key} changed since"):
        passed_verdict(verdict, job_id=JOB_ID, subject=now)


def test_too_few_approvals_are_refused(verdict):
    with pytest.raises(ReleaseError, match="0 of 1"):
        enough_approvals((), verdict_digest=verdict_digest(verdict), needed=1)


def test_one_key_counts_once(case, verdict):
    approval = case.decide(verdict)

    with pytest.raises(ReleaseError, match="1 of 2"):
        enough_approvals(
            (approval, approval), verdict_digest=verdict_digest(verdict), needed=2
        )


def test_an_approval_of_another_verdict_is_refused(case, verdict):
    with pytest.raises(ReleaseError, match="another verdict"):
        enough_approvals((case.decide(verdict),), verdict_digest="0" * 64, needed=1)


def test_a_rejection_is_refused(case, verdict):
    with pytest.raises(ReleaseError, match="rejected"):
        enough_approvals(
            (case.decide(verdict, Decision.REJECTED),),
            verdict_digest=verdict_digest(verdict),
            needed=0,
        )


def test_the_only_root_need_not_be_named(case, outcome):
    assert choose_root(case.job, outcome) == outcome.roots[0]


@pytest.mark.parametrize(
    ("changes", "name", "message"),
    [
        ({"status": JobStatus.FAILED}, "", "failed"),
        ({"roots": ()}, "", "captured no root"),
        ({}, "fate", "no root 'fate'; it captured fare"),
        (
            {
                "roots": (
                    CapturedRoot(name="a", digest="1"),
                    CapturedRoot(name="b", digest="2"),
                )
            },
            "",
            "captured a, b",
        ),
        (
            {
                "roots": (
                    CapturedRoot(name="fare", digest="", refusal="reads a file handle"),
                )
            },
            "",
            "not captured: reads a file handle",
        ),
    ],
)
def test_a_job_without_the_root_is_refused(case, outcome, changes, name, message):
    with pytest.raises(JobError, match=message):
        choose_root(case.job, dataclasses.replace(outcome, **changes), name=name)


def test_a_job_that_did_not_end_is_refused(case):
    with pytest.raises(JobError, match="did not end"):
        choose_root(case.job, None)

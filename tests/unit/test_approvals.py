"""Approvals: sealed, bound to one verdict, and counted by key."""

from __future__ import annotations

import dataclasses
from datetime import timedelta

import pytest

from nbship.adapters.bundles.ssh_seal import SshSealer, create_key
from nbship.errors import ApprovalError, RecordNotFoundError
from nbship.records.policy import Policy
from nbship.records.vetting import Decision, Finding, Severity
from nbship.workflow.approvals import NAMESPACE, sealed_bytes
from nbship.workflow.review import (
    approvals_of,
    decide,
    demand_approvals,
    find_verdict,
)
from support.review_case import AT, VERDICT_ID, ReviewCase, waiver

BLOCKER = Finding(code="SEC001", severity=Severity.BLOCKER, message="a secret")


class Desk:
    """A vetted job and two reviewers."""

    def __init__(self, folder):
        self.case = ReviewCase(folder)
        self.case.finish()
        self.store = self.case.store
        self.keys = {n: create_key(folder / n) for n in ("ann", "bob")}
        self.folder = folder
        self.count = 0

    def decide(self, verdict, name="ann", decision=Decision.APPROVED, **options):
        self.count += 1
        options = {"reason": "read it", "reviewers": (), **options}
        return decide(
            self.store,
            verdict,
            decision=decision,
            reviewer=name,
            sealer=SshSealer(self.folder / name),
            approval_id=f"approval-20261123-0930{self.count:02}-0000",
            at=AT + timedelta(minutes=self.count),
            **options,
        )

    def approvals(self, verdict, *reviewers):
        sealer = SshSealer(None)
        return approvals_of(self.store, verdict, reviewers=reviewers, sealer=sealer)

    def demand(self, verdict, wanted=1, reviewers=()):
        return demand_approvals(
            self.store,
            verdict,
            policy=Policy(approvals=wanted),
            reviewers=reviewers,
            sealer=SshSealer(None),
        )

    def rewrite(self, approval, **changes):
        changed = dataclasses.replace(approval, **changes)
        path = self.store.folder / "approvals" / f"{approval.id}.json"
        self.store.save(changed, path)
        return changed


@pytest.fixture
def desk(tmp_path):
    return Desk(tmp_path)


def test_an_approval_is_read_back_as_it_was_sealed(desk):
    verdict = desk.case.vet()
    approval = desk.decide(verdict)
    assert desk.approvals(verdict) == (approval,)
    assert desk.demand(verdict) == (approval,)


def test_a_blocked_verdict_can_be_rejected_but_not_approved(desk):
    verdict = desk.case.vet(BLOCKER)
    with pytest.raises(ApprovalError, match=r"it blocks \(SEC001\)"):
        desk.decide(verdict)
    assert desk.decide(verdict, decision=Decision.REJECTED).decision == "rejected"


def test_a_waived_blocker_does_not_stop_an_approval(desk):
    finding = dataclasses.replace(BLOCKER, waiver=waiver())
    verdict = desk.case.vet(finding)
    assert desk.approvals(verdict) == ()
    assert len((desk.decide(verdict), *desk.approvals(verdict))) == 2


def test_a_reason_is_wanted(desk):
    with pytest.raises(ApprovalError, match="no reason"):
        desk.decide(desk.case.vet(), reason="  ")


def test_only_configured_reviewers_may_approve(desk):
    verdict = desk.case.vet()
    reviewers = (f"{desk.keys['bob']} bob@example.org",)
    with pytest.raises(ApprovalError, match=r"not among the 1 of review\.reviewers"):
        desk.decide(verdict, "ann", reviewers=reviewers)
    approval = desk.decide(verdict, "bob", reviewers=reviewers)
    assert desk.approvals(verdict, *reviewers) == (approval,)


def test_an_approval_by_a_key_that_is_no_longer_a_reviewer_does_not_hold(desk):
    verdict = desk.case.vet()
    desk.decide(verdict, "ann")
    assert desk.approvals(verdict, desk.keys["bob"]) == ()
    with pytest.raises(ApprovalError, match=r"its key is not among review\.reviewers"):
        desk.demand(verdict, reviewers=(desk.keys["bob"],))


def test_a_malformed_reviewer_key_is_named(desk):
    with pytest.raises(ApprovalError, match="'ssh-rsa AAAA' is no public key"):
        desk.approvals(desk.case.vet(), "ssh-rsa AAAA")


def test_a_later_rejection_by_the_same_key_cancels_the_approval(desk):
    verdict = desk.case.vet()
    desk.decide(verdict)
    desk.decide(verdict, decision=Decision.REJECTED, reason="leak found")
    assert desk.approvals(verdict) == ()
    with pytest.raises(ApprovalError, match="rejected by ann: leak found"):
        desk.demand(verdict)
    again = desk.decide(verdict)
    assert desk.demand(verdict) == (again,)


def test_another_reviewers_rejection_stops_the_release(desk):
    verdict = desk.case.vet()
    desk.decide(verdict, "ann")
    desk.decide(verdict, "bob", Decision.REJECTED, reason="too few rows")
    assert [a.reviewer for a in desk.approvals(verdict)] == ["ann"]
    with pytest.raises(ApprovalError, match="rejected by bob: too few rows"):
        desk.demand(verdict)


def test_two_approvals_by_one_key_count_once(desk):
    verdict = desk.case.vet()
    desk.decide(verdict)
    newest = desk.decide(verdict)
    assert desk.approvals(verdict) == (newest,)
    with pytest.raises(ApprovalError, match="1 valid approvals, 2 wanted"):
        desk.demand(verdict, wanted=2)
    desk.decide(verdict, "bob")
    assert len(desk.demand(verdict, wanted=2)) == 2


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"reason": "another"}, "one of the two was changed"),
        ({"decision": Decision.REJECTED}, "one of the two was changed"),
        ({"seal": ""}, "cannot be read as an SSH signature"),
        ({"verdict_digest": "0" * 64}, "one of the two was changed"),
    ],
)
def test_an_edited_approval_does_not_hold(desk, changes, why):
    verdict = desk.case.vet()
    desk.rewrite(desk.decide(verdict), **changes)
    assert desk.approvals(verdict) == ()
    with pytest.raises(ApprovalError, match=why):
        desk.demand(verdict)


def test_an_approval_that_names_another_key_than_its_seal_does_not_hold(desk):
    verdict = desk.case.vet()
    claimed = dataclasses.replace(
        desk.decide(verdict, "ann"), public_key=desk.keys["bob"], seal=""
    )
    seal = SshSealer(desk.folder / "ann").seal(
        sealed_bytes(claimed), namespace=NAMESPACE
    )
    desk.rewrite(claimed, seal=seal)
    with pytest.raises(ApprovalError, match="another key than the one that sealed it"):
        desk.demand(verdict)


def test_a_verdict_changed_after_its_approval_is_refused(desk):
    verdict = desk.case.vet()
    desk.decide(verdict)
    looser = dataclasses.replace(verdict, metrics={})
    with pytest.raises(ApprovalError, match="the verdict was changed after"):
        desk.demand(looser)


def test_the_changed_digest_is_named(desk):
    verdict = desk.case.vet()
    desk.decide(verdict)
    subject = {**verdict.subject, "lock": "1" * 64}
    with pytest.raises(ApprovalError, match="changed since: lock"):
        desk.demand(dataclasses.replace(verdict, subject=subject))


def test_an_approval_of_an_earlier_verdict_does_not_carry_over(desk):
    earlier = desk.case.vet()
    desk.decide(earlier)
    later = desk.case.vet(
        Finding(code="NB102", severity=Severity.NOTE, message="order"),
        verdict_id="verdict-20261123-093000-4dff",
    )
    with pytest.raises(ApprovalError) as caught:
        desk.demand(later)
    assert f"it answers {VERDICT_ID}; changed since: findings" in caught.value.message


def test_a_verdict_is_found_by_id_beginning_and_last(desk):
    first = desk.case.vet()
    last = desk.case.vet(verdict_id="verdict-20261124-093000-4dff")
    assert find_verdict(desk.store, "last") == last
    assert find_verdict(desk.store, first.id) == first
    assert find_verdict(desk.store, "20261123") == first
    with pytest.raises(RecordNotFoundError, match="begins 2 verdicts"):
        find_verdict(desk.store, "verdict-2026")
    with pytest.raises(RecordNotFoundError, match="is no verdict"):
        find_verdict(desk.store, "job-1")

"""Reviewers answer a verdict; releases ask whether the answers hold.

An approval is sealed with its reviewer's key and bound to the digest of one verdict. The
newest answer of each key counts: a later rejection cancels an approval, and the reverse.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from nbship.errors import ApprovalError, RecordNotFoundError
from nbship.records.ssh import key_of, keys_of
from nbship.records.vetting import Approval, Decision, Severity
from nbship.workflow.approvals import (
    NAMESPACE,
    objection_to,
    sealed_bytes,
    verdict_digest,
)
from nbship.workflow.meant import meant_ids
from nbship.workflow.vetting import load_verdict

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from nbship.ports import Store
    from nbship.ports_shipping import Sealer
    from nbship.records.policy import Policy
    from nbship.records.vetting import Verdict


def decide(  # noqa: PLR0913  # the fields of the record
    store: Store,
    verdict: Verdict,
    *,
    decision: Decision,
    reason: str,
    reviewer: str,
    reviewers: Sequence[str],
    sealer: Sealer,
    approval_id: str,
    at: datetime,
) -> Approval:
    """Seal a reviewer's answer to a verdict and save it.

    Parameters
    ----------
    store
        Where the approval is saved.
    verdict
        What the reviewer looked at.
    decision
        The answer.
    reason
        Why; not empty.
    reviewer
        The person's name.
    reviewers
        Public keys that may approve; any key where empty.
    sealer
        Holds the reviewer's key.
    approval_id, at
        Identity and time of the record.

    Raises
    ------
    ApprovalError
        If the verdict blocks and the answer is yes, the reason is empty, the key cannot be
        read, or is not among ``reviewers``.
    """
    if decision is Decision.APPROVED and not verdict.passed:
        raise ApprovalError(
            f"{verdict.id}: it blocks ({_blockers(verdict)}), and a blocked verdict cannot be approved",
            hint="Mend the notebook or waive the finding, then vet again.",
        )
    if not reason.strip():
        raise ApprovalError(
            f"{verdict.id}: no reason was given",
            hint='Say why: --reason "…"',
        )
    allowed = keys_of(reviewers)
    public_key = key_of(sealer.public_key())
    if allowed and public_key not in allowed:
        raise ApprovalError(
            f"{verdict.id}: your key is not among the {len(allowed)} of review.reviewers: {public_key}",
            hint="Seal with a reviewer's key (review.key, MLOPS_REVIEW_KEY), or have yours added.",
        )
    unsealed = Approval(
        id=approval_id,
        verdict_id=verdict.id,
        verdict_digest=verdict_digest(verdict),
        subject=dict(verdict.subject),
        decision=decision,
        reason=reason.strip(),
        reviewer=reviewer,
        decided_at=at,
        public_key=public_key,
    )
    seal = sealer.seal(sealed_bytes(unsealed), namespace=NAMESPACE)
    approval = dataclasses.replace(unsealed, seal=seal)
    store.save(approval, store.record_path(approval.id))
    return approval


def approvals_of(
    store: Store, verdict: Verdict, *, reviewers: Sequence[str], sealer: Sealer
) -> tuple[Approval, ...]:
    """Return the approvals of a verdict that hold, oldest first, at most one a key."""
    answers = answers_to(store, verdict, reviewers=reviewers, sealer=sealer)
    return tuple(a for a in answers if a.decision is Decision.APPROVED)


def answers_to(
    store: Store, verdict: Verdict, *, reviewers: Sequence[str], sealer: Sealer
) -> tuple[Approval, ...]:
    """Return the newest valid answer of each key, yes or no, oldest first."""
    allowed = keys_of(reviewers)
    newest: dict[str, Approval] = {}
    for approval in sorted(_all(store), key=lambda a: (a.decided_at, a.id)):
        if not objection_to(approval, verdict, allowed=allowed, sealer=sealer):
            newest.pop(key_of(approval.public_key), None)
            newest[key_of(approval.public_key)] = approval
    return tuple(newest.values())


def demand_approvals(
    store: Store,
    verdict: Verdict,
    *,
    policy: Policy,
    reviewers: Sequence[str],
    sealer: Sealer,
) -> tuple[Approval, ...]:
    """Return the approvals that let a verdict's job be released.

    Raises
    ------
    ApprovalError
        If a reviewer's rejection stands, or fewer reviewers approved than the policy wants;
        the message says which approvals do not hold, and which digest changed.
    """
    answers = answers_to(store, verdict, reviewers=reviewers, sealer=sealer)
    rejections = [a for a in answers if a.decision is Decision.REJECTED]
    if rejections:
        said = "; ".join(f"{a.reviewer}: {a.reason}" for a in rejections)
        raise ApprovalError(
            f"{verdict.id}: rejected by {said}",
            hint="Settle it and vet again, or have the same reviewer approve.",
        )
    if len(answers) < policy.approvals:
        lines = [
            f"{verdict.id}: {len(answers)} valid approvals, {policy.approvals} wanted",
            *invalid_answers(store, verdict, reviewers=reviewers, sealer=sealer),
        ]
        raise ApprovalError(
            "\n".join(lines),
            hint=f'A reviewer says: mlops approve {verdict.id} --reason "…"',
        )
    return answers


def invalid_answers(
    store: Store, verdict: Verdict, *, reviewers: Sequence[str], sealer: Sealer
) -> tuple[str, ...]:
    """Say why other answers to the same notebook do not hold for a verdict, one line each."""
    allowed = keys_of(reviewers)
    snapshot = verdict.subject.get("snapshot")
    lines = []
    for approval in _all(store):
        is_related = (
            approval.verdict_id == verdict.id
            or approval.subject.get("snapshot") == snapshot
        )
        why = objection_to(approval, verdict, allowed=allowed, sealer=sealer)
        if is_related and why:
            lines.append(f"{approval.id} by {approval.reviewer} does not hold: {why}")
    return tuple(lines)


def find_verdict(store: Store, name: str) -> Verdict:
    """Read the verdict that a person means.

    Parameters
    ----------
    store
        Where verdicts lie.
    name
        ``last``, an id, or the beginning of one id (with or without ``verdict-``).

    Raises
    ------
    RecordNotFoundError
        If no verdict is meant, or several are.
    """
    found = meant_ids(
        store.ids("verdict"),
        name,
        made_at=lambda i: load_verdict(store, i).vetted_at,
    )
    if len(found) != 1:
        what = f"begins {len(found)} verdicts" if found else "is no verdict"
        raise RecordNotFoundError(
            f"{store.folder}: {name!r} {what}",
            hint="Give more of the id." if found else "Make one: mlops vet JOB",
        )
    return load_verdict(store, found[0])


def _all(store: Store) -> Iterable[Approval]:
    ids = store.ids("approval")
    return (store.load(Approval, store.record_path(i)) for i in ids)


def _blockers(verdict: Verdict) -> str:
    codes = [
        f.code
        for f in verdict.findings
        if f.severity is Severity.BLOCKER and f.waiver is None
    ]
    return ", ".join(dict.fromkeys(codes)) or "it did not pass"

"""What must be shown before anything is sealed: a passed verdict, and its approvals.

Both are types of their own, made by the checks below and by nothing else, so that no caller
of a release can leave a check out.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from nbship.errors import JobError, ReleaseError
from nbship.records.job import JobStatus
from nbship.records.vetting import Decision

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from nbship.records.job import CapturedRoot, Job, Outcome
    from nbship.records.vetting import Approval, Verdict

_CHECKED = object()


@dataclass(frozen=True, kw_only=True, slots=True)
class PassedVerdict:
    """A verdict that passed, over what lies in the store now; see :func:`passed_verdict`."""

    verdict: Verdict
    checked: object = field(repr=False, compare=False)

    def __post_init__(self) -> None:
        _demand(self.checked, "passed_verdict")


@dataclass(frozen=True, kw_only=True, slots=True)
class Approvals:
    """As many approvals of one verdict as the policy wants; see :func:`enough_approvals`."""

    approvals: tuple[Approval, ...]
    verdict_digest: str
    checked: object = field(repr=False, compare=False)

    def __post_init__(self) -> None:
        _demand(self.checked, "enough_approvals")


def passed_verdict(
    verdict: Verdict | None, *, job_id: str, subject: Mapping[str, str]
) -> PassedVerdict:
    """Check that a verdict passed and is about what lies in the store now.

    Parameters
    ----------
    verdict
        The latest verdict over the job; None where it was never vetted.
    job_id
        The job, for the message.
    subject
        The subject recomputed from job and outcome.

    Raises
    ------
    ReleaseError
        If there is no verdict, it blocks, or its subject is another one.
    """
    if verdict is None:
        raise ReleaseError(f"{job_id}: never vetted", hint=f"mlops vet {job_id}")
    if not verdict.passed:
        raise ReleaseError(
            f"{job_id}: the latest verdict, {verdict.id}, blocks it",
            hint=f"Read `mlops vet {job_id}` and mend what it names.",
        )
    keys = sorted(set(subject) | set(verdict.subject))
    changed = [key for key in keys if subject.get(key) != verdict.subject.get(key)]
    if changed:
        raise ReleaseError(
            f"{job_id}: {', '.join(changed)} changed since {verdict.id} was given",
            hint=f"Vet what is there now: mlops vet {job_id}",
        )
    return PassedVerdict(verdict=verdict, checked=_CHECKED)


def enough_approvals(
    valid: Sequence[Approval], *, verdict_digest: str, needed: int
) -> Approvals:
    """Check that enough different reviewers approved one verdict.

    Parameters
    ----------
    valid
        The approvals whose seals hold.
    verdict_digest
        Digest of the verdict's canonical JSON.
    needed
        Approvals by different keys that the policy wants.

    Raises
    ------
    ReleaseError
        If one of them says no or is about another verdict, or there are too few.
    """
    for approval in valid:
        if approval.verdict_digest != verdict_digest:
            raise ReleaseError(
                f"{approval.id}: given to another verdict",
                hint=f"Approve the latest one: mlops approve {approval.verdict_id}",
            )
        if approval.decision is not Decision.APPROVED:
            raise ReleaseError(
                f"{approval.id}: {approval.reviewer} rejected it: {approval.reason}",
                hint="Mend what the reviewer named, and submit again.",
            )
    reviewers = {approval.public_key or approval.reviewer for approval in valid}
    if len(reviewers) < needed:
        raise ReleaseError(
            f"{len(reviewers)} of {needed} approvals",
            hint="Ask a reviewer for `mlops approve VERDICT --reason …`.",
        )
    return Approvals(
        approvals=tuple(valid), verdict_digest=verdict_digest, checked=_CHECKED
    )


def choose_root(job: Job, outcome: Outcome | None, *, name: str = "") -> CapturedRoot:
    """Choose the captured root of a succeeded job.

    Parameters
    ----------
    job
        The job.
    outcome
        What it left behind; None where it did not end.
    name
        The root asked for; "" where the job has one.

    Raises
    ------
    JobError
        If the job did not succeed, captured no such root, or captured several and none
        was named.
    """
    if outcome is None or outcome.status is not JobStatus.SUCCEEDED:
        stands = "did not end" if outcome is None else outcome.status.value
        raise JobError(
            f"{job.id}: {stands}; only a succeeded job is released",
            hint=f"mlops logs {job.id}",
        )
    if not outcome.roots:
        raise JobError(
            f"{job.id}: captured no root, and it is never silently run again",
            hint="Declare roots in [tool.mlops.export] before the job, then submit.",
        )
    names = [root.name for root in outcome.roots]
    if not name and len(names) > 1:
        raise JobError(
            f"{job.id}: captured {', '.join(names)}", hint="Name one: --root NAME"
        )
    for root in outcome.roots:
        if root.name == (name or names[0]):
            if root.refusal:
                raise JobError(
                    f"{job.id}: {root.name} was not captured: {root.refusal}",
                    hint=root.hint,
                )
            return root
    raise JobError(
        f"{job.id}: no root {name!r}; it captured {', '.join(names)}",
        hint="Name one of those: --root NAME",
    )


def _demand(checked: object, function: str) -> None:
    if checked is not _CHECKED:
        raise TypeError(f"made by {function}() only, which does the checks")

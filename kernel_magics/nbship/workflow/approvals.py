"""Whether a sealed answer holds for a verdict."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from nbship.errors import ApprovalError
from nbship.records.codec import to_json
from nbship.records.digest import canonical_json, digest_json
from nbship.records.ssh import key_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nbship.ports_shipping import Sealer
    from nbship.records.vetting import Approval, Verdict

#: what the seals of approvals are for
NAMESPACE = "nbship-approval"


def objection_to(
    approval: Approval, verdict: Verdict, *, allowed: Iterable[str], sealer: Sealer
) -> str:
    """Say why an approval does not hold for a verdict; "" where it does.

    Parameters
    ----------
    approval
        A sealed answer.
    verdict
        What it must be about.
    allowed
        Keys that may approve, as :func:`key_of` gives them; any where empty.
    sealer
        Checks the seal.
    """
    try:
        sealed_by = sealed_key(approval, sealer)
    except ApprovalError as error:
        return error.message
    keys = set(allowed)
    if keys and sealed_by not in keys:
        return "its key is not among review.reviewers"
    changed = _changes(approval, verdict)
    if approval.verdict_id != verdict.id:
        return f"it answers {approval.verdict_id}{changed}"
    if changed or approval.verdict_digest != verdict_digest(verdict):
        return f"the verdict was changed after it was answered{changed}"
    return ""


def sealed_key(approval: Approval, sealer: Sealer) -> str:
    """Return the key that sealed an approval, as :func:`key_of` gives it.

    Raises
    ------
    ApprovalError
        If the seal does not hold, or the record names another key.
    """
    message = sealed_bytes(approval)
    key = key_of(sealer.check_seal(message, approval.seal, namespace=NAMESPACE))
    if key != key_of(approval.public_key):
        raise ApprovalError(
            f"{approval.id}: it names another key than the one that sealed it",
            hint="Have the verdict answered again.",
        )
    return key


def verdict_digest(verdict: Verdict) -> str:
    """Return the digest that approvals are bound to."""
    return digest_json(to_json(verdict))


def sealed_bytes(approval: Approval) -> bytes:
    """Return what the seal covers: the record's canonical JSON with an empty seal."""
    unsealed = dataclasses.replace(approval, seal="")
    return canonical_json(to_json(unsealed)).encode("utf-8", "surrogatepass")


def _changes(approval: Approval, verdict: Verdict) -> str:
    before, now = dict(approval.subject), dict(verdict.subject)
    keys = [k for k in {**now, **before} if before.get(k) != now.get(k)]
    return f"; changed since: {', '.join(keys)}" if keys else ""

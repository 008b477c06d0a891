"""What a verdict is about, as digests that an approval is bound to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nbship.records.codec import to_json
from nbship.records.digest import digest_json

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nbship.records.job import Job, Outcome
    from nbship.records.vetting import Finding


def subject_of(
    job: Job, outcome: Outcome, findings: Iterable[Finding]
) -> dict[str, str]:
    """Return the digests that a verdict, its approvals and a release must agree on.

    Parameters
    ----------
    job
        The planned job.
    outcome
        What it left behind.
    findings
        The verdict's findings, in its order, waivers included.

    Returns
    -------
    dict of str to str
        sha256 by ``snapshot``, ``values``, ``lock``, ``data``, ``outcome``, ``findings``.
    """
    data = sorted((item.path, item.digest) for item in outcome.data)
    return {
        "snapshot": job.snapshot_digest,
        "values": digest_json(to_json(job.values)),
        "lock": job.lock_digest,
        "data": digest_json([list(pair) for pair in data]),
        "outcome": digest_json(to_json(outcome)),
        "findings": digest_json([to_json(finding) for finding in findings]),
    }

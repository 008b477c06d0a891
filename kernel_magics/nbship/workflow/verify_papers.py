"""Whether the papers of a bundle tell of what lies beside them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nbship.errors import ApprovalError
from nbship.records.codec import to_json
from nbship.records.digest import digest_json
from nbship.records.job import Job, Lock, Outcome
from nbship.records.ssh import keys_of
from nbship.records.vetting import Approval, Verdict
from nbship.release.audit import provenance_failures
from nbship.release.lock_text import lock_hashes, read_lock
from nbship.release.model_signature import (
    MODEL_SIGNATURE,
    MODEL_SIGNER,
    read_signature,
    signature_text,
    signed_bytes,
    signed_payload,
)
from nbship.release.platforms import platform_failures
from nbship.release.provenance import STATEMENT, statement_failures
from nbship.release.sbom import SBOM, bill_failures
from nbship.release.serving_lock import SERVE_LOCK, lock_differences
from nbship.release.wheelhouse import WHEELHOUSE, wheelhouse_failures
from nbship.vetting.subject import subject_of
from nbship.workflow.approvals import objection_to
from nbship.workflow.bundle_files import read_record
from nbship.workflow.export import LOCK

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nbship.records.release import Manifest
    from nbship.workflow.auditing import Audit

_RECORDS = (
    "provenance/job.json",
    "provenance/outcome.json",
    "reports/verdict.json",
)


def ask_provenance(audit: Audit) -> None:
    """Compare notebook, job, outcome, verdict and captured state with each other."""
    if audit.manifest is None or not audit.has(*_RECORDS):
        return
    job = read_record(Job, audit.files["provenance/job.json"])
    outcome = read_record(Outcome, audit.files["provenance/outcome.json"])
    verdict = read_record(Verdict, audit.files["reports/verdict.json"])
    audit.failures += provenance_failures(
        audit.manifest, job=job, outcome=outcome, verdict=verdict
    )
    subject = subject_of(job, outcome, verdict.findings)
    audit.failures += [
        f"reports/verdict.json: given to another {key}"
        for key, digest in subject.items()
        if verdict.subject.get(key) != digest
    ]
    copies = {
        "notebook/input.ipynb": job.snapshot_digest,
        "notebook/executed.ipynb": outcome.output_digest,
    }
    audit.failures += [
        f"{name}: not the one that was vetted"
        for name, digest in copies.items()
        if digest and audit.digests.get(name, digest) != digest
    ]
    if audit.has("provenance/lock.json"):
        lock = read_record(Lock, audit.files["provenance/lock.json"])
        if digest_json(to_json(lock)) != job.lock_digest:
            audit.failures.append("provenance/lock.json: not the one that was vetted")
    audit.checks.append("notebook, job, outcome, verdict and captured state together")


def ask_approvals(audit: Audit) -> None:
    """Check the seals of the approvals."""
    if audit.manifest is None or not audit.has("reports/verdict.json"):
        return
    verdict = read_record(Verdict, audit.files["reports/verdict.json"])
    allowed = keys_of(audit.trust.reviewers)
    for approval_id in audit.manifest.approvals:
        name = f"reports/approvals/{approval_id}.json"
        if not audit.has(name):
            continue
        approval = read_record(Approval, audit.files[name])
        why = objection_to(
            approval, verdict, allowed=allowed, sealer=audit.with_.sealer
        )
        audit.failures += [f"{name}: does not hold: {why}"] if why else []
    count = len(audit.manifest.approvals)
    audit.checks.append(f"the seal of {count} approval{'s' if count != 1 else ''}")


def ask_bill(audit: Audit) -> None:
    """Compare the bill of materials and the wheelhouse with the lock."""
    manifest = audit.manifest
    serves = SERVE_LOCK in audit.listed or audit.has(SERVE_LOCK)
    whole = SERVE_LOCK if serves else LOCK
    if manifest is None or not audit.has(LOCK, whole, manifest.wheel):
        return
    lock = audit.text(whole)
    pins, hashes = read_lock(lock), lock_hashes(lock)
    audit.failures += lock_differences(read_lock(audit.text(LOCK)), pins)
    _ask_platforms(audit, manifest, {whole: pins})
    wheel = audit.digests[manifest.wheel]
    if audit.has(SBOM):
        audit.compare(
            SBOM,
            lambda bill: bill_failures(
                bill, pins=pins, hashes=hashes, wheel_digest=wheel
            ),
        )
        audit.checks.append(f"{SBOM} against the lock")
    house = f"{WHEELHOUSE}/"
    wheels = {
        name.removeprefix(house): digest
        for name, digest in audit.digests.items()
        if name.startswith(house)
    }
    if wheels:
        audit.failures += wheelhouse_failures(wheels, hashes)
        audit.checks.append(f"{len(wheels)} wheels against the lock")


def _ask_platforms(
    audit: Audit, manifest: Manifest, locks: dict[str, Mapping[str, str]]
) -> None:
    """Read the locks of platforms where nothing was replayed: pins with hashes, as told."""
    others = [e.lock for e in manifest.platforms if e.state == "resolved"]
    for name in others:
        if audit.has(name):
            locks[name] = read_lock(audit.text(name))
    audit.failures += platform_failures(manifest.platforms, locks)
    if others:
        is_one = len(others) == 1
        count = (
            "1 lock of a platform" if is_one else f"{len(others)} locks of platforms"
        )
        audit.checks.append(f"{count} without a replay")


def ask_statement(audit: Audit) -> None:
    """Compare the statement of provenance with what lies beside it."""
    manifest = audit.manifest
    if manifest is None or not audit.has(STATEMENT):
        return
    audit.compare(
        STATEMENT,
        lambda statement: statement_failures(
            statement, manifest, digests=audit.digests
        ),
    )
    audit.checks.append("the statement of provenance")


def ask_model_signature(audit: Audit) -> None:
    """Check the signature for OpenSSF's model-signing, by the key that lies beside it.

    That key is no more to be trusted than the bundle: it stands under the seal.
    """
    if not audit.has(MODEL_SIGNATURE) and not audit.has(MODEL_SIGNER):
        audit.notices.append(f"no {MODEL_SIGNATURE} for model-signing's own command")
        return
    audit.checks.append(f"{MODEL_SIGNATURE}, for model-signing's own command")
    missing = [n for n in (MODEL_SIGNATURE, MODEL_SIGNER) if not audit.has(n)]
    if missing or audit.manifest is None:
        audit.failures += [f"{name}: missing" for name in missing]
        return
    text, key = audit.text(MODEL_SIGNATURE), audit.text(MODEL_SIGNER)
    # over what is sealed: files that differ from it are named already
    payload = signed_payload(audit.manifest.name, audit.listed or audit.digests)
    try:
        signature = read_signature(text)
        audit.with_.model_sealer.check(signed_bytes(payload), signature, public_key=key)
    except (ApprovalError, ValueError) as error:
        audit.failures.append(
            f"{MODEL_SIGNATURE}: does not sign these files with {MODEL_SIGNER}: {error}"
        )
        return
    if signature_text(payload, signature, public_key=key) != text:
        audit.failures.append(f"{MODEL_SIGNATURE}: changed: not as it was written")

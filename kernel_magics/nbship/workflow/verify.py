"""Whether a bundle is what was sealed: every check is asked, and every failure named.

The replay is always asked for, also where a checksum is wrong, since it names the golden case
that somebody changed. It runs code of the bundle: in a new environment, with a bare environment
of variables, an empty home and no network.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from nbship.errors import ApprovalError, NbshipError, VerificationError
from nbship.records.codec import to_json
from nbship.records.digest import digest_bytes, digest_file, digest_json
from nbship.records.job import Job, Lock, Outcome
from nbship.records.release import Manifest, Verification
from nbship.records.ssh import fingerprint, is_canonical, key_of, keys_of
from nbship.records.vetting import Approval, Verdict
from nbship.release.audit import (
    file_failures,
    manifest_failures,
    provenance_failures,
    wheel_failures,
)
from nbship.release.parity import notes_of
from nbship.release.schemas import PLACES
from nbship.release.sums import MANIFEST, NAMESPACE, SEAL, SIGNER, SUMS, read_sums
from nbship.vetting.subject import subject_of
from nbship.workflow.approvals import objection_to
from nbship.workflow.bundle_files import read_record, regular_files
from nbship.workflow.pickle_scan import pickle_failures

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from nbship.ports_shipping import PackageBuilder, Replayer, Sealer
    from nbship.records.release import ParityReport

#: files of the bundle that repeat files of the package
_BESIDE = {
    "capture.json": "provenance/capture.json",
    "golden.jsonl": "tests/golden.jsonl",
    "model.py": "src/model.py",
    **PLACES,
}
_RECORDS = (
    "provenance/job.json",
    "provenance/outcome.json",
    "reports/verdict.json",
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Trust:
    """Whom and what the reader of a bundle trusts."""

    #: the bundle's digest, told over another channel; "" where it is not known
    expect: str = ""
    #: public keys that may seal bundles; any where empty
    signers: Sequence[str] = ()
    #: public keys that may approve; any where empty
    reviewers: Sequence[str] = ()


@dataclass(slots=True)
class _Audit:
    """A bundle while it is looked at."""

    bundle: Path
    trust: Trust
    reader: PackageBuilder
    replayer: Replayer
    sealer: Sealer
    files: dict[str, Path] = field(default_factory=dict)
    listed: dict[str, str] = field(default_factory=dict)
    manifest: Manifest | None = None
    failures: list[str] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)
    checks: list[str] = field(default_factory=list)
    signer: str = ""
    parity: ParityReport | None = None

    def has(self, *names: str) -> bool:
        """Tell whether files are there to be looked into; missing ones are named already."""
        return all(name in self.files for name in names)


def verify(
    bundle: Path,
    *,
    trust: Trust,
    reader: PackageBuilder,
    replayer: Replayer,
    sealer: Sealer,
) -> Verification:
    """Ask everything that a bundle can be asked.

    Parameters
    ----------
    bundle
        Its folder.
    trust
        Expected digest, trusted signers and reviewers.
    reader, replayer, sealer
        Read wheels, replay golden cases, check seals.

    Raises
    ------
    VerificationError
        If ``bundle`` is no folder.
    """
    if not bundle.is_dir():
        raise VerificationError(
            f"{bundle}: no such folder",
            hint=f"Give the bundle's folder, the one that holds {SUMS}.",
        )
    audit = _Audit(
        bundle=bundle, trust=trust, reader=reader, replayer=replayer, sealer=sealer
    )
    for ask in _QUESTIONS:
        try:
            ask(audit)
        except NbshipError as error:
            audit.failures.append(error.message)
            audit.notices += [error.hint] if error.hint else []
    return Verification(
        bundle=str(bundle),
        digest=digest_file(audit.files[SUMS]) if audit.has(SUMS) else "",
        passed=not audit.failures,
        failures=tuple(dict.fromkeys(audit.failures)),
        notices=tuple(dict.fromkeys(audit.notices)),
        checks=tuple(audit.checks),
        signer=audit.signer,
        parity=audit.parity,
    )


def _files(audit: _Audit) -> None:
    found = regular_files(audit.bundle)
    links = [name for name, path in found.items() if path.is_symlink()]
    audit.failures += [f"{name}: a link where a file was expected" for name in links]
    audit.files = {name: path for name, path in found.items() if name not in links}
    audit.failures += [f"{name}: missing" for name in (SUMS, SEAL) if name not in found]
    if not audit.has(SUMS):
        return
    text = audit.files[SUMS].read_bytes().decode("utf-8", "replace")
    audit.listed, failures = read_sums(text)
    digests = {
        name: digest_file(path)
        for name, path in audit.files.items()
        if name not in {SUMS, SEAL}
    }
    audit.failures += failures
    audit.failures += file_failures(audit.listed, digests)
    audit.checks.append(f"{len(digests)} files against {SUMS}")


def _seal(audit: _Audit) -> None:
    if not audit.has(SUMS):
        return
    message = audit.files[SUMS].read_bytes()
    digest, expected = digest_bytes(message), audit.trust.expect.lower()
    if expected:
        audit.checks.append("the expected digest")
        if digest != expected:
            audit.failures.append(
                f"{SUMS}: the bundle's digest is {digest} where {expected} was expected"
            )
    if not audit.has(SEAL):
        return
    seal = audit.files[SEAL].read_bytes().decode("utf-8", "replace")
    audit.checks.append(f"the seal over {SUMS}")
    try:
        signer = audit.sealer.check_seal(message, seal, namespace=NAMESPACE)
    except ApprovalError as error:
        audit.failures.append(f"{SEAL} does not seal this {SUMS}: {error.message}")
        return
    if not is_canonical(seal):
        audit.failures.append(f"{SEAL}: changed: not as it was written")
    audit.signer = signer
    if audit.has(SIGNER) and _line_of(audit.files[SIGNER]) != signer:
        audit.failures.append(f"{SIGNER}: another key than the one that sealed")
    _check_signer(audit, signer)


def _check_signer(audit: _Audit, signer: str) -> None:
    known = keys_of(audit.trust.signers)
    if not known:
        audit.notices.append(
            f"sealed by {fingerprint(signer)}, which is on no list of yours:"
            " compare the digest with --expect, or name the keys you trust with --signer"
        )
    elif key_of(signer) not in known:
        audit.failures.append(
            f"{SEAL}: sealed by {fingerprint(signer)}, not by a key that you trust"
        )


def _manifest(audit: _Audit) -> None:
    if not audit.has(MANIFEST):
        return
    audit.manifest = read_record(Manifest, audit.files[MANIFEST])
    if audit.listed:
        changed = {failure.partition(":")[0] for failure in audit.failures}
        audit.failures += [
            failure
            for failure in manifest_failures(audit.manifest, audit.listed)
            if failure.partition(":")[0] not in changed
        ]
    audit.checks.append(f"{MANIFEST} against {SUMS}")


def _wheel(audit: _Audit) -> None:
    manifest = audit.manifest
    if manifest is None or not audit.has(manifest.wheel):
        return
    files = audit.reader.read(audit.files[manifest.wheel])
    beside = {
        name: audit.files[path].read_bytes()
        for name, path in _BESIDE.items()
        if audit.has(path)
    }
    audit.failures += wheel_failures(
        files, manifest=manifest, beside=beside, version=manifest.version
    )
    audit.checks.append("the wheel against its RECORD and against the captured state")


def _provenance(audit: _Audit) -> None:
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
        if digest and audit.has(name) and digest_file(audit.files[name]) != digest
    ]
    if audit.has("provenance/lock.json"):
        lock = read_record(Lock, audit.files["provenance/lock.json"])
        if digest_json(to_json(lock)) != job.lock_digest:
            audit.failures.append("provenance/lock.json: not the one that was vetted")
    audit.checks.append("notebook, job, outcome, verdict and captured state together")


def _approvals(audit: _Audit) -> None:
    if audit.manifest is None or not audit.has("reports/verdict.json"):
        return
    verdict = read_record(Verdict, audit.files["reports/verdict.json"])
    allowed = keys_of(audit.trust.reviewers)
    for approval_id in audit.manifest.approvals:
        name = f"reports/approvals/{approval_id}.json"
        if not audit.has(name):
            continue
        approval = read_record(Approval, audit.files[name])
        why = objection_to(approval, verdict, allowed=allowed, sealer=audit.sealer)
        audit.failures += [f"{name}: does not hold: {why}"] if why else []
    count = len(audit.manifest.approvals)
    audit.checks.append(f"the seal of {count} approval{'s' if count != 1 else ''}")


def _replay(audit: _Audit) -> None:
    manifest = audit.manifest
    lock = "requirements.lock"
    if manifest is None or not audit.has(manifest.wheel, lock):
        audit.notices.append("nothing was replayed: wheel, lock or manifest is missing")
        return
    audit.reader.read(audit.files[manifest.wheel])
    parity = audit.replayer.replay(
        audit.files[manifest.wheel],
        audit.files[lock],
        package=manifest.package,
        python_version=manifest.python_version,
    )
    audit.parity = parity
    audit.failures += [f"replay: {text}" for text in parity.differences]
    audit.notices += notes_of(parity)
    audit.checks.append(f"{parity.cases_text}, replayed twice")


def _pickles(audit: _Audit) -> None:
    failures, count = pickle_failures(audit.files)
    audit.failures += failures
    audit.checks.append(f"no pickle in {count} files, looked for by what they hold")


def _line_of(path: Path) -> str:
    return path.read_bytes().decode("utf-8", "replace").removesuffix("\n")


_QUESTIONS = (
    _files,
    _seal,
    _manifest,
    _wheel,
    _pickles,
    _provenance,
    _approvals,
    _replay,
)

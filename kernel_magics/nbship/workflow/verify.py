"""Whether a bundle is what was sealed: every check is asked, and every failure named.

The replay is always asked for, also where a checksum is wrong, since it names the golden case
that somebody changed. It runs code of the bundle: in a new environment, with a bare environment
of variables, an empty home and no network.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nbship.errors import ApprovalError, NbshipError, VerificationError
from nbship.records.digest import digest_bytes
from nbship.records.release import Manifest, Verification
from nbship.records.ssh import fingerprint, is_canonical, key_of, keys_of
from nbship.release.audit import file_failures, manifest_failures, wheel_failures
from nbship.release.parity import notes_of
from nbship.release.schemas import PLACES
from nbship.release.sums import MANIFEST, NAMESPACE, SEAL, SIGNER, SUMS, read_sums
from nbship.workflow.auditing import Audit, Instruments, Trust
from nbship.workflow.bundle_files import read_record, regular_files
from nbship.workflow.export import LOCK
from nbship.workflow.pickle_scan import pickle_failures
from nbship.workflow.verify_papers import (
    ask_approvals,
    ask_bill,
    ask_model_signature,
    ask_provenance,
    ask_statement,
)

if TYPE_CHECKING:
    from pathlib import Path

    from nbship.ports_shipping import ModelSealer, PackageBuilder, Replayer, Sealer

__all__ = ["Trust", "verify"]

#: files of the bundle that repeat files of the package
_BESIDE = {
    "capture.json": "provenance/capture.json",
    "golden.jsonl": "tests/golden.jsonl",
    "model.py": "src/model.py",
    **PLACES,
}


def verify(  # noqa: PLR0913  # the ports that a bundle is asked with
    bundle: Path,
    *,
    trust: Trust,
    reader: PackageBuilder,
    replayer: Replayer,
    sealer: Sealer,
    model_sealer: ModelSealer,
) -> Verification:
    """Ask everything that a bundle can be asked.

    Parameters
    ----------
    bundle
        Its folder.
    trust
        Expected digest, trusted signers and reviewers.
    reader, replayer, sealer, model_sealer
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
    instruments = Instruments(
        reader=reader, replayer=replayer, sealer=sealer, model_sealer=model_sealer
    )
    audit = Audit(bundle=bundle, trust=trust, with_=instruments)
    for ask in _QUESTIONS:
        try:
            ask(audit)
        except NbshipError as error:
            audit.failures.append(error.message)
            audit.notices += [error.hint] if error.hint else []
    return Verification(
        bundle=str(bundle),
        digest=audit.digests.get(SUMS, ""),
        passed=not audit.failures,
        failures=tuple(dict.fromkeys(audit.failures)),
        notices=tuple(dict.fromkeys(audit.notices)),
        checks=tuple(audit.checks),
        signer=audit.signer,
        parity=audit.parity,
    )


def _files(audit: Audit) -> None:
    found = regular_files(audit.bundle)
    for name, path in found.items():
        if path.is_symlink():
            audit.failures.append(f"{name}: a link where a file was expected")
        elif not path.is_file():  # a pipe would be read for ever
            audit.failures.append(f"{name}: no regular file")
        else:
            audit.add(name, path)
    audit.failures += [f"{name}: missing" for name in (SUMS, SEAL) if name not in found]
    if not audit.has(SUMS):
        return
    audit.listed, failures = read_sums(audit.text(SUMS))
    digests = {n: d for n, d in audit.digests.items() if n not in {SUMS, SEAL}}
    audit.failures += failures
    audit.failures += file_failures(audit.listed, digests)
    audit.checks.append(f"{len(digests)} files against {SUMS}")


def _seal(audit: Audit) -> None:
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
    seal = audit.text(SEAL)
    audit.checks.append(f"the seal over {SUMS}")
    try:
        signer = audit.with_.sealer.check_seal(message, seal, namespace=NAMESPACE)
    except ApprovalError as error:
        audit.failures.append(f"{SEAL} does not seal this {SUMS}: {error.message}")
        return
    if not is_canonical(seal):
        audit.failures.append(f"{SEAL}: changed: not as it was written")
    audit.signer = signer
    if audit.has(SIGNER) and audit.text(SIGNER).removesuffix("\n") != signer:
        audit.failures.append(f"{SIGNER}: another key than the one that sealed")
    _check_signer(audit, signer)


def _check_signer(audit: Audit, signer: str) -> None:
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


def _manifest(audit: Audit) -> None:
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


def _wheel(audit: Audit) -> None:
    manifest = audit.manifest
    if manifest is None or not audit.has(manifest.wheel):
        return
    files = audit.with_.reader.read(audit.files[manifest.wheel])
    beside = {
        name: audit.files[path].read_bytes()
        for name, path in _BESIDE.items()
        if audit.has(path)
    }
    audit.failures += wheel_failures(
        files, manifest=manifest, beside=beside, version=manifest.version
    )
    audit.checks.append("the wheel against its RECORD and against the captured state")


def _replay(audit: Audit) -> None:
    manifest = audit.manifest
    if manifest is None or not audit.has(manifest.wheel, LOCK):
        audit.notices.append("nothing was replayed: wheel, lock or manifest is missing")
        return
    audit.with_.reader.read(audit.files[manifest.wheel])
    parity = audit.with_.replayer.replay(
        audit.files[manifest.wheel],
        audit.files[LOCK],
        package=manifest.package,
        python_version=manifest.python_version,
    )
    audit.parity = parity
    audit.failures += [f"replay: {text}" for text in parity.differences]
    audit.notices += notes_of(parity)
    audit.checks.append(f"{parity.cases_text}, replayed twice")


def _pickles(audit: Audit) -> None:
    failures, count = pickle_failures(audit.files)
    audit.failures += failures
    audit.checks.append(f"no pickle in {count} files, looked for by what they hold")


_QUESTIONS = (
    _files,
    _seal,
    _manifest,
    _wheel,
    _pickles,
    ask_provenance,
    ask_approvals,
    ask_statement,
    ask_bill,
    ask_model_signature,
    _replay,
)

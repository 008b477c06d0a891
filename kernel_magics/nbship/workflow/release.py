"""From a vetted, approved job to a sealed bundle.

The root that ships is the one that was captured in the job's own kernel, byte for byte: nothing
is run again. A verdict that passed and the approvals that the policy wants are arguments of
:func:`release`, of types that only their checks can make.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from nbship.errors import ApprovalError, JobError, ReleaseError
from nbship.records.digest import digest_file, digest_tree
from nbship.records.job import Lock
from nbship.records.release import Release
from nbship.records.ssh import key_of, keys_of
from nbship.records.statements import statements_of
from nbship.release.budgets import Budget
from nbship.release.changelog import version_remark
from nbship.release.clearance import choose_root, enough_approvals, passed_verdict
from nbship.release.facts import Evidence
from nbship.release.names import (
    check_name,
    check_version,
    latest_version,
    next_version,
)
from nbship.release.operating import check_base_image
from nbship.release.sums import SUMS
from nbship.vetting.subject import subject_of
from nbship.workflow.approvals import verdict_digest
from nbship.workflow.bundle import Sources, write_bundle
from nbship.workflow.bundle_files import read_capture
from nbship.workflow.captured import carried_by_job, root_folder
from nbship.workflow.jobs import load_job, published_outcome
from nbship.workflow.recording import recorded_run
from nbship.workflow.release_changes import release_before
from nbship.workflow.report import gather_facts, report_page
from nbship.workflow.review import demand_approvals
from nbship.workflow.vetting import latest_verdict

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime
    from pathlib import Path

    from nbship.ports import Store
    from nbship.ports_shipping import (
        ModelSealer,
        PackageBuilder,
        PageWriter,
        Replayer,
        Sealer,
    )
    from nbship.records.job import CapturedRoot, Job, Outcome
    from nbship.records.policy import Policy
    from nbship.release.advisories import Snapshot
    from nbship.release.clearance import Approvals, PassedVerdict
    from nbship.workflow.report import ReportFacts


@dataclass(frozen=True, kw_only=True, slots=True)
class Wish:
    """What was asked for."""

    #: the import name of the package
    package: str
    #: the bundle's name
    name: str
    #: "" for the one after the latest
    version: str
    owner: str
    at: datetime
    #: name and version of the program
    tool: str
    #: what only the owner can say, holes included
    said: Mapping[str, str] = field(default_factory=lambda: statements_of(()))
    #: name, tag and digest of the image that containers are built on; "" where nobody named one
    base_image: str = ""
    #: known vulnerabilities as of a day; None where nobody gave them
    advisories: Snapshot | None = None
    #: True puts the wheels of the lock into the bundle
    with_wheelhouse: bool = False
    #: platforms to lock for besides that of the replay, as uv names them
    platforms: tuple[str, ...] = ()
    #: what the package may weigh, and how long its import may take
    budget: Budget = field(default_factory=Budget)


@dataclass(frozen=True, kw_only=True, slots=True)
class Makers:
    """The ports that make a bundle."""

    builder: PackageBuilder
    replayer: Replayer
    sealer: Sealer
    pages: PageWriter
    #: renders an executed notebook with the facts of its job
    render_report: Callable[[Path, ReportFacts], str]
    #: None where no key is set: then there is no signature for model-signing
    model_sealer: ModelSealer | None = None


def release_job(  # noqa: PLR0913  # what is asked, what is demanded, and with what
    store: Store,
    job_id: str,
    *,
    root: str,
    wish: Wish,
    policy: Policy,
    reviewers: Sequence[str],
    makers: Makers,
) -> Release:
    """Check everything that a release rests on, then seal it.

    Parameters
    ----------
    store
        Where jobs, verdicts and approvals lie.
    job_id
        The job.
    root
        The captured root; "" where the job has one.
    wish
        Names, version, owner and time.
    policy, reviewers
        What is demanded, and the keys that may approve and seal.
    makers
        The ports.

    Raises
    ------
    JobError
        If the job did not succeed or captured no such root.
    ReleaseError
        If the verdict does not hold, or the bundle cannot be made.
    ApprovalError
        If approvals are missing, or the sealing key is not among the reviewers'.
    """
    job = load_job(store, job_id)
    outcome = published_outcome(store, job_id)
    captured = choose_root(job, outcome, name=root)
    if outcome is None:  # choose_root refused it
        raise JobError(f"{job_id}: no outcome")
    found = latest_verdict(store, job_id)
    findings = found.findings if found else ()
    verdict = passed_verdict(
        found, job_id=job_id, subject=subject_of(job, outcome, findings)
    )
    approvals = enough_approvals(
        demand_approvals(
            store,
            verdict.verdict,
            policy=policy,
            reviewers=reviewers,
            sealer=makers.sealer,
        ),
        verdict_digest=verdict_digest(verdict.verdict),
        needed=policy.approvals,
    )
    _check_sealer(makers.sealer, reviewers)
    return release(
        job,
        outcome,
        verdict,
        approvals,
        captured=captured,
        report=_report(
            store, job_id, wish=wish, policy=policy, reviewers=reviewers, makers=makers
        ),
        wish=wish,
        store=store,
        makers=makers,
    )


def _report(  # noqa: PLR0913  # what a report is made of
    store: Store,
    job_id: str,
    *,
    wish: Wish,
    policy: Policy,
    reviewers: Sequence[str],
    makers: Makers,
) -> str:
    """Render the report as it stands with the approvals; equal ones have equal bytes."""
    facts = gather_facts(
        store,
        job_id,
        report_id=f"of {job_id}",
        at=wish.at,
        tool=wish.tool,
        owner=wish.owner,
        policy=policy,
        reviewers=reviewers,
        sealer=makers.sealer,
    )
    return report_page(store, facts, render=makers.render_report)


def release(  # noqa: PLR0913  # the proofs are arguments, so that none can be left out
    job: Job,
    outcome: Outcome,
    verdict: PassedVerdict,
    approvals: Approvals,
    *,
    captured: CapturedRoot,
    report: str,
    wish: Wish,
    store: Store,
    makers: Makers,
) -> Release:
    """Build, prove and seal a bundle from a captured root.

    Raises
    ------
    ReleaseError
        If the captured root is not the one of the outcome, the version is released already,
        or the replay does not give the golden cases' answers.
    """
    attempt = store.attempt_folder(job.id, outcome.attempt)
    capture_folder = root_folder(attempt / "roots", captured.name)
    check_name(wish.name)
    check_base_image(wish.base_image)
    _check_capture(capture_folder, captured)
    place = store.releases / wish.name
    version, latest = _free_version(place, wish)
    evidence = Evidence(
        name=wish.name,
        version=version,
        package=wish.package,
        released_at=wish.at,
        owner=wish.owner,
        job=job,
        outcome=outcome,
        run=recorded_run(store, outcome.run_id),
        verdict=verdict.verdict,
        verdict_digest=approvals.verdict_digest,
        approvals=approvals.approvals,
        capture=read_capture(capture_folder),
        capture_digest=captured.digest,
        before=release_before(place, latest),
    )
    sources = _sources(store, evidence, capture_folder, report)
    bundle = place / version
    manifest, changes = write_bundle(
        bundle, evidence, store=store, sources=sources, makers=makers, wish=wish
    )
    return Release(
        name=wish.name,
        version=version,
        bundle=str(bundle),
        digest=digest_file(bundle / SUMS),
        wheel=manifest.wheel,
        wheel_digest=digest_file(bundle / manifest.wheel),
        parity=manifest.parity,
        signer=makers.sealer.public_key(),
        suggested_version=changes.suggested_version if changes else "",
        remark=version_remark(changes, version),
    )


def _free_version(place: Path, wish: Wish) -> tuple[str, str]:
    """Return the version to make and the latest one that was made.

    Raises
    ------
    ReleaseError
        If the wished version is none, or was made already.
    """
    released = [path.name for path in place.iterdir()] if place.is_dir() else []
    version = wish.version or next_version(released)
    check_version(version)
    if version in released:
        raise ReleaseError(
            f"{wish.name} {version} is released already; a release is never overwritten",
            hint=f"Leave --version out for {next_version(released)}.",
        )
    return version, latest_version(released)


def _check_capture(folder: Path, captured: CapturedRoot) -> None:
    found = digest_tree(folder) if folder.is_dir() else "nothing"
    if found != captured.digest:
        raise ReleaseError(
            f"{folder}: sha256 {found} where the job captured {captured.digest}",
            hint="The vetted state is gone: submit the job again.",
        )


def _check_sealer(sealer: Sealer, reviewers: Sequence[str]) -> None:
    allowed = keys_of(reviewers)
    if allowed and key_of(sealer.public_key()) not in allowed:
        raise ApprovalError(
            f"your key is not among review.reviewers: {sealer.public_key()}",
            hint="Have one of them run the release, or have your key added.",
        )


def _sources(
    store: Store, evidence: Evidence, capture_folder: Path, report: str
) -> Sources:
    job, outcome = evidence.job, evidence.outcome
    folder = store.job_folder(job.id)
    executed = store.attempt_folder(job.id, outcome.attempt) / "output.ipynb"
    files = {
        "notebook/input.ipynb": folder / "input.ipynb",
        "notebook/executed.ipynb": executed,
    }
    lock = store.load(Lock, folder / "lock.json")
    return Sources(
        capture_folder=capture_folder,
        files={name: path for name, path in files.items() if path.is_file()},
        report=report,
        records={
            "provenance/job.json": job,
            "provenance/lock.json": lock,
            "provenance/outcome.json": outcome,
            "reports/verdict.json": evidence.verdict,
            **{f"reports/approvals/{a.id}.json": a for a in evidence.approvals},
        },
        installed={name: item["version"] for name, item in lock.packages.items()},
        carried=carried_by_job(store, job.id),
    )

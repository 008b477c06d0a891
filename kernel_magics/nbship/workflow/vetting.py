"""Vetting: lay out a finished job, ask the gates, keep the verdict."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from nbship.errors import JobError, RecordNotFoundError, VettingError
from nbship.records.codec import to_json
from nbship.records.digest import digest_file, digest_json
from nbship.records.job import Lock
from nbship.records.release import RootCapture
from nbship.records.vetting import Verdict
from nbship.vetting.dossier import Dossier, lint_sources
from nbship.vetting.verdict import check_policy, judge
from nbship.workflow.bundle_files import CAPTURE
from nbship.workflow.captured import root_folder
from nbship.workflow.jobs import job_status, load_job, published_outcome
from nbship.workflow.meant import is_same_second
from nbship.workflow.recording import recorded_run

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from nbship.ports import Linter, Store
    from nbship.records.job import Job, Outcome
    from nbship.records.notebook import Notebook
    from nbship.records.policy import Policy
    from nbship.vetting.gate import Gate

_ID_LINE = re.compile(r'\s*"id": "([^"\\]+)",?\s*$')


@dataclass(frozen=True, kw_only=True, slots=True)
class Instruments:
    """What a dossier is made with."""

    linter: Linter
    read_notebook: Callable[[Path], Notebook]
    #: import name -> distributions, as the machine's metadata says
    import_providers: Callable[[], Mapping[str, tuple[str, ...]]]
    #: modules that lie in a folder
    local_modules: Callable[[Path], frozenset[str]]


def vet(  # noqa: PLR0913  # the ports of one use case
    store: Store,
    job_id: str,
    *,
    policy: Policy,
    gates: Sequence[Gate],
    instruments: Instruments,
    verdict_id: str,
    at: datetime,
) -> Verdict:
    """Vet a finished job, failed ones included, and keep the verdict.

    Raises
    ------
    RecordNotFoundError
        If there is no such job.
    JobError
        If it has no outcome yet.
    VettingError
        If the policy is wrong, a gate breaks, or the job's files are not those it ran with.
    """
    check_policy(policy, gates)
    dossier = make_dossier(store, job_id, policy=policy, instruments=instruments, at=at)
    verdict = judge(dossier, gates, verdict_id=verdict_id, vetted_at=at)
    store.save(verdict, store.record_path(verdict.id))
    return verdict


def make_dossier(
    store: Store,
    job_id: str,
    *,
    policy: Policy,
    instruments: Instruments,
    at: datetime,
) -> Dossier:
    """Lay out everything that gates may ask about a job.

    Raises
    ------
    RecordNotFoundError
        If there is no such job.
    JobError
        If it has no outcome yet.
    VettingError
        If a file of the job is missing, or is not the one it ran with.
    """
    job = load_job(store, job_id)
    outcome = _outcome_of(store, job)
    folder = store.job_folder(job_id)
    snapshot_path, lock_path = folder / "input.ipynb", folder / "lock.json"
    output_path = store.attempt_folder(job_id, outcome.attempt) / "output.ipynb"
    lock = store.load(Lock, lock_path)
    _check_digest(snapshot_path, _file_digest(snapshot_path), job.snapshot_digest)
    _check_digest(lock_path, digest_json(to_json(lock)), job.lock_digest)
    if outcome.output_digest:
        _check_digest(output_path, _file_digest(output_path), outcome.output_digest)
    snapshot = instruments.read_notebook(snapshot_path)
    return Dossier(
        job=job,
        outcome=outcome,
        snapshot=snapshot,
        policy=policy,
        lock=lock,
        today=at.date(),
        executed=instruments.read_notebook(output_path)
        if outcome.output_digest
        else None,
        run=recorded_run(store, outcome.run_id),
        lint=instruments.linter.lint(lint_sources(snapshot)),
        providers=instruments.import_providers(),
        local_modules=instruments.local_modules(Path(job.cwd))
        if job.cwd
        else frozenset(),
        captures=_captures(store, outcome),
    )


def _captures(store: Store, outcome: Outcome) -> dict[str, RootCapture]:
    roots = store.attempt_folder(outcome.job_id, outcome.attempt) / "roots"
    return {
        root.name: store.load(RootCapture, root_folder(roots, root.name) / CAPTURE)
        for root in outcome.roots
        if root.digest and (root_folder(roots, root.name) / CAPTURE).is_file()
    }


def latest_verdict(store: Store, job_id: str) -> Verdict | None:
    """Return the newest verdict over a job; None where it was never vetted."""
    found: dict[str, Verdict] = {}
    for verdict_id in reversed(store.ids("verdict")):
        if found and not is_same_second(verdict_id, *found):
            break
        verdict = load_verdict(store, verdict_id)
        if verdict.job_id == job_id:
            found[verdict_id] = verdict
    return max(found.values(), key=lambda v: v.vetted_at, default=None)


def load_verdict(store: Store, verdict_id: str) -> Verdict:
    """Read a verdict.

    Raises
    ------
    RecordNotFoundError
        If there is none of that id.
    """
    if verdict_id not in store.ids("verdict"):
        raise RecordNotFoundError(
            f"{store.folder}: no verdict {verdict_id!r}",
            hint="`mlops vet JOB` makes one and shows its id.",
        )
    return store.load(Verdict, store.record_path(verdict_id))


def _outcome_of(store: Store, job: Job) -> Outcome:
    outcome = published_outcome(store, job.id)
    if outcome is None:
        status = job_status(store, job.id)
        raise JobError(
            f"{job.id}: {status.value}, without an outcome to vet",
            hint="Wait for it (`mlops jobs`), or run it again: `mlops rerun "
            f"{job.id}`.",
        )
    return outcome


def _file_digest(path: Path) -> str:
    try:
        return digest_file(path)
    except OSError as error:
        raise VettingError(
            f"{path}: cannot be read: {error.strerror}",
            hint="Submit the notebook again.",
        ) from error


def _check_digest(path: Path, found: str, expected: str) -> None:
    if found != expected:
        raise VettingError(
            f"{path}: changed since the job ran: sha256 {found[:12]}… where {expected[:12]}… was recorded",
            hint="Restore the file, or submit the notebook again.",
        )


def cell_lines(store: Store, job_id: str) -> Mapping[str, int]:
    """Map each cell's id to the line, from 1, at which the snapshot's file names it."""
    text = (store.job_folder(job_id) / "input.ipynb").read_text("utf-8-sig")
    lines: dict[str, int] = {}
    for number, line in enumerate(text.split("\n"), start=1):
        found = _ID_LINE.match(line)
        if found:
            lines.setdefault(found[1], number)
    return lines

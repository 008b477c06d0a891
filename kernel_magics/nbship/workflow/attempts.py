"""One attempt at a job, from its folder alone, to an outcome that is written once."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from nbship.capture.exhaustion import exhausted
from nbship.errors import JobError, NbshipError, RunError
from nbship.jobs.injection import injected_source
from nbship.ports import Grant
from nbship.records.cause import Cause, CauseKind
from nbship.records.digest import digest_file, digest_tree
from nbship.records.job import Attempt, CapturedRoot, JobStatus, Outcome
from nbship.records.locks import lock_digest, with_sources
from nbship.records.release import RootCapture
from nbship.records.run import CellStatus
from nbship.records.sweep import Pruning
from nbship.workflow.captured import root_folder
from nbship.workflow.jobs import load_job
from nbship.workflow.recording import close_killed, recorded_run

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from pathlib import Path

    from nbship.ports import Clock, Store
    from nbship.records.job import Job, Lock
    from nbship.records.run import Run

_LOG_END_BYTES = 4096
_ENDED_FROM_OUTSIDE = frozenset({JobStatus.INTERRUPTED, JobStatus.KILLED})


@dataclass(frozen=True, kw_only=True, slots=True)
class Worker:
    """What executing an attempt needs of the outside."""

    store: Store
    clock: Clock
    #: puts the source of the injected cell into a snapshot
    prepare: Callable[[Path, str], bytes]
    #: executes a prepared notebook; returns what was raised, or ""
    execute: Callable[[Job, Attempt, Path, Grant], str]
    #: the lock of the job's kernel as it is now
    lock: Callable[[Job], Lock]
    #: what the attempt was given
    grant: Grant = field(default_factory=Grant)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Ending:
    """What the attempt knows beside its run."""

    #: what papermill raised, or why the run has no end
    raised: str
    began_at: datetime
    ended_at: datetime
    lock_digest: str = ""
    #: how it ended where no run says so; None where that shows in ``raised``
    status: JobStatus | None = None
    is_lost: bool = False


def run_attempt(attempt: Attempt, worker: Worker) -> Outcome:
    """Execute a job's snapshot and publish what came of it.

    Raises
    ------
    JobError
        If another process works on this attempt, or its outcome is written.
    StoreError
        If the store cannot be written.
    """
    store, clock = worker.store, worker.clock
    job = load_job(store, attempt.job_id)
    folder = store.attempt_folder(job.id, attempt.number)
    with store.hold(folder / "worker.lock") as lock:
        if lock is None or (folder / "outcome.json").exists():
            raise JobError(
                f"attempt {attempt.number} at {job.id} is taken",
                hint=f"Make a new one: `mlops rerun {job.id}`.",
            )
        began_at, began_with = clock.now(), _lock_now(job, worker.lock)
        source = injected_source(job.contract, job.values) if job.values else ""
        snapshot = store.job_folder(job.id) / "input.ipynb"
        prepared = folder / "input.ipynb"
        store.write_bytes(worker.prepare(snapshot, source), prepared)
        held_fds = (*worker.grant.held_fds, lock)
        grant = replace(worker.grant, held_fds=held_fds)
        raised, status = "", None
        try:
            raised = worker.execute(job, attempt, prepared, grant)
        except (KeyboardInterrupt, SystemExit):
            raised = "interrupted before its first cell"
            status = JobStatus.INTERRUPTED
        ending = _Ending(
            raised=raised,
            began_at=began_at,
            ended_at=clock.now(),
            lock_digest=_digest_of_lock(began_with, _lock_now(job, worker.lock)),
            status=status,
        )
        return _publish(store, _outcome(store, job, attempt, ending), folder)


def close_abandoned(
    store: Store, attempt: Attempt, *, clock: Clock, process: str
) -> Outcome | None:
    """Write the outcome of an attempt whose worker is gone without one.

    Parameters
    ----------
    store, clock
        Where the job lies, and the time.
    attempt
        Which one.
    process
        What died, for the cause.

    Returns
    -------
    Outcome or None
        The outcome that stands there now; None where a worker is at it.

    Raises
    ------
    StoreError
        If the store cannot be written.
    """
    raised = f"{process} was killed before the run began"
    return _close(store, attempt, clock=clock, raised=raised)


def close_failed(
    store: Store, attempt: Attempt, *, clock: Clock, cause: str
) -> Outcome | None:
    """Write the outcome of an attempt whose worker could not go on, and says why.

    Returns
    -------
    Outcome or None
        As :func:`close_abandoned`.

    Raises
    ------
    StoreError
        If the store cannot be written.
    """
    failed = JobStatus.FAILED
    return _close(store, attempt, clock=clock, raised=cause, status=failed)


def _close(
    store: Store,
    attempt: Attempt,
    *,
    clock: Clock,
    raised: str,
    status: JobStatus | None = None,
) -> Outcome | None:
    job = load_job(store, attempt.job_id)
    folder = store.attempt_folder(job.id, attempt.number)
    path = folder / "outcome.json"
    with store.hold(folder / "worker.lock") as lock:
        if path.is_file():
            return _publish(store, store.load(Outcome, path), folder)
        if lock is None:
            return None
        is_lost = True
        with contextlib.suppress(RunError):
            is_lost = close_killed(store, attempt.run_id)
        ending = _Ending(
            raised=raised,
            began_at=attempt.made_at,
            ended_at=clock.now(),
            status=status,
            is_lost=is_lost and status is None,
        )
        return _publish(store, _outcome(store, job, attempt, ending), folder)


def close_unbegun(
    store: Store, attempt: Attempt, *, clock: Clock, cause: str
) -> Outcome:
    """Write the outcome of an attempt that nobody is to work on.

    Raises
    ------
    StoreError
        If the store cannot be written.
    """
    job = load_job(store, attempt.job_id)
    now = clock.now()
    ending = _Ending(
        raised=cause, began_at=now, ended_at=now, status=JobStatus.INTERRUPTED
    )
    folder = store.attempt_folder(job.id, attempt.number)
    return _publish(store, _outcome(store, job, attempt, ending), folder)


def _publish(store: Store, outcome: Outcome, folder: Path) -> Outcome:
    """Write the attempt's outcome, once; the first success becomes the job's, and stays."""
    if not (folder / "outcome.json").is_file():
        store.save(outcome, folder / "outcome.json")
    if outcome.status is JobStatus.SUCCEEDED:
        published = store.job_folder(outcome.job_id) / "outcome.json"
        store.link(folder / "outcome.json", published)
    return outcome


def _outcome(store: Store, job: Job, attempt: Attempt, ending: _Ending) -> Outcome:
    folder = store.attempt_folder(job.id, attempt.number)
    run = recorded_run(store, attempt.run_id)
    status, cause, why = _end_of(run, ending)
    if status in _ENDED_FROM_OUTSIDE:
        status, cause = _pruned(store, folder) or (status, cause)
    output = folder / "output.ipynb"
    is_success = status is JobStatus.SUCCEEDED
    return Outcome(
        job_id=job.id,
        attempt=attempt.number,
        run_id=attempt.run_id,
        status=status,
        started_at=run.started_at if run else ending.began_at,
        ended_at=ending.ended_at,
        cause=cause,
        why=why,
        cell_id=None if is_success or run is None else _failed_cell(run, why),
        log_end=_log_end(folder / "log.txt"),
        output_digest=digest_file(output) if output.is_file() else "",
        lock_digest=ending.lock_digest,
        data=run.data if run else (),
        metrics={n: m.value for n, m in run.last_metrics.items()} if run else {},
        roots=captured_roots(store, job, folder / "roots") if is_success else (),
        is_lost=ending.is_lost,
        shared_cells=run.shared_cells if run else (),
    )


def _pruned(store: Store, folder: Path) -> tuple[JobStatus, str] | None:
    """Tell whether the job's sweep ended the attempt: it fell behind, and did not fail."""
    path = folder / "pruning.json"
    if not path.is_file():
        return None
    return JobStatus.PRUNED, store.load(Pruning, path).cause


def _end_of(run: Run | None, ending: _Ending) -> tuple[JobStatus, str, Cause | None]:
    """Return status and cause; what the run says counts before what papermill raised."""
    if run is not None and run.ended_at is not None:
        return JobStatus(run.status.value), run.cause, run.why
    cause = ending.raised or "the run was never closed"
    if ending.status is JobStatus.INTERRUPTED:
        return ending.status, cause, Cause(kind=CauseKind.INTERRUPTED)
    if "was killed" in cause:
        return JobStatus.KILLED, cause, Cause(kind=CauseKind.WORKER_KILLED)
    name, _, text = cause.partition(": ")
    found = exhausted(name, text, has_gpus=False)
    return JobStatus.FAILED, cause, Cause(kind=found or CauseKind.OTHER)


def _failed_cell(run: Run, why: Cause | None) -> str | None:
    if why is not None and why.cell_id:
        return why.cell_id
    if run.cells and run.cells[-1].status is not CellStatus.OK:
        return run.cells[-1].cell_id
    return None


def _log_end(path: Path) -> str:
    try:
        with path.open("rb") as file:
            size = file.seek(0, 2)
            file.seek(max(0, size - _LOG_END_BYTES))
            return file.read().decode("utf-8", "replace")
    except OSError:
        return ""


def _lock_now(job: Job, lock: Callable[[Job], Lock]) -> Lock | None:
    try:
        return lock(job)
    except NbshipError:  # the interpreter is gone, or was broken by the notebook
        return None


def _digest_of_lock(before: Lock | None, after: Lock | None) -> str:
    """Return the digest of what the cells ran with and left behind.

    The source of an editable distribution counts as it was when the kernel began: people edit
    it while long jobs run, which have imported it by then.
    """
    if before is None or after is None:
        return ""
    return lock_digest(with_sources(after, before))


def captured_roots(store: Store, job: Job, folder: Path) -> tuple[CapturedRoot, ...]:
    """Read what the engine captured of the job's roots.

    Parameters
    ----------
    store
        Reads the records.
    job
        The job.
    folder
        The attempt's ``roots/``.
    """
    return tuple(
        _captured(store, name, root_folder(folder, name)) for name in job.roots
    )


def _captured(store: Store, name: str, place: Path) -> CapturedRoot:
    try:
        store.load(RootCapture, place / "capture.json")
    except NbshipError as error:
        refusal = _refusal(store, place)
        return CapturedRoot(
            name=name,
            digest="",
            refusal=refusal.get("message") or error.message,
            hint=refusal.get("hint", ""),
        )
    return CapturedRoot(name=name, digest=digest_tree(place))


def _refusal(store: Store, place: Path) -> dict[str, str]:
    try:
        return dict(store.load(dict, place / "refusal.json"))
    except NbshipError:
        return {}

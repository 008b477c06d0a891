"""Jobs: read them, and tell how they stand.

Every attempt leaves its own ``outcome.json``. The first one that succeeds publishes it: it is
linked into the job's folder, once, and stays. Until then the newest attempt speaks for the job.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nbship.errors import RecordNotFoundError
from nbship.records.job import Job, JobStatus, Outcome
from nbship.workflow.meant import meant_id

if TYPE_CHECKING:
    from pathlib import Path

    from nbship.ports import Store

_HINT = "`mlops jobs` lists the jobs."


def load_job(store: Store, job_id: str) -> Job:
    """Read a job.

    Raises
    ------
    RecordNotFoundError
        If there is no job of that id.
    """
    path = store.job_folder(job_id) / "job.json"
    if not path.is_file():
        raise RecordNotFoundError(f"{store.folder}: no job {job_id!r}", hint=_HINT)
    return store.load(Job, path)


def published_outcome(store: Store, job_id: str) -> Outcome | None:
    """Return what stands for the job: the published success, else the newest attempt's outcome.

    None where no attempt was made, or the newest one left no outcome (yet).
    """
    path = outcome_path(store, job_id)
    return None if path is None else store.load(Outcome, path)


def newest_outcome(store: Store, job_id: str) -> Outcome | None:
    """Return the outcome of the newest attempt, whether it was published or not."""
    numbers = attempt_numbers(store, job_id)
    if not numbers:
        return None
    path = store.attempt_folder(job_id, numbers[-1]) / "outcome.json"
    return store.load(Outcome, path) if path.is_file() else None


def outcome_path(store: Store, job_id: str) -> Path | None:
    """Return the file that :func:`published_outcome` reads."""
    published = store.job_folder(job_id) / "outcome.json"
    if published.is_file():
        return published
    numbers = attempt_numbers(store, job_id)
    if not numbers:
        return None
    newest = store.attempt_folder(job_id, numbers[-1]) / "outcome.json"
    return newest if newest.is_file() else None


def attempt_numbers(store: Store, job_id: str) -> tuple[int, ...]:
    """List the numbers of a job's attempts, ascending."""
    folder = store.job_folder(job_id) / "attempts"
    if not folder.is_dir():
        return ()
    return tuple(sorted(int(p.name) for p in folder.iterdir() if p.name.isdigit()))


def job_status(store: Store, job_id: str) -> JobStatus:
    """Tell how a job stands.

    An attempt without outcome runs while a process holds its ``worker.lock``; where none
    does, worker and machine went away and the job was killed. A job with a ticket that does
    not run waits for its next attempt.
    """
    numbers = attempt_numbers(store, job_id)
    if numbers:
        newest = store.attempt_folder(job_id, numbers[-1])
        is_open = not (newest / "outcome.json").is_file()
        if is_open and store.is_held(newest / "worker.lock"):
            return JobStatus.RUNNING
    if ticket_path(store, job_id).is_file():
        return JobStatus.QUEUED
    outcome = published_outcome(store, job_id)
    if outcome is not None:
        return outcome.status
    return JobStatus.KILLED if numbers else JobStatus.PLANNED


def ticket_path(store: Store, job_id: str) -> Path:
    """Return the file that says that a job is wanted; see :mod:`nbship.records.queue`."""
    return store.job_folder(job_id) / "ticket.json"


def find_job(store: Store, name: str) -> str:
    """Return the id of the job that a person means.

    Parameters
    ----------
    store
        Where jobs lie.
    name
        ``last``, an id, or the beginning of one id (with or without ``job-``).

    Raises
    ------
    RecordNotFoundError
        If no job is meant.
    JobError
        If several are.
    """
    return meant_id(
        store,
        "job",
        name,
        made_at=lambda i: load_job(store, i).planned_at,
        hint=_HINT,
    )

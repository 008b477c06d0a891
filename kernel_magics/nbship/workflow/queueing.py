"""Queueing: want jobs, wait until they have settled, give them up.

A job has settled when no ticket is left of it; its outcome then stands in its folder.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from nbship.errors import JobError
from nbship.workflow.jobs import newest_outcome

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from nbship.ports import Queue, Store
    from nbship.records.job import Outcome

#: attempts that may be lost to a killed worker or machine
LOSSES = 2
#: how often a waiting process makes sure that a supervisor lives
_CARE_S = 1.0


def enqueue(
    queue: Queue,
    job_ids: Sequence[str],
    *,
    priority: int = 0,
    attempts: int = 1,
    losses: int = LOSSES,
) -> None:
    """Want jobs; one that is wanted already keeps its place.

    Parameters
    ----------
    queue
        The queue.
    job_ids
        Planned jobs, in the order that they are to be taken in.
    priority
        Higher ones are taken first.
    attempts
        How often the notebook itself may end the job before a failure stands.
    losses
        Attempts that may be lost to a killed worker or machine, beside those.

    Raises
    ------
    StoreError
        If the queue cannot be written.
    """
    queue.add(tuple(job_ids), priority=priority, attempts=attempts, losses=losses)


def settled(
    store: Store,
    queue: Queue,
    job_ids: Sequence[str],
    *,
    timeout_s: float | None = None,
    revive: Callable[[], object] | None = None,
) -> Iterator[Outcome]:
    """Give each job's outcome as it settles.

    Parameters
    ----------
    store, queue
        Where the jobs lie, and the queue they were put into.
    job_ids
        Jobs that were enqueued.
    timeout_s
        After that many seconds those that have not settled are left out.
    revive
        Called now and then, such as ``workbench.start_supervisor``: a supervisor that was killed
        is followed by another one.

    Raises
    ------
    JobError
        If a job has neither ticket nor outcome.
    StoreError
        If the queue cannot be read.

    Yields
    ------
    Outcome
        In the order in which they settle.
    """
    deadline_s = None if timeout_s is None else time.monotonic() + timeout_s
    waiting = dict.fromkeys(job_ids)
    while waiting:
        wanted = {ticket.job_id for ticket in queue.tickets()}
        for job_id in [j for j in waiting if j not in wanted]:
            del waiting[job_id]
            yield settled_outcome(store, job_id)
        if not waiting:
            return
        pause_s = _CARE_S
        if deadline_s is not None:
            pause_s = min(pause_s, deadline_s - time.monotonic())
            if pause_s <= 0:
                return
        if not queue.wait(pause_s) and revive is not None:
            revive()


def settled_outcome(store: Store, job_id: str) -> Outcome:
    """Return the outcome of the newest attempt at a job that has settled.

    Raises
    ------
    JobError
        If it has none: nobody queued it.
    """
    outcome = newest_outcome(store, job_id)
    if outcome is None:
        raise JobError(
            f"job {job_id} is not in the queue and has no outcome",
            hint=f"Queue it: `mlops rerun {job_id}`.",
        )
    return outcome

"""Supervise the queue: begin attempts, settle jobs, and find out what became of those that ran."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from nbship.jobs.retrying import next_pause_s
from nbship.records.job import Attempt, Outcome
from nbship.records.queue import TicketState
from nbship.workflow.attempts import close_abandoned, close_unbegun
from nbship.workflow.jobs import attempt_numbers
from nbship.workflow.submission import make_attempt

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from nbship.ports import Clock, Queue, Store
    from nbship.records.queue import Ticket


def begin(
    store: Store, queue: Queue, ticket: Ticket, *, project: Path, clock: Clock
) -> Attempt | None:
    """Make the next attempt of a job that waits; None where it does not wait any more.

    Raises
    ------
    StoreError
        If job or queue cannot be read, or not be written.
    """
    numbers = attempt_numbers(store, ticket.job_id)
    number = numbers[-1] + 1 if numbers else 1
    if not queue.take(ticket.job_id, attempt=number):
        return None
    return make_attempt(store, ticket.job_id, project=project, clock=clock)


def conclude(
    store: Store, queue: Queue, job_id: str, *, clock: Clock, backoff_s: float
) -> datetime | None:
    """After an attempt: the job has settled, or waits for its next attempt.

    Returns
    -------
    datetime or None
        When the next attempt is due; None where the job has settled.

    Raises
    ------
    StoreError
        If job or queue cannot be read, or not be written.
    """
    ticket = queue.ticket(job_id)
    if ticket is None or not is_running(ticket):
        return None
    outcomes = _outcomes(store, ticket)
    pause_s = next_pause_s(
        outcomes,
        attempts=ticket.attempts,
        losses=ticket.losses,
        backoff_s=backoff_s,
    )
    if pause_s is not None:
        later = clock.now() + timedelta(seconds=pause_s)
        if queue.put_back(job_id, not_before_at=later):
            return later
    queue.drop(job_id)
    return None


def give_up(
    store: Store, queue: Queue, ticket: Ticket, *, project: Path, clock: Clock
) -> None:
    """Settle a job that was cancelled while it waited.

    Raises
    ------
    StoreError
        If job or queue cannot be read, or not be written.
    """
    if not _numbers(store, ticket):
        attempt = make_attempt(store, ticket.job_id, project=project, clock=clock)
        close_unbegun(store, attempt, clock=clock, cause="cancelled before it began")
    queue.drop(ticket.job_id)


def is_over(
    store: Store, queue: Queue, ticket: Ticket, *, clock: Clock, process: str
) -> bool:
    """Tell whether an attempt has its outcome; it gets one where its worker is gone.

    Parameters
    ----------
    store, queue
        Where jobs and tickets lie.
    ticket
        Its state is that an attempt runs. One whose folder was not even made waits again.
    clock
        The time.
    process
        What died, for the cause.

    Returns
    -------
    bool
        False where a worker is still at it.

    Raises
    ------
    StoreError
        If job or queue cannot be read, or not be written.
    """
    folder = store.attempt_folder(ticket.job_id, ticket.attempt)
    if not (folder / "attempt.json").is_file():
        queue.put_back(ticket.job_id, not_before_at=clock.now())
        return True
    attempt = store.load(Attempt, folder / "attempt.json")
    return close_abandoned(store, attempt, clock=clock, process=process) is not None


def is_running(ticket: Ticket) -> bool:
    """Tell whether an attempt was begun for a ticket and not concluded."""
    return ticket.state is not TicketState.QUEUED and ticket.attempt > 0


def _outcomes(store: Store, ticket: Ticket) -> list[Outcome]:
    paths = (
        store.attempt_folder(ticket.job_id, number) / "outcome.json"
        for number in _numbers(store, ticket)
    )
    return [store.load(Outcome, path) for path in paths if path.is_file()]


def _numbers(store: Store, ticket: Ticket) -> list[int]:
    numbers = attempt_numbers(store, ticket.job_id)
    return [number for number in numbers if number >= ticket.first_attempt]

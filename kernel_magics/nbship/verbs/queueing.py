"""The verbs of the queue: what waits and runs, give up, watch."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from nbship.errors import JobError
from nbship.verbs.answer import OK, Answer, Verb
from nbship.verbs.tailing import LogTail
from nbship.verbs.told import told
from nbship.verbs.watching import progress_line, watch
from nbship.verbs.words import add_job, table

if TYPE_CHECKING:
    import argparse

    from nbship.records.queue import Ticket
    from nbship.verbs.answer import Context

_HEAD = ("PLACE", "JOB", "STATE", "PRIORITY", "ATTEMPT", "SINCE", "NOTEBOOK")
_PAUSE_S = 0.2


def _queue(context: Context, _given: argparse.Namespace) -> Answer:
    from nbship.workflow.jobs import load_job

    workbench = context.workbench
    tickets = workbench.queue.tickets()
    if not tickets:
        return Answer(text="the queue is empty", data=[])
    if not workbench.has_supervisor:  # after a crash, or a reboot
        workbench.start_supervisor()
    rows, place = [], 0
    for ticket in tickets:
        place += not ticket.attempt
        notebook = load_job(workbench.store, ticket.job_id).notebook
        rows.append(_row(ticket, place, notebook))
    return Answer(text=table([_HEAD, *rows]), data=list(tickets))


def _row(ticket: Ticket, place: int, notebook: str) -> tuple[str, ...]:
    now = datetime.now(UTC)
    state = ticket.state.value
    if ticket.not_before_at > now and not ticket.attempt:
        state += f", in {(ticket.not_before_at - now).total_seconds():.0f} s"
    return (
        "" if ticket.attempt else str(place),
        ticket.job_id,
        state,
        str(ticket.priority),
        str(ticket.attempt or ""),
        ticket.enqueued_at.strftime("%Y-%m-%d %H:%M:%S"),
        notebook,
    )


def _cancel(context: Context, given: argparse.Namespace) -> Answer:
    from nbship.workflow.jobs import find_job

    workbench = context.workbench
    job_ids = [find_job(workbench.store, name) for name in given.jobs]
    idle = [job_id for job_id in job_ids if not workbench.cancel(job_id)]
    if idle:
        raise JobError(
            f"neither queued nor running: {', '.join(idle)}",
            hint="`mlops queue` lists what is.",
        )
    outcomes = watch(workbench, job_ids, line=progress_line(context), owns=True)
    lines = [f"{outcome.job_id} {outcome.status.value}" for outcome in outcomes]
    return Answer(text="\n".join(lines), data=outcomes)


def _attach(context: Context, given: argparse.Namespace) -> Answer:
    from nbship.workflow.jobs import find_job

    workbench = context.workbench
    job_id = find_job(workbench.store, given.job)
    try:
        (outcome,) = watch(
            workbench,
            [job_id],
            line=progress_line(context),
            owns=False,
            tail=LogTail(workbench, job_id),
        )
    except KeyboardInterrupt:
        text = f"{job_id} goes on; `mlops cancel {job_id}` gives it up"
        return Answer(text=text, data={"job": job_id})
    return told(workbench, outcome, f"attempt {outcome.attempt}")


def _logs(context: Context, given: argparse.Namespace) -> Answer:
    from nbship.workflow.jobs import attempt_numbers, find_job

    store = context.workbench.store
    job_id = find_job(store, given.job)
    if given.follow:
        _follow(context, job_id)
        return Answer(text="", exit_code=OK)
    numbers = attempt_numbers(store, job_id)
    number = given.attempt or (numbers[-1] if numbers else 1)
    path = store.attempt_folder(job_id, number) / "log.txt"
    text = path.read_text("utf-8", "replace") if path.is_file() else ""
    data = {"job": job_id, "attempt": number, "log": text}
    said = text.rstrip() or f"attempt {number} at {job_id} has no log"
    return Answer(text=said, data=data)


def _follow(context: Context, job_id: str) -> None:
    """Write the log of a job as it grows, attempt by attempt, until it has settled."""
    queue, tail = context.workbench.queue, LogTail(context.workbench, job_id)
    while queue.ticket(job_id) is not None:
        tail.show()
        time.sleep(_PAUSE_S)
    tail.show()


def _add_cancel(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "jobs", nargs="+", metavar="JOB", help="its id, the beginning of it, or last"
    )


def _add_logs(parser: argparse.ArgumentParser) -> None:
    add_job(parser)
    parser.add_argument("--attempt", type=int, help="number; else the newest")
    parser.add_argument(
        "-f", "--follow", action="store_true", help="go on until the job has settled"
    )


VERBS: tuple[Verb, ...] = (
    Verb(
        name="queue", stage="Test", help="list the jobs that wait and run", run=_queue
    ),
    Verb(
        name="attach",
        stage="Test",
        help="watch a job until it has settled; Ctrl-C leaves it alone",
        run=_attach,
        add_arguments=add_job,
    ),
    Verb(
        name="logs",
        stage="Test",
        help="show the log of a job",
        run=_logs,
        add_arguments=_add_logs,
    ),
    Verb(
        name="cancel",
        stage="Test",
        help="give up jobs that wait or run",
        run=_cancel,
        add_arguments=_add_cancel,
    ),
)

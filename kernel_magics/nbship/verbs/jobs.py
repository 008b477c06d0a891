"""The verbs of Test: plan a job, execute it, look at it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from nbship.verbs.answer import ANSWER_IS_NO, OK, Answer, Verb
from nbship.verbs.params import add_values, given_texts
from nbship.verbs.resources import add_queueing, add_resources, request_of
from nbship.verbs.told import told, told_together
from nbship.verbs.verify_run import add_verify, verify_rerun
from nbship.verbs.watching import progress_line, watch
from nbship.verbs.words import add_job, table

if TYPE_CHECKING:
    import argparse

    from nbship.records.job import Outcome
    from nbship.verbs.answer import Context

_REUSED = "reused: an equal job succeeded, and every file it read is unchanged"


def _submit(context: Context, given: argparse.Namespace) -> Answer:
    from nbship.workflow.submission import submit

    workbench = context.workbench
    requests = [
        request_of(
            workbench,
            Path(name),
            texts=given_texts(given, str(Path(name))),
            given=given,
        )
        for name in given.notebooks
    ]
    submissions = [
        submit(
            request,
            store=workbench.store,
            clock=workbench.clock,
            surroundings=workbench.surroundings,
        )
        for request in requests
    ]
    due = list(dict.fromkeys(s.job.id for s in submissions if s.reused is None))
    ended = {outcome.job_id: outcome for outcome in _attempts(context, due, given)}
    answers = []
    for submission in submissions:
        job_id, reused = submission.job.id, submission.reused
        if reused is not None:
            answers.append(told(workbench, reused, _REUSED))
        elif job_id in ended:
            outcome = ended[job_id]
            answers.append(told(workbench, outcome, f"attempt {outcome.attempt}"))
        else:
            text = f"{job_id} queued; `mlops attach {job_id}` watches it"
            answers.append(Answer(text=text, data={"job": job_id}))
    return told_together(answers)


def _rerun(context: Context, given: argparse.Namespace) -> Answer:
    if given.verify:
        return verify_rerun(context, given)
    from nbship.workflow.jobs import find_job
    from nbship.workflow.submission import refuse_unsettled

    store = context.workbench.store
    job_id = find_job(store, given.job)
    refuse_unsettled(store, job_id)
    (outcome,) = _attempts(context, [job_id], given)
    return told(context.workbench, outcome, f"attempt {outcome.attempt}")


def _attempts(
    context: Context, job_ids: list[str], given: argparse.Namespace
) -> list[Outcome]:
    """Queue jobs, and watch them unless they are left alone."""
    from nbship.workflow.queueing import enqueue

    if not job_ids:
        return []
    workbench, settings = context.workbench, context.workbench.settings
    attempts = getattr(given, "attempts", None)
    enqueue(
        workbench.queue,
        job_ids,
        priority=getattr(given, "priority", 0),
        attempts=settings.attempts if attempts is None else attempts,
        losses=settings.losses,
    )
    workbench.start_supervisor()
    if getattr(given, "detach", False):
        return []
    return watch(workbench, job_ids, line=progress_line(context), owns=True)


def _exec(context: Context, given: argparse.Namespace) -> Answer:
    from nbship.records.job import Attempt, JobStatus
    from nbship.workbench import Workbench
    from nbship.workflow.attempts import run_attempt

    folder = Path(given.attempt).resolve()
    attempt = context.workbench.store.load(Attempt, folder / "attempt.json")
    workbench = Workbench.over(folder.parents[3], project=Path(attempt.project))
    workbench.is_short_lived = True
    outcome = run_attempt(attempt, workbench.attempt_worker())
    is_success = outcome.status is JobStatus.SUCCEEDED
    text = f"{outcome.job_id} {outcome.status.value} {outcome.cause}".rstrip()
    return Answer(text=text, data=outcome, exit_code=OK if is_success else ANSWER_IS_NO)


def _jobs(context: Context, _given: argparse.Namespace) -> Answer:
    from nbship.workflow.jobs import attempt_numbers, job_status, load_job

    store = context.workbench.store
    rows, data = [], []
    for job_id in reversed(store.ids("job")):
        job, status = load_job(store, job_id), job_status(store, job_id)
        attempts = len(attempt_numbers(store, job_id))
        values = ", ".join(f"{n}={v}" for n, v in job.values.items())
        rows.append((job_id, status.value, str(attempts), job.notebook, values))
        data.append({"job": job, "status": status.value, "attempts": attempts})
    if not rows:
        return Answer(text="no jobs yet; `mlops submit NOTEBOOK` makes one", data=[])
    head = ("JOB", "STATUS", "ATTEMPTS", "NOTEBOOK", "VALUES")
    return Answer(text=table([head, *rows]), data=data)


def _add_submit(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "notebooks", nargs="+", metavar="notebook", help="the notebooks to execute"
    )
    add_values(parser)
    parser.add_argument(
        "--kernel", help="kernel; else the setting, else the notebook's"
    )
    parser.add_argument(
        "--direct",
        action="store_true",
        help="run its cells without the kernel's protocol, where they need no widgets",
    )
    parser.add_argument(
        "--fresh",
        action="store_true",
        help="start its kernel anew instead of forking a warm one",
    )
    parser.add_argument(
        "--again",
        action="store_true",
        help="make a new attempt where a job could serve",
    )
    add_resources(parser)
    add_queueing(parser)


def _add_rerun(parser: argparse.ArgumentParser) -> None:
    add_job(parser)
    add_verify(parser)


def _add_attempt(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("attempt", help="folder of the attempt")


VERBS: tuple[Verb, ...] = (
    Verb(
        name="submit",
        stage="Test",
        help="execute a notebook with values as a job",
        run=_submit,
        add_arguments=_add_submit,
    ),
    Verb(name="jobs", stage="Test", help="list jobs and how they stand", run=_jobs),
    Verb(
        name="rerun",
        stage="Test",
        help="make a new attempt at a job, or verify what it published",
        run=_rerun,
        add_arguments=_add_rerun,
    ),
    Verb(
        name="exec",
        stage="Test",
        help="work on one attempt; executors call it",
        run=_exec,
        add_arguments=_add_attempt,
        is_internal=True,
    ),
)

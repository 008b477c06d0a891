"""The verbs of Test: plan a job, execute it, look at it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from nbship.verbs.answer import ANSWER_IS_NO, OK, Answer, Verb
from nbship.verbs.verify_run import add_verify, verify_rerun
from nbship.verbs.watching import NotebookLine, TerminalLine, watch
from nbship.verbs.words import add_job, place, table

if TYPE_CHECKING:
    import argparse

    from nbship.records.job import Job, Outcome, Resources
    from nbship.settings import Settings
    from nbship.verbs.answer import Context
    from nbship.workbench import Workbench

_LOG_LINES = 20


def _submit(context: Context, given: argparse.Namespace) -> Answer:
    from nbship.jobs.values import split_assignments
    from nbship.workflow.submission import Request, submit

    workbench = context.workbench
    settings = workbench.settings
    data, snapshot = workbench.notebook(Path(given.notebook))
    request = Request(
        notebook=Path(given.notebook),
        data=data,
        snapshot=snapshot,
        texts=split_assignments(given.values),
        project=settings.project,
        kernel=given.kernel or settings.kernel,
        experiment=settings.experiment,
        roots=settings.roots,
        resources=_resources(given, settings),
        is_again=given.again,
        is_fresh=given.fresh,
    )
    submission = submit(
        request,
        store=workbench.store,
        clock=workbench.clock,
        surroundings=workbench.surroundings,
    )
    if submission.reused is not None:
        note = "reused: an equal job succeeded, and every file it read is unchanged"
        return _told(workbench, submission.job, submission.reused, note)
    return _attempt(context, submission.job)


def _resources(given: argparse.Namespace, settings: Settings) -> Resources:
    """Take what the command asks for, else what the settings do."""
    from nbship.records.job import Resources

    asked = {
        name: getattr(settings, name) if value is None else value
        for name in ("gpus", "gpu_memory_gib", "timeout_s")
        for value in (getattr(given, name),)
    }
    return Resources(**asked)


def _rerun(context: Context, given: argparse.Namespace) -> Answer:
    if given.verify:
        return verify_rerun(context, given)
    from nbship.workflow.jobs import find_job, load_job

    store = context.workbench.store
    return _attempt(context, load_job(store, find_job(store, given.job)))


def _attempt(context: Context, job: Job) -> Answer:
    from nbship.workflow.submission import make_attempt

    workbench = context.workbench
    attempt = make_attempt(
        workbench.store,
        job.id,
        project=workbench.settings.project.resolve(),
        clock=workbench.clock,
    )
    line = TerminalLine() if context.session is None else NotebookLine()
    outcome = watch(workbench, job, attempt, line=line)
    return _told(workbench, job, outcome, f"attempt {attempt.number}")


def _told(workbench: Workbench, job: Job, outcome: Outcome, note: str) -> Answer:
    """Say how a job ended and where things lie."""
    from nbship.records.job import JobStatus

    store = workbench.store
    folder = store.attempt_folder(job.id, outcome.attempt)
    is_success = outcome.status is JobStatus.SUCCEEDED
    lines = [f"{job.id} {outcome.status.value} ({note})"]
    if not is_success:
        lines.append(f"  cause     {_indented(outcome.cause)}")
    lines += [f"  metric    {n} = {v:g}" for n, v in outcome.metrics.items()]
    lines += [_root_line(root) for root in outcome.roots]
    lines += [
        f"  run       {place(store.run_folder(outcome.run_id))}",
        f"  executed  {place(folder / 'output.ipynb')}",
        f"  log       {place(folder / 'log.txt')}",
    ]
    if not is_success:
        lines += ["  end of the log:", *_end_of(outcome.log_end)]
    data = {"job": job.id, "note": note, "outcome": outcome, "folder": str(folder)}
    return Answer(
        text="\n".join(lines), data=data, exit_code=OK if is_success else ANSWER_IS_NO
    )


def _root_line(root: Any) -> str:  # noqa: ANN401  # a CapturedRoot
    if root.digest:
        return f"  root      {root.name} captured"
    fix = f"\nfix: {root.hint}" if root.hint else ""
    return f"  root      {root.name} refused: {_indented(root.refusal + fix)}"


def _indented(text: str) -> str:
    """Put the lines after the first below it."""
    return text.replace("\n", f"\n{'':12}")


def _end_of(log: str) -> list[str]:
    return [f"    {line}" for line in log.rstrip().splitlines()[-_LOG_LINES:]]


def _exec(context: Context, given: argparse.Namespace) -> Answer:
    from nbship.records.job import Attempt, JobStatus
    from nbship.workbench import Workbench
    from nbship.workflow.attempts import Worker, run_attempt
    from nbship.workflow.leasing import leased
    from nbship.workflow.submission import current_lock

    folder = Path(given.attempt).resolve()
    attempt = context.workbench.store.load(Attempt, folder / "attempt.json")
    workbench = Workbench.over(folder.parents[3], project=Path(attempt.project))
    workbench.is_short_lived = True

    def lock(job: Job) -> Any:  # noqa: ANN401  # a Lock
        python = workbench.kernel(job.kernel_name).python
        return current_lock(python, workbench.environment)

    outcome = run_attempt(
        attempt,
        Worker(
            store=workbench.store,
            clock=workbench.clock,
            prepare=workbench.prepared_notebook,
            execute=leased(workbench.execute_attempt, workbench.leases),
            lock=lock,
        ),
    )
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


def _logs(context: Context, given: argparse.Namespace) -> Answer:
    from nbship.workflow.jobs import attempt_numbers, find_job

    store = context.workbench.store
    job_id = find_job(store, given.job)
    numbers = attempt_numbers(store, job_id)
    number = given.attempt or (numbers[-1] if numbers else 1)
    path = store.attempt_folder(job_id, number) / "log.txt"
    text = path.read_text("utf-8", "replace") if path.is_file() else ""
    data = {"job": job_id, "attempt": number, "log": text}
    said = text.rstrip() or f"attempt {number} at {job_id} has no log"
    return Answer(text=said, data=data)


def _add_submit(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("notebook", help="the notebook to execute")
    parser.add_argument(
        "-p",
        dest="values",
        action="append",
        default=[],
        metavar="name=value",
        help="set a parameter; `mlops params NOTEBOOK` lists them",
    )
    parser.add_argument(
        "--kernel", help="kernel; else the setting, else the notebook's"
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
    parser.add_argument(
        "--gpus", type=int, metavar="N", help="GPUs that the job is given"
    )
    parser.add_argument(
        "--gpu-memory-gib",
        type=float,
        metavar="GIB",
        help="memory that each of its GPUs has at least",
    )
    parser.add_argument(
        "--timeout-s", type=float, metavar="S", help="seconds that all cells may take"
    )


def _add_rerun(parser: argparse.ArgumentParser) -> None:
    add_job(parser)
    add_verify(parser)


def _add_attempt(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("attempt", help="folder of the attempt")


def _add_logs(parser: argparse.ArgumentParser) -> None:
    add_job(parser)
    parser.add_argument("--attempt", type=int, help="number; else the newest")


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
        name="logs",
        stage="Test",
        help="show the log of a job",
        run=_logs,
        add_arguments=_add_logs,
    ),
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

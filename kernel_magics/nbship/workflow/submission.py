"""Submit: from a notebook and values to a planned job, or to one that serves already.

Everything is read and checked before anything is written.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nbship.capture.declared import declared_experiment
from nbship.errors import JobError
from nbship.jobs.contract import read_contract
from nbship.jobs.determinism import settle
from nbship.jobs.gpus import refusal
from nbship.jobs.planning import Wish, can_be_reused, plan, plan_digest
from nbship.jobs.values import parse_values
from nbship.records.digest import digest_file
from nbship.records.ids import make_id
from nbship.records.job import Attempt, Job, JobStatus, Lock, Resources
from nbship.records.locks import lock_bytes, lock_of
from nbship.settings import name_in_project
from nbship.vetting.comparison.tags import read_tags
from nbship.workflow.capsule import MODULES, checked_secrets, write_repository
from nbship.workflow.jobs import (
    attempt_numbers,
    job_status,
    load_job,
    published_outcome,
)
from nbship.workflow.plans import job_of_plan, known_plans

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from nbship.ports import Clock, Store
    from nbship.records.environment import Environment, GpuSurvey
    from nbship.records.job import Outcome
    from nbship.records.notebook import Notebook
    from nbship.workflow.capsule import CapsuleTools

_DEFAULT_KERNEL = "python3"


@dataclass(frozen=True, kw_only=True, slots=True)
class Request:
    """What a person asks for."""

    notebook: Path
    #: the notebook's bytes and what they hold, read once
    data: bytes
    snapshot: Notebook
    #: values as texts, by name
    texts: Mapping[str, str]
    project: Path
    kernel: str = ""
    experiment: str = ""
    roots: tuple[str, ...] = ()
    resources: Resources = field(default_factory=Resources)
    is_again: bool = False
    #: True forbids a forked kernel
    is_fresh: bool = False
    #: True asks for a process without the kernel's protocol
    is_direct: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Surroundings:
    """What submitting asks of the machine."""

    #: interpreter of an installed kernel, None where unknown; raises KernelError
    interpreter: Callable[[str], str | None]
    #: environment of an interpreter
    environment: Callable[[str], Environment]
    #: the GPUs that jobs may be given
    gpus: Callable[[], GpuSurvey]
    #: variables of the submitter's environment
    environ: Mapping[str, str] = field(default_factory=dict)
    #: the submitter's time zone, "" where it is unknown
    time_zone: str = ""
    #: seed of generators; None leaves them alone
    seed: int | None = None
    #: whether libraries are asked for deterministic algorithms
    is_strict: bool = False
    #: what the job's folder is filled with; None for the notebook alone
    capsule: CapsuleTools | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Submission:
    """A job to attempt, or one that serves already."""

    job: Job
    #: the outcome that is reused; None where an attempt is due
    reused: Outcome | None = None


def submit(
    request: Request, *, store: Store, clock: Clock, surroundings: Surroundings
) -> Submission:
    """Plan a job, or find the one that has the same plan.

    Raises
    ------
    ParameterError
        If the values do not fit the contract.
    KernelError
        If the kernel is not installed, or its interpreter does not answer.
    JobError
        If a job of the same plan is running, or if this machine has not the GPUs for it.
    StoreError
        If the store cannot be written; nothing is left behind.
    """
    check_gpus(request, surroundings)
    wish = wish_of(request, surroundings)
    earlier = _equal_plan(store, plan_digest(wish), request)
    if earlier is not None:
        found = _serve(store, earlier, request)
        if found is not None:
            return found
    job_id = make_id("job", at=clock.now(), entropy=clock.entropy())
    job = plan(wish, job_id=job_id, at=clock.now())
    with store.whole_folder(store.job_folder(job.id)) as draft:
        write_plan(store, draft, job, wish=wish, data=request.data)
        if surroundings.capsule is not None:
            cwd = Path(job.cwd)
            write_repository(store, draft, surroundings.capsule, cwd=cwd, job=job)
    return Submission(job=job)


def write_plan(store: Store, draft: Path, job: Job, *, wish: Wish, data: bytes) -> None:
    """Write everything that a job is attempted from into its folder.

    Parameters
    ----------
    store
        Writes the files.
    draft
        The job's folder, not in its place yet.
    job, wish
        The job, and what it was planned from.
    data
        The bytes of the notebook.

    Raises
    ------
    StoreError
        If the store cannot be written.
    """
    store.write_bytes(data, draft / "input.ipynb")
    store.write_bytes(lock_bytes(wish.lock), draft / "lock.json")
    for copy, content in wish.copies.items():
        path = draft / MODULES / copy
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    if wish.environment is not None:  # its packages stand in the lock
        machine = replace(wish.environment, packages=())
        store.save(machine, draft / "environment.json")
    store.save(job, draft / "job.json")


def make_attempt(store: Store, job_id: str, *, project: Path, clock: Clock) -> Attempt:
    """Make the folder of a job's next attempt.

    Raises
    ------
    RecordNotFoundError
        If there is no such job.
    JobError
        If an attempt at it is running.
    StoreError
        If the store cannot be written.
    """
    job = load_job(store, job_id)
    numbers = attempt_numbers(store, job_id)
    attempt = Attempt(
        job_id=job_id,
        number=numbers[-1] + 1 if numbers else 1,
        run_id=make_id("run", at=clock.now(), entropy=clock.entropy()),
        project=str(project),
        notebook=str(project / job.notebook),
        made_at=clock.now(),
    )
    with store.whole_folder(store.attempt_folder(job_id, attempt.number)) as draft:
        store.save(attempt, draft / "attempt.json")
    return attempt


def check_gpus(request: Request, surroundings: Surroundings) -> None:
    """Refuse at once what this machine's GPUs cannot do.

    Raises
    ------
    JobError
        If it has not the GPUs that are asked for.
    """
    if not request.resources.gpus:
        return
    why = refusal(request.resources, surroundings.gpus())
    if why:
        raise JobError(
            f"{request.notebook}: {why}",
            hint="Ask for less, or submit it where such GPUs are.",
        )


def wish_of(
    request: Request,
    surroundings: Surroundings,
    *,
    values: Mapping[str, Any] | None = None,
) -> Wish:
    """Read and check what a job is planned from; nothing is written.

    Parameters
    ----------
    request, surroundings
        What is asked for, and the machine.
    values
        Values that were read and checked already; else the texts of the request are read.

    Raises
    ------
    ParameterError
        If the values do not fit the contract.
    KernelError
        If the kernel is not installed, or its interpreter does not answer.
    JobError
        If a secret is missing, or its value stands in the notebook; or if a cell has a tag
        that begins with ``mlops:`` and is none of ours.
    """
    read_tags(request.snapshot.code_cells, where=str(request.notebook))
    contract = read_contract(request.snapshot)
    if values is None:
        values = parse_values(contract, request.texts, where=str(request.notebook))
    kernel = request.kernel or request.snapshot.kernel_name or _DEFAULT_KERNEL
    python = surroundings.interpreter(kernel)
    environment = None if python is None else surroundings.environment(python)
    sources = [cell.source for cell in request.snapshot.code_cells]
    notebook = request.notebook.resolve()
    tools = surroundings.capsule
    files = tools.code_files(sources, notebook.parent, environment) if tools else ()
    return Wish(
        notebook=request.snapshot,
        path=name_in_project(notebook, request.project),
        contract=contract,
        values=values,
        lock=Lock(python_version="") if environment is None else lock_of(environment),
        environment=environment,
        modules=tuple(module for module, _ in files),
        copies={module.copy: data for module, data in files},
        secrets=checked_secrets(tools, request.snapshot) if tools else {},
        kernel_name=kernel,
        cwd=str(notebook.parent),
        experiment=request.experiment or declared_experiment(sources) or "",
        resources=request.resources,
        roots=request.roots,
        determinism=settle(
            seed=surroundings.seed,
            is_strict=surroundings.is_strict,
            cpus=request.resources.cpus,
            time_zone=surroundings.time_zone,
            environ=surroundings.environ,
        ),
        is_fresh=request.is_fresh,
        is_direct=request.is_direct,
    )


def current_lock(python: str | None, environment: Callable[[str], Environment]) -> Lock:
    """Return the lock of an interpreter as it is now; an empty one where it is unknown."""
    return Lock(python_version="") if python is None else lock_of(environment(python))


def _equal_plan(store: Store, digest: str, request: Request) -> Job | None:
    """Return the last job of that plan; one that starts its kernel alike comes first.

    Who asks for a certain start gets no other.
    """
    youngest = job_of_plan(store, digest)
    if youngest is None or _starts_alike(youngest, request):
        return youngest
    plans = known_plans(store)
    for job_id in (job_id for job_id in reversed(plans) if plans[job_id] == digest):
        job = load_job(store, job_id)
        if _starts_alike(job, request):
            return job
    return None if request.is_fresh or request.is_direct else youngest


def _starts_alike(job: Job, request: Request) -> bool:
    return (job.is_fresh, job.is_direct) == (request.is_fresh, request.is_direct)


def _serve(store: Store, job: Job, request: Request) -> Submission | None:
    """Tell what an earlier job of the same plan is good for; None asks for a new job.

    Raises
    ------
    JobError
        If it is running.
    """
    refuse_unsettled(store, job.id)
    outcome = published_outcome(store, job.id)
    is_success = outcome is not None and outcome.status is JobStatus.SUCCEEDED
    if outcome is None or request.is_again or not is_success:
        return Submission(job=job) if _starts_alike(job, request) else None
    if still_holds(outcome, request.project):
        return Submission(job=job, reused=outcome)
    return None


def still_holds(outcome: Outcome, project: Path) -> bool:
    """Tell whether an outcome is a success whose files are what they were."""
    return can_be_reused(outcome, _digests_now(outcome, project))


def _digests_now(outcome: Outcome, project: Path) -> dict[str, str]:
    paths = {file.path: project / file.path for file in outcome.data}
    return {name: digest_file(p) for name, p in paths.items() if p.is_file()}


def refuse_unsettled(store: Store, job_id: str) -> None:
    """Refuse a job that waits or runs.

    Raises
    ------
    JobError
        If it does.
    """
    status = job_status(store, job_id)
    if status in {JobStatus.QUEUED, JobStatus.RUNNING}:
        raise JobError(
            f"job {job_id} has this plan and is {status.value}",
            hint=f"Watch it with `mlops attach {job_id}`.",
        )

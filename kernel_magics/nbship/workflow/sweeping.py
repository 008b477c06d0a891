"""Sweeps: plan one from a search space, and give each of its points a job.

A sweep keeps one plan, ``sweeps/<sweep>/plan/``: everything that its jobs have in common. Each
job is that plan with other values, so that a sweep that is resumed a week later executes what it
was planned with.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nbship.jobs.contract import read_contract
from nbship.jobs.directions import declared_direction
from nbship.jobs.injection import injected_source
from nbship.jobs.planning import Wish, plan, plan_digest, wish_again
from nbship.jobs.prefix import SharedPrefix, shared_prefix
from nbship.jobs.sweeps import Ask, Space, read_space
from nbship.records.ids import make_id
from nbship.records.job import Job, JobStatus, Lock
from nbship.records.sweep import Sweep, SweepPoint
from nbship.workflow.capsule import write_repository
from nbship.workflow.jobs import published_outcome
from nbship.workflow.meant import meant_id
from nbship.workflow.plans import known_plans
from nbship.workflow.submission import check_gpus, still_holds, wish_of, write_plan

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from nbship.ports import Clock, Store
    from nbship.records.notebook import Notebook
    from nbship.records.parameters import ParameterContract
    from nbship.records.policy import MetricRule
    from nbship.workflow.submission import Request, Surroundings


@dataclass(frozen=True, kw_only=True, slots=True)
class SweepRequest:
    """What a person asks for."""

    #: the notebook and what each job asks for; its texts are domains
    request: Request
    ask: Ask
    seed: int = 0
    #: whether leading cells may be executed once for all jobs
    is_sharing: bool = True
    #: what the settings say about metrics
    rules: tuple[MetricRule, ...] = ()


def plan_sweep(
    wanted: SweepRequest,
    *,
    store: Store,
    clock: Clock,
    surroundings: Surroundings,
    own_modules: Callable[[Path], frozenset[str]],
) -> Sweep:
    """Read and check everything, then write the sweep; its jobs are planned as it is driven.

    Parameters
    ----------
    wanted
        What is asked for.
    store, clock, surroundings
        As :func:`nbship.workflow.submission.submit` takes them.
    own_modules
        Names the modules that lie in a folder.

    Raises
    ------
    ParameterError
        If the space does not fit the contract, or the words do not go together.
    KernelError
        If the kernel is not installed, or its interpreter does not answer.
    JobError
        If this machine has not the GPUs that each job asks for.
    StoreError
        If the store cannot be written; nothing is left behind.
    """
    request = wanted.request
    contract = read_contract(request.snapshot)
    ask = replace(wanted.ask, direction=_direction(wanted))
    where = str(request.notebook)
    space = read_space(contract, request.texts, ask=ask, where=where)
    check_gpus(request, surroundings)
    wish = wish_of(request, surroundings, values=space.fixed)
    prefix = SharedPrefix(ends="sharing was not wanted (--no-share)")
    if wanted.is_sharing:
        names = own_modules(request.notebook.resolve().parent)
        prefix = _prefix(request.snapshot, contract, space, own_modules=names)
    sweep = Sweep(
        id=make_id("sweep", at=clock.now(), entropy=clock.entropy()),
        notebook=wish.path,
        snapshot_digest=wish.notebook.digest,
        planned_at=clock.now(),
        space=space.swept,
        values=space.fixed,
        sampler=ask.sampler,
        seed=wanted.seed,
        samples=ask.samples or 0,
        metric=ask.metric,
        direction=ask.direction,
        is_pruning=ask.is_pruning,
        shared_cells=prefix.cells,
        sharing_ends=prefix.ends,
    )
    job = replace(
        plan(wish, job_id=sweep.id, at=sweep.planned_at),
        sweep_id=sweep.id,
        shared_cells=prefix.cells,
    )
    with store.whole_folder(store.record_path(sweep.id)) as draft:
        write_plan(store, draft / "plan", job, wish=wish, data=request.data)
        if surroundings.capsule is not None:
            tools, cwd = surroundings.capsule, Path(job.cwd)
            write_repository(store, draft / "plan", tools, cwd=cwd, job=job)
        store.save(sweep, draft / "sweep.json")
    return sweep


def load_sweep(store: Store, sweep_id: str) -> Sweep:
    """Read a sweep.

    Raises
    ------
    RecordNotFoundError
        If there is no sweep of that id.
    """
    return store.load(Sweep, store.record_path(sweep_id) / "sweep.json")


def find_sweep(store: Store, name: str) -> str:
    """Return the id of the sweep that a person means: ``last``, an id, or its beginning.

    Raises
    ------
    RecordNotFoundError
        If no sweep is meant.
    JobError
        If several are.
    """
    return meant_id(
        store,
        "sweep",
        name,
        made_at=lambda i: load_sweep(store, i).planned_at,
        hint="`mlops sweeps` lists the sweeps.",
    )


def points_of(store: Store, sweep_id: str) -> tuple[SweepPoint, ...]:
    """Read the points that were chosen so far, in their order."""
    folder = store.record_path(sweep_id) / "points"
    paths = folder.glob("*.json") if folder.is_dir() else ()
    points = [store.load(SweepPoint, path) for path in paths if path.stem.isdigit()]
    return tuple(sorted(points, key=lambda point: point.number))


class PointPlanner:
    """Gives points of one sweep their jobs.

    Parameters
    ----------
    store, clock
        Where jobs lie, and the time.
    sweep
        The sweep.
    read_notebook
        Reads a notebook's file.
    project
        Where the files lie that jobs have read.
    """

    def __init__(
        self,
        store: Store,
        clock: Clock,
        sweep: Sweep,
        *,
        read_notebook: Callable[[Path], Notebook],
        project: Path,
    ) -> None:
        self._store, self._clock, self._sweep = store, clock, sweep
        self._project = project
        self._folder = store.record_path(sweep.id)
        template = self._folder / "plan"
        self._job = store.load(Job, template / "job.json")
        notebook = read_notebook(template / "input.ipynb")
        lock = store.load(Lock, template / "lock.json")
        self._wish: Wish = wish_again(self._job, notebook, lock)
        plans = known_plans(store)
        self._known = {digest: job_id for job_id, digest in plans.items()}

    def point(self, number: int, values: Mapping[str, Any]) -> SweepPoint:
        """Plan a point's job, or find the one that has the same plan; note the point.

        Raises
        ------
        StoreError
            If the store cannot be written.
        """
        wish = replace(self._wish, values={**self._sweep.values, **values})
        digest = plan_digest(wish)
        job_id, is_reused = self._known.get(digest), False
        if job_id is not None:
            outcome = published_outcome(self._store, job_id)
            if outcome is not None and outcome.status is JobStatus.SUCCEEDED:
                is_reused = still_holds(outcome, self._project)
                job_id = job_id if is_reused else None
        if job_id is None:
            job_id = self._new_job(wish, digest)
        point = SweepPoint(
            number=number, values=dict(values), job_id=job_id, is_reused=is_reused
        )
        self._store.save(point, self._folder / "points" / f"{number}.json")
        return point

    def _new_job(self, wish: Wish, digest: str) -> str:
        at = self._clock.now()
        job_id = make_id("job", at=at, entropy=self._clock.entropy())
        job = replace(
            self._job,
            id=job_id,
            values=wish.values,
            plan_digest=digest,
            planned_at=at,
        )
        template = self._folder / "plan"
        with self._store.whole_folder(self._store.job_folder(job_id)) as draft:
            for path in sorted(template.rglob("*")):
                target = draft / path.relative_to(template)
                if path.is_dir():
                    target.mkdir(parents=True, exist_ok=True)
                elif path != template / "job.json":
                    self._store.link(path, target)
            self._store.save(job, draft / "job.json")
        self._known[digest] = job_id
        return job_id


def _direction(wanted: SweepRequest) -> str:
    """Tell which way the metric is better: as said, as the settings or the notebook say."""
    ask = wanted.ask
    if ask.direction or not ask.metric:
        return ask.direction
    for rule in wanted.rules:
        if rule.name == ask.metric:
            return rule.direction
    sources = (cell.source for cell in wanted.request.snapshot.code_cells)
    return declared_direction(sources, ask.metric)


def _prefix(
    notebook: Notebook,
    contract: ParameterContract,
    space: Space,
    *,
    own_modules: frozenset[str],
) -> SharedPrefix:
    swept = [domain.name for domain in space.swept]
    sources = set(_injected_sources(contract, space))
    return shared_prefix(
        notebook, swept=swept, sources=sources, own_modules=own_modules
    )


def _injected_sources(contract: ParameterContract, space: Space) -> Iterator[str]:
    """Write every way in which a swept value may be set."""
    for domain in space.swept:
        for value in domain.values or (domain.low, domain.high):
            yield injected_source(contract, {domain.name: value})

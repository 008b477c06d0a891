"""Drive a sweep: choose points, queue their jobs, end those that fall behind, learn, go on.

Whatever a driver knows stands in the store: points, outcomes, journals. One that is killed is
followed by another, which finds the jobs that have settled and those that run still, and runs
nothing twice.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from nbship.errors import JobError, NbshipError
from nbship.jobs.sweeps import listed_points
from nbship.records.job import Attempt, JobStatus
from nbship.records.queue import TicketState
from nbship.records.sweep import Pruning
from nbship.workflow.following import RunReader
from nbship.workflow.jobs import published_outcome
from nbship.workflow.queueing import LOSSES, enqueue
from nbship.workflow.sweeping import PointPlanner, points_of

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Mapping, Sequence
    from pathlib import Path
    from typing import Any

    from nbship.ports import Clock, Queue, Search, Store
    from nbship.records.job import Outcome
    from nbship.records.notebook import Notebook
    from nbship.records.queue import Ticket
    from nbship.records.run import Metric
    from nbship.records.sweep import Sweep, SweepPoint

#: how long nothing may change before journals are looked at, and whether a supervisor lives
_GLANCE_S = 0.25
_CARE_S = 1.0
_SETTLED = frozenset({JobStatus.SUCCEEDED, JobStatus.FAILED, JobStatus.PRUNED})


@dataclass(frozen=True, kw_only=True, slots=True)
class Machine:
    """What driving asks of the outside."""

    store: Store
    queue: Queue
    clock: Clock
    #: folder of the project
    project: Path
    #: attempts that may run at a time
    workers: int
    #: how often a notebook may end its job, and attempts that may be lost beside those
    attempts: int = 1
    losses: int = LOSSES
    #: makes sure that a supervisor lives
    start: Callable[[], object]
    #: gives a job up
    cancel: Callable[[str], bool]
    read_notebook: Callable[[Path], Notebook]
    #: makes the search of a sweep: its listed points or None, and how many points stand
    search: Callable[[Sweep, Sequence[Mapping[str, Any]] | None, int], Search]


@dataclass(slots=True)
class _Watched:
    """A job that has not settled."""

    number: int
    job_id: str
    #: metrics of the run that were reported, and the attempt they are of
    attempt: int = 0
    reported: int = 0
    reader: RunReader | None = None
    is_pruned: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Standing:
    """How far a sweep has come."""

    #: points that were chosen
    chosen: int
    #: points whose job has settled
    settled: int
    #: points that will be chosen
    total: int


def drive(sweep: Sweep, machine: Machine) -> Generator[Standing, None, None]:
    """Bring a sweep to its end; tells how it stands whenever something may have changed.

    Parameters
    ----------
    sweep
        A sweep that was planned, whether driven already or not.
    machine
        The outside.

    Raises
    ------
    JobError
        If another process drives it, or what searches is not installed.
    StoreError
        If the store cannot be written.

    Yields
    ------
    Standing
        At least four times a second.
    """
    lock = machine.store.record_path(sweep.id) / "driver.lock"
    with machine.store.hold(lock) as is_ours:
        if not is_ours:
            raise JobError(
                f"{sweep.id}: another process drives it",
                hint=f"Look at it: `mlops sweep --show {sweep.id}`.",
            )
        course = _Course(sweep, machine)
        course.recall()
        cared_s = time.monotonic()
        while course.fill() or course.watched:
            yield course.standing
            has_changed = machine.queue.wait(_GLANCE_S)
            if not has_changed and time.monotonic() - cared_s > _CARE_S:
                machine.start()
                cared_s = time.monotonic()
            course.look()
        yield course.standing


def stop(sweep: Sweep, machine: Machine) -> list[str]:
    """Give up every job of a sweep that is wanted still; return their ids."""
    wanted = {ticket.job_id for ticket in machine.queue.tickets()}
    ids = {point.job_id for point in points_of(machine.store, sweep.id)} & wanted
    return [job_id for job_id in sorted(ids) if machine.cancel(job_id)]


@dataclass(slots=True)
class _Course:
    sweep: Sweep
    machine: Machine
    watched: dict[str, list[_Watched]] = field(default_factory=dict)
    #: jobs of the points that were chosen
    taken: set[str] = field(default_factory=set)
    is_asked_out: bool = False
    count: int = 0
    planner: PointPlanner = field(init=False)
    search: Search = field(init=False)
    limit: int | None = field(init=False)
    total: int = field(init=False)

    def __post_init__(self) -> None:
        machine, sweep = self.machine, self.sweep
        listed = listed_points(sweep)
        self.limit = machine.workers if listed is None else None
        self.total = sweep.samples if listed is None else len(listed)
        self.count = len(points_of(machine.store, sweep.id))
        self.search = machine.search(sweep, listed, self.count)
        self.planner = PointPlanner(
            machine.store,
            machine.clock,
            sweep,
            read_notebook=machine.read_notebook,
            project=machine.project,
        )

    @property
    def standing(self) -> Standing:
        """How far it has come."""
        open_points = sum(map(len, self.watched.values()))
        return Standing(
            chosen=self.count, settled=self.count - open_points, total=self.total
        )

    def recall(self) -> None:
        """Take note of the points that stand; queue those whose job was lost."""
        wanted = {ticket.job_id for ticket in self.machine.queue.tickets()}
        lost = []
        for point in points_of(self.machine.store, self.sweep.id):
            self.taken.add(point.job_id)
            self.search.begin(point.number, point.values)
            outcome = published_outcome(self.machine.store, point.job_id)
            is_settled = outcome is not None and outcome.status in _SETTLED
            if point.job_id in wanted or not is_settled:
                self._watch(point)
                lost += [] if point.job_id in wanted else [point.job_id]
            elif outcome is not None:
                self._learn(point.number, outcome)
        self._enqueue(lost)

    def fill(self) -> bool:
        """Choose points while there is room; tell whether any were chosen."""
        chosen: list[SweepPoint] = []
        while not self.is_asked_out and self._has_room(len(chosen)):
            values = self.search.ask(self.count + 1)
            if values is None:
                self.is_asked_out = True
                break
            self.count += 1
            point = self.planner.point(self.count, values)
            chosen += [] if self._is_known(point) else [point]
        self._enqueue([point.job_id for point in chosen])
        for point in chosen:
            self._watch(point)
        return bool(chosen)

    def look(self) -> None:
        """Look at what runs: learn from jobs that have settled, prune those that fall behind."""
        tickets = {t.job_id: t for t in self.machine.queue.tickets()}
        for job_id in list(self.watched):
            ticket = tickets.get(job_id)
            if ticket is None:
                self._settle(job_id)
            elif self.sweep.is_pruning and ticket.state is TicketState.RUNNING:
                self._follow(self.watched[job_id][0], ticket)

    def _has_room(self, chosen: int) -> bool:
        return self.limit is None or len(self.watched) + chosen < self.limit

    def _is_known(self, point: SweepPoint) -> bool:
        """Tell whether a point needs no attempt: it is taken, or under way for another point."""
        is_twin = point.job_id in self.taken
        self.taken.add(point.job_id)
        if point.job_id in self.watched:
            self._watch(point)
            return True
        outcome = published_outcome(self.machine.store, point.job_id)
        if outcome is None or not (point.is_reused or is_twin):
            return False
        self._learn(point.number, outcome)
        return True

    def _watch(self, point: SweepPoint) -> None:
        watched = _Watched(number=point.number, job_id=point.job_id)
        self.watched.setdefault(point.job_id, []).append(watched)

    def _enqueue(self, job_ids: list[str]) -> None:
        if job_ids:
            enqueue(
                self.machine.queue,
                job_ids,
                attempts=self.machine.attempts,
                losses=self.machine.losses,
            )
            self.machine.start()

    def _settle(self, job_id: str) -> None:
        outcome = published_outcome(self.machine.store, job_id)
        if outcome is None:  # somebody gave it up before it began
            for watched in self.watched.pop(job_id):
                self.search.tell(watched.number, None, is_pruned=False)
            return
        for watched in self.watched.pop(job_id):
            self._learn(watched.number, outcome, reported=watched.reported)

    def _learn(self, number: int, outcome: Outcome, *, reported: int = 0) -> None:
        if self.sweep.is_pruning and outcome.status is not JobStatus.FAILED:
            for step, logged in self._series(outcome)[reported:]:
                self.search.report(number, step=step, value=logged)
        value = outcome.metrics.get(self.sweep.metric)
        is_success = outcome.status is JobStatus.SUCCEEDED
        is_pruned = outcome.status is JobStatus.PRUNED
        self.search.tell(number, value if is_success else None, is_pruned=is_pruned)

    def _series(self, outcome: Outcome) -> list[tuple[int, float]]:
        reader = RunReader(self.machine.store, outcome.run_id)
        try:
            reader.read()
            return _points(reader.run().metrics, self.sweep.metric)
        except (
            NbshipError
        ):  # the run's journal is gone; its last value stands in the outcome
            return []

    def _follow(self, watched: _Watched, ticket: Ticket) -> None:
        """Report what a running job has logged, and end it where it falls behind."""
        if watched.is_pruned or not ticket.attempt:
            return
        if watched.attempt != ticket.attempt or watched.reader is None:
            watched.attempt, watched.reported = ticket.attempt, 0
            watched.reader = self._reader(watched.job_id, ticket.attempt)
        if watched.reader is None or not watched.reader.read():
            return
        if not watched.reader.has_started:
            return
        points = _points(watched.reader.run().metrics, self.sweep.metric)
        for step, value in points[watched.reported :]:
            watched.reported += 1
            if self.search.report(watched.number, step=step, value=value):
                self._prune(watched, step=step, value=value)
                return

    def _reader(self, job_id: str, attempt: int) -> RunReader | None:
        store = self.machine.store
        path = store.attempt_folder(job_id, attempt) / "attempt.json"
        if not path.is_file():
            return None
        return RunReader(store, store.load(Attempt, path).run_id)

    def _prune(self, watched: _Watched, *, step: int, value: float) -> None:
        store, metric = self.machine.store, self.sweep.metric
        cause = (
            f"pruned: {metric} was {value:.6g} at step {step},"
            " behind the median of earlier jobs"
        )
        folder = store.attempt_folder(watched.job_id, watched.attempt)
        note = Pruning(
            metric=metric,
            value=value,
            step=step,
            cause=cause,
            at=self.machine.clock.now(),
        )
        store.save(note, folder / "pruning.json")
        watched.is_pruned = True
        self.machine.cancel(watched.job_id)


def _points(metrics: Sequence[Metric], name: str) -> list[tuple[int, float]]:
    """List step and value of one metric; where no step was logged, they are counted from 1."""
    series = [metric for metric in metrics if metric.name == name]
    return [
        (count if metric.step is None else metric.step, metric.value)
        for count, metric in enumerate(series, start=1)
        if math.isfinite(metric.value)
    ]

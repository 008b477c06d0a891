"""A sweep in a store, and hands that do its jobs in place of a supervisor and its workers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nbship.adapters.notebooks.reader import read_notebook, read_with_bytes
from nbship.adapters.probes.clock import SystemClock
from nbship.adapters.store.files import FileStore
from nbship.adapters.store.queue import SqliteQueue
from nbship.jobs.sweeps import Ask, ListedSearch
from nbship.records.environment import Environment, GpuSurvey
from nbship.records.job import Lock
from nbship.records.queue import TicketState
from nbship.records.run import RunStatus
from nbship.workflow.attempts import Worker, run_attempt
from nbship.workflow.jobs import load_job
from nbship.workflow.recording import Recorder
from nbship.workflow.submission import Request, Surroundings, make_attempt
from nbship.workflow.sweep_driving import Machine
from nbship.workflow.sweeping import SweepRequest, plan_sweep
from support.notebook_files import write_notebook

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from nbship.ports import Grant, Search
    from nbship.records.sweep import Sweep

PARAMETERS = "lr: float = 0.1\ndepth: int = 3"


class Hands:
    """A project with a notebook, a store and a queue, whose jobs are done at once.

    Parameters
    ----------
    folder
        The project.
    result
        Returns the metrics of a job by its values; raises where it is to fail.
    """

    def __init__(
        self,
        folder: Path,
        *,
        result: Callable[[Mapping[str, Any]], Mapping[str, float]] = lambda _: {},
    ) -> None:
        self.folder = folder
        folder.mkdir(exist_ok=True)
        self.store = FileStore(folder / ".mlops")
        self.clock = SystemClock()
        self.queue = SqliteQueue(self.store)
        self.result = result
        #: values of the jobs that were attempted, in their order
        self.done: list[dict[str, Any]] = []
        #: tickets that are worked on when a supervisor is wanted; None for all
        self.at_most: int | None = None
        self.notebook = write_notebook(
            folder / "train.ipynb", "x = 1", "y = lr * x", parameters=PARAMETERS
        )

    def plan(self, ask: Ask | None = None, **texts: str) -> Sweep:
        """Plan a sweep of the notebook."""
        data, snapshot = read_with_bytes(self.notebook)
        request = Request(
            notebook=self.notebook,
            data=data,
            snapshot=snapshot,
            texts=texts,
            project=self.folder,
        )
        return plan_sweep(
            SweepRequest(request=request, ask=ask or Ask()),
            store=self.store,
            clock=self.clock,
            surroundings=Surroundings(
                interpreter=lambda _: None,
                environment=_no_environment,
                gpus=GpuSurvey,
            ),
            own_modules=lambda _: frozenset(),
        )

    def machine(
        self, *, workers: int = 2, search: Callable[..., Search] | None = None
    ) -> Machine:
        """Return what a sweep is driven with."""
        return Machine(
            store=self.store,
            queue=self.queue,
            clock=self.clock,
            project=self.folder,
            workers=workers,
            start=self.work,
            cancel=self.queue.cancel,
            read_notebook=read_notebook,
            search=search or (lambda _sweep, listed, _begun: ListedSearch(listed)),
        )

    def work(self) -> None:
        """Do what is queued, as a supervisor would."""
        waiting = [t for t in self.queue.tickets() if t.state is TicketState.QUEUED]
        for ticket in waiting[: self.at_most]:
            self.attempt(ticket.job_id)

    def attempt(self, job_id: str) -> None:
        """Attempt a job to its end and drop its ticket."""
        attempt = make_attempt(
            self.store, job_id, project=self.folder, clock=self.clock
        )
        self.queue.take(job_id, attempt=attempt.number)
        run_attempt(
            attempt,
            Worker(
                store=self.store,
                clock=self.clock,
                prepare=lambda snapshot, _source: snapshot.read_bytes(),
                execute=self._execute,
                lock=lambda _: Lock(python_version=""),
            ),
        )
        self.queue.drop(job_id)

    def _execute(self, job: Any, attempt: Any, source: Path, _grant: Grant) -> str:
        recorder = Recorder(
            self.store, attempt.run_id, self.store.journal(attempt.run_id)
        )
        recorder.start(experiment=job.experiment, notebook=job.notebook, origin="job")
        self.done.append(dict(job.values))
        output = self.store.attempt_folder(job.id, attempt.number) / "output.ipynb"
        output.write_bytes(source.read_bytes())
        try:
            metrics = self.result(job.values)
        except ValueError as error:
            recorder.end(RunStatus.FAILED, f"ValueError: {error}")
            return f"ValueError: {error}"
        for name, value in metrics.items():
            recorder.metric(name, value, direction="maximize")
        recorder.end(RunStatus.SUCCEEDED)
        return ""

    def jobs(self) -> list[dict[str, Any]]:
        """Return the values of every job in the store."""
        ids = self.store.ids("job")
        return [dict(load_job(self.store, job_id).values) for job_id in ids]


def _no_environment(python: str) -> Environment:
    raise AssertionError(f"{python} was asked, though no interpreter is known")

"""The workers of one supervisor, and what each ticket's environment gives them."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from nbship.adapters.executors.leases import GpuLeases
from nbship.adapters.executors.shippers import Shippers
from nbship.adapters.executors.surroundings import (
    forget,
    recall,
    surroundings_here,
)
from nbship.adapters.executors.workers import Assignment, WorkerProcess
from nbship.errors import JobError
from nbship.ports import Grant
from nbship.records.codec import to_json

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from nbship.adapters.executors.surroundings import Surroundings
    from nbship.ports import Lease
    from nbship.records.environment import GpuSurvey
    from nbship.records.job import Resources
    from nbship.records.queue import Ticket


class Crew:
    """Worker processes, each for one environment.

    Parameters
    ----------
    store
        The store's folder.
    project
        Where jobs are worked on whose environment is lost.
    cpus
        Processors of this machine.
    survey
        Lists the machine's GPUs.
    """

    def __init__(
        self,
        store: Path,
        *,
        project: Path,
        cpus: int,
        survey: Callable[[], GpuSurvey],
    ) -> None:
        self.cpus = cpus
        self._store = store.absolute()
        self._own = surroundings_here(project)
        self._known: dict[str, Surroundings] = {self._own.name: self._own}
        self._survey = survey
        self._idle: list[WorkerProcess] = []
        self._all: list[WorkerProcess] = []
        self._shippers = Shippers(self._store)

    def project_of(self, ticket: Ticket) -> Path:
        """Return the folder of the project that a job was submitted in."""
        return self._surroundings(ticket).project

    def lease(self, ticket: Ticket, resources: Resources) -> Lease | None:
        """Lease what a job asks for; None where others hold it now.

        What can never be leased is given as a lease without a grant: the worker says why.
        """
        environ = self._surroundings(ticket).environ
        try:
            return GpuLeases(self._survey, environ).acquire(resources)
        except JobError:
            return Refused()

    def free_worker(self, ticket: Ticket, limit: int) -> WorkerProcess:
        """Return an idle worker of a ticket's environment, or start one.

        Raises
        ------
        JobError
            If none can be started.
        """
        surroundings = self._surroundings(ticket)
        for worker in self._idle:
            if worker.surroundings == surroundings.name:
                return worker
        if len(self._all) >= limit and self._idle:
            self._idle.pop(0).dismiss()  # of another environment
        worker = self._start(surroundings)
        self._all.append(worker)
        self._idle.append(worker)
        return worker

    def assign(self, worker: WorkerProcess, folder: Path, lease: Lease) -> None:
        """Hand an attempt to a worker; where it is gone, its end says so."""
        self._idle.remove(worker)
        grant = lease.grant
        assignment = Assignment(
            folder=str(folder),
            environ=dict(grant.environ),
            gpus=[to_json(gpu) for gpu in grant.gpus],
            is_granted=not isinstance(lease, Refused),
            is_mirrored=True,
        )
        worker.assign(assignment, grant.held_fds)

    def mirror(self, ticket: Ticket, word: str, run_id: str) -> None:
        """Say that a job's run begins, or that nothing more happens in it."""
        self._shippers.tell(word, run_id, self._surroundings(ticket))

    def pace(self, *, is_busy: bool) -> None:
        """Let what mirrors runs have the processor where no job wants it."""
        self._shippers.pace(is_busy=is_busy)

    def release(self, worker: WorkerProcess) -> None:
        """Note that a worker has nothing to do."""
        if worker in self._all and worker not in self._idle:
            self._idle.append(worker)

    def bury(self, worker: WorkerProcess) -> None:
        """Forget a worker that is gone."""
        for workers in (self._all, self._idle):
            with contextlib.suppress(ValueError):
                workers.remove(worker)
        worker.close()

    def dismiss(self) -> None:
        """Let every worker leave: at once, or after the attempt at hand."""
        for worker in self._all:
            worker.dismiss()
        self._shippers.dismiss()

    def forget(self) -> None:
        """Forget the environments of jobs, of which none is left."""
        forget(self._store)

    def _start(self, surroundings: Surroundings) -> WorkerProcess:
        log = self._store / "supervisor.log"
        try:
            return WorkerProcess(surroundings, store=self._store, log=log)
        except JobError:  # its interpreter or project is gone
            if surroundings is self._own:
                raise
            self._known[surroundings.name] = self._own
            return self._start(self._own)

    def _surroundings(self, ticket: Ticket) -> Surroundings:
        name = ticket.surroundings
        if name not in self._known:
            self._known[name] = recall(name, self._store) or self._own
        return self._known[name]


class Refused:
    """A lease of nothing: the job asks for what it can never be given."""

    grant = Grant()

    def release(self) -> None:
        """Do nothing."""

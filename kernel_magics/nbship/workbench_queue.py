"""The part of the workbench that queues jobs and starts what works on them."""

from __future__ import annotations

import sys
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nbship.adapters.store.files import FileStore
    from nbship.ports import Queue
    from nbship.settings import Settings

#: held by the supervisor of a store while it lives
LOCK_NAME = "supervisor.lock"


class QueueBench:
    """Wires the queue; :class:`nbship.workbench.Workbench` has the rest."""

    settings: Settings

    @cached_property
    def store(self) -> FileStore:
        """``.mlops/`` of the project."""
        from nbship.adapters.store.files import FileStore

        return FileStore(self.settings.store)

    @cached_property
    def queue(self) -> Queue:
        """Which jobs are wanted, and what runs."""
        from nbship.adapters.store.queue import SqliteQueue

        return SqliteQueue(self.store, surroundings=self._keep_surroundings)

    @property
    def workers(self) -> int:
        """How many attempts may run at a time: ``queue.workers``, else by processors.

        Half as many as there are processors, since a kernel has its client beside it and
        libraries that start threads; two at least where there are two, since much of a short
        notebook is waiting.
        """
        from nbship.adapters.probes.environment_cache import cpus_here

        cpus = cpus_here()
        return self.settings.workers or min(cpus, max(2, cpus // 2))

    @property
    def has_supervisor(self) -> bool:
        """Whether the supervisor of this store lives."""
        return self.store.is_held(self.store.folder / LOCK_NAME)

    def start_supervisor(self, *, workers: int | None = None) -> None:
        """Start the supervisor of this store, or tell the living one that there is work.

        Parameters
        ----------
        workers
            Attempts that may run at a time; a living supervisor takes the larger number.
        """
        from nbship.adapters.executors.bell import ring
        from nbship.adapters.probes.processes import start_detached

        if self.has_supervisor:
            ring(self.store.folder, workers=workers)
            return
        words = [sys.executable, "-m", "nbship.faces.supervisor"]
        words += [str(self.store.folder.absolute())]
        words += ["--project", str(self.settings.project.absolute())]
        words += ["--workers", str(workers)] if workers else []
        start_detached(words, environ={}, log=self.store.folder / "supervisor.log")

    def cancel(self, job_id: str) -> bool:
        """Give a job up; False where it is not wanted."""
        from nbship.adapters.executors.bell import ring

        is_wanted = self.queue.cancel(job_id)
        if is_wanted and not ring(self.store.folder):
            self.start_supervisor()
        return is_wanted

    def _keep_surroundings(self) -> str:
        from nbship.adapters.executors.surroundings import keep, surroundings_here

        here = surroundings_here(self.settings.project)
        return keep(here, self.store.folder)

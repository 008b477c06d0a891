"""The part of the workbench that drives sweeps."""

from __future__ import annotations

import sys
from functools import cached_property
from typing import TYPE_CHECKING, Any

from nbship.workbench_queue import QueueBench

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from nbship.ports import Clock, Search
    from nbship.records.notebook import Notebook
    from nbship.records.sweep import Sweep
    from nbship.workflow.sweep_driving import Machine


class SweepBench(QueueBench):
    """Wires what sweeps need; :class:`nbship.workbench.Workbench` has the rest."""

    @cached_property
    def clock(self) -> Clock:
        """Time and identity."""
        from nbship.adapters.probes.clock import SystemClock

        return SystemClock()

    def sweep_machine(self, *, workers: int | None = None) -> Machine:
        """Return what a sweep is driven with.

        Parameters
        ----------
        workers
            Attempts that may run at a time; else as many as the supervisor runs.
        """
        from nbship.workflow.sweep_driving import Machine

        return Machine(
            store=self.store,
            queue=self.queue,
            clock=self.clock,
            project=self.settings.project,
            workers=workers or self.workers,
            attempts=self.settings.attempts,
            losses=self.settings.losses,
            start=lambda: self.start_supervisor(workers=workers),
            cancel=self.cancel,
            read_notebook=_read_notebook,
            search=_search,
        )

    def start_driver(self, sweep_id: str, *, workers: int | None = None) -> int:
        """Start the detached process that drives a sweep to its end."""
        from nbship.adapters.probes.processes import start_detached

        words = [sys.executable, "-m", "nbship.faces.cli", "sweep"]
        words += ["--resume", sweep_id]
        words += ["--workers", str(workers)] if workers else []
        log = self.store.record_path(sweep_id) / "driver.log"
        return start_detached(words, environ={}, log=log)

    @staticmethod
    def check_optuna() -> None:
        """Make sure that Optuna is installed.

        Raises
        ------
        JobError
            If it is not.
        """
        from nbship.adapters.samplers.optuna import check_installed

        check_installed()

    @staticmethod
    def own_modules(folder: Path) -> frozenset[str]:
        """Name the modules that a kernel finds in its working folder."""
        from nbship.adapters.probes.imports import local_modules

        return local_modules(folder)


def _read_notebook(path: Path) -> Notebook:
    from nbship.adapters.notebooks.reader import read_notebook

    return read_notebook(path)


def _search(
    sweep: Sweep, listed: Sequence[Mapping[str, Any]] | None, begun: int
) -> Search:
    """Make the search of a sweep: Optuna where something is to be learned, else the list."""
    from nbship.jobs.sweeps import ListedSearch

    if listed is not None and not sweep.is_pruning:
        return ListedSearch(listed)
    from nbship.adapters.samplers.optuna import OptunaSearch

    return OptunaSearch(sweep, direction=sweep.direction, listed=listed, begun=begun)

"""The recorder of a live notebook: at most one run at a time."""

from __future__ import annotations

import atexit
import contextlib
import os
import sys
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from nbship import variables
from nbship.errors import RunError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from nbship.capture.series import MetricSeries
    from nbship.faces.hooks import CellHooks
    from nbship.records.run import RunStatus
    from nbship.workbench import Workbench
    from nbship.workflow.check_memory import CheckMemory
    from nbship.workflow.export_capture import LiveNotebook
    from nbship.workflow.recording import Recorder

_FOLLOWERS = 4
_NO_RUN = "no run is active in this notebook"
_NO_RUN_HINT = "Start one: `%mlops start NAME`."


class Follower(Protocol):
    """What follows a run: a widget."""

    def change(self) -> None:
        """Take note that something was recorded."""
        ...

    def finish(self) -> None:
        """Show what is not shown yet: a cell has ended."""
        ...


class Session:
    """What a notebook's kernel knows of its run.

    In the kernel of a job the engine owns the run: ``start`` attaches to it, metrics, tags
    and notes go to its journal, cells and values are left to the engine.

    Parameters
    ----------
    shell
        IPython's shell; None in plain Python.
    """

    def __init__(self, shell: Any = None) -> None:  # noqa: ANN401  # IPython has no types
        self.shell = shell
        self.hooks: CellHooks | None = None
        self.recorder: Recorder | None = None
        self.experiment = ""
        self.series: MetricSeries | None = None
        self._followers: list[Follower] = []
        self._workbench: Workbench | None = None
        self._pid = os.getpid()
        self._parameters: tuple[str, ...] = ()
        self._troubles = 0
        self._has_stopped = False
        atexit.register(self._close_at_exit)

    @property
    def is_here(self) -> bool:
        """False in a fork, which must not record cells a second time."""
        return self._pid == os.getpid()

    def go_on(self) -> None:
        """Record in this process, a copy that goes on for a run of its own."""
        self._pid = os.getpid()

    @property
    def is_attached(self) -> bool:
        """True in the kernel of a job, whose engine owns the run."""
        return bool(os.environ.get(variables.RUN_FOLDER))

    @property
    def cell_recorder(self) -> Recorder | None:
        """The recorder that cells go to; None without a run and in a job's kernel."""
        return None if self.is_attached else self.recorder

    @property
    def namespace(self) -> Mapping[str, Any]:
        """The notebook's names."""
        return {} if self.shell is None else self.shell.user_ns

    def live_notebook(self, root: str) -> LiveNotebook:
        """Return the notebook as it stands; calls of ``root`` are recorded from now on."""
        from nbship.faces.roots import attend, live_notebook

        attend([root])
        return live_notebook(self.namespace)

    @cached_property
    def check_memory(self) -> CheckMemory:
        """What checks of roots in this kernel leave for each other."""
        from nbship.workflow.check_memory import CheckMemory

        return CheckMemory()

    @property
    def workbench(self) -> Workbench:
        """The workbench of the active run, else that of the notebook's project."""
        from nbship.faces.notebook_path import notebook_path
        from nbship.workbench import Workbench

        if self.recorder is not None and self._workbench is not None:
            return self._workbench
        path = notebook_path(self.namespace)
        return Workbench.open(path.parent if path else None)

    def start(self, experiment: str = "") -> str:
        """Start a run, or attach to the job's; return what to tell the user.

        Raises
        ------
        RunError
            If another run is active.
        StoreError
            If the store cannot be written; there is no run then.
        """
        if self.is_attached:
            return self._attach(experiment)
        if self.recorder is not None:
            if experiment in {"", self.experiment}:
                return f"run {self.recorder.run_id} of {self.experiment!r} is active already"
            raise RunError(
                f"run {self.recorder.run_id} of {self.experiment!r} is active",
                hint="Stop it first: `%mlops stop`.",
            )
        from nbship.capture.series import MetricSeries
        from nbship.faces.live_start import start_live_run

        started = start_live_run(self.workbench, self.namespace, experiment)
        self.recorder, self._workbench = started.recorder, started.workbench
        self.experiment, self.series = started.experiment, MetricSeries()
        self._troubles = 0
        if self.hooks is not None:
            self.quietly(self.hooks.enter)
        self.quietly(self._record_values)
        self.quietly(started.start_shipper)
        return started.notice

    def stop(self, status: RunStatus, cause: str = "") -> str:
        """End the run; in a job the engine will, when the notebook has ended.

        Raises
        ------
        RunError
            If no run is active, or a job's notebook says that it failed.
        """
        from nbship.records.run import RunStatus

        recorder = self.active
        if self.is_attached:
            self.recorder, self._has_stopped = None, True
            if status is not RunStatus.SUCCEEDED:
                raise RunError(f"the notebook says that it failed: {cause}")
            return f"run {recorder.run_id} ends with its job"
        if self.hooks is not None:
            self.quietly(self.hooks.leave)
        self.quietly(self._copy_notebook)
        recorder.end(status, cause)
        self.refresh(is_cell_end=True)
        self.recorder, self._followers = None, []
        return f"run {recorder.run_id} {status.value}"

    @property
    def active(self) -> Recorder:
        """The recorder of the active run.

        Raises
        ------
        RunError
            If no run is active.
        """
        if self.recorder is None and self.is_attached and not self._has_stopped:
            self._attach("")
        if self.recorder is None:
            raise RunError(_NO_RUN, hint=_NO_RUN_HINT)
        return self.recorder

    def log(
        self,
        metrics: Mapping[str, float],
        *,
        step: int | None = None,
        unit: str = "",
        direction: str = "",
    ) -> None:
        """Record metrics and let the widgets know.

        Raises
        ------
        RunError
            If no run is active.
        StoreError
            If the journal cannot be written.
        """
        recorder = self.active
        for name, value in metrics.items():
            recorder.metric(name, value, step=step, unit=unit, direction=direction)
            if self.series is not None:
                self.series.add(name, value, step=step)
        self.refresh()

    def follow(self, follower: Follower) -> None:
        """Let a widget know of what is recorded, until the run ends; the last four are kept."""
        self._followers = [*self._followers, follower][-_FOLLOWERS:]

    def refresh(self, *, is_cell_end: bool = False) -> None:
        """Tell the widgets that something was recorded."""
        if not self.is_here:
            return
        for follower in self._followers:
            self.quietly(follower.finish if is_cell_end else follower.change)

    def take_parameters(self, source: str) -> None:
        """Remember the names of the parameters cell, and record their values in a run."""
        from nbship.capture.declared import assigned_names

        known = dict.fromkeys((*self._parameters, *assigned_names(source)))
        self._parameters = tuple(known)
        self._record_values()

    def quietly(self, act: Callable[[], object]) -> None:
        """Do something on our own account: what it raises never reaches the user's cell."""
        try:
            act()
        except Exception as error:  # noqa: BLE001  # the promise of capture
            self._troubles += 1
            if self._troubles == 1:
                print(  # noqa: T201  # said once a run
                    f"nbship: something was not recorded: {error}", file=sys.stderr
                )

    def _record_values(self) -> None:
        if self.cell_recorder is None or not self._parameters:
            return
        from nbship.capture.declared import values_in

        for name, value in values_in(self.namespace, self._parameters).items():
            self.cell_recorder.value(name, value)

    def _attach(self, experiment: str) -> str:
        from nbship.capture.series import MetricSeries
        from nbship.workbench import Workbench

        folder = Path(os.environ[variables.RUN_FOLDER])
        if self.recorder is None:
            self._workbench = Workbench.over(folder.parents[1])
            self.recorder = self._workbench.recorder(folder.name)
            self.series = MetricSeries()
        if experiment and experiment != self.experiment:
            self.experiment = experiment
            self.recorder.start(experiment=experiment)
        return f"run {folder.name} records this job"

    def _copy_notebook(self) -> None:
        from nbship.faces.notebook_path import notebook_path
        from nbship.workflow.recording import copy_notebook

        path = notebook_path(self.namespace)
        if path is not None and self.recorder is not None:
            copy_notebook(self.workbench.store, self.recorder, path)

    def _close_at_exit(self) -> None:
        """Close a run that nobody stopped: failed where the last cell failed, else interrupted."""
        if self.recorder is None or not self.is_here or self.is_attached:
            return
        from nbship.workflow.recording import end_unstopped

        with contextlib.suppress(Exception):
            end_unstopped(self.recorder)

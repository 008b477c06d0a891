"""Start the run of a live notebook: journal, repository, copy of the notebook, shipper."""

from __future__ import annotations

import os
import platform
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nbship.records.environment import GitState
    from nbship.workbench import Workbench
    from nbship.workflow.recording import Recorder


@dataclass(frozen=True, kw_only=True)
class LiveRun:
    """A run that has just begun."""

    recorder: Recorder
    workbench: Workbench
    experiment: str
    #: what to tell the user
    notice: str

    def start_shipper(self) -> None:
        """Start the process that mirrors the run and closes it if the kernel dies."""
        self.workbench.start_shipper(self.recorder.run_id, watch_pid=os.getpid())


def start_live_run(
    workbench: Workbench, namespace: Mapping[str, Any], experiment: str
) -> LiveRun:
    """Write the first events of a run.

    Parameters
    ----------
    workbench
        The workbench of the notebook's project.
    namespace
        The notebook's names, for finding its file.
    experiment
        As the user named it; the settings' or the notebook's name where empty.

    Raises
    ------
    StoreError
        If the store cannot be written; there is no run then.
    """
    from nbship.faces.notebook_path import notebook_path
    from nbship.settings import name_in_project
    from nbship.workflow.recording import copy_notebook

    path = notebook_path(namespace)
    folder = path.parent if path else Path.cwd()
    experiment = (
        experiment
        or workbench.settings.experiment
        or (path.stem if path else folder.name)
    )
    recorder = workbench.recorder(workbench.new_id("run"))
    recorder.start(
        experiment=experiment,
        notebook=name_in_project(path, workbench.settings.project) if path else "",
        origin="live",
        pid=os.getpid(),
        birth=workbench.birth_of(os.getpid()),
        host=platform.node(),
        python=sys.executable,
        cwd=str(Path.cwd()),
    )
    git = workbench.git_state(folder)
    if git is not None:
        recorder.git(git)
    if path is not None:
        copy_notebook(workbench.store, recorder, path)
    notice = f"run {recorder.run_id} of {experiment!r} started; {_repository(git)}"
    return LiveRun(
        recorder=recorder, workbench=workbench, experiment=experiment, notice=notice
    )


def _repository(git: GitState | None) -> str:
    if git is None:
        return "no git repository here"
    from nbship.capture.summary import commit_text

    return f"git {commit_text(git)}{', with changes' if git.is_dirty else ''}"

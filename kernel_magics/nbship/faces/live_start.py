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

_COMMIT_LENGTH = 10


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
        from nbship.faces.shipper import start_shipper

        start_shipper(
            self.workbench.settings.store,
            self.recorder.run_id,
            watch_pid=os.getpid(),
            project=self.workbench.settings.project,
        )


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
        notebook=_shown(path, workbench.settings.project),
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


def _shown(path: Path | None, project: Path) -> str:
    if path is None:
        return ""
    inside = path.is_relative_to(project)
    return path.relative_to(project).as_posix() if inside else str(path)


def _repository(git: GitState | None) -> str:
    if git is None:
        return "no git repository here"
    commit = git.commit[:_COMMIT_LENGTH] or "no commit yet"
    return f"git {commit}{', with changes' if git.is_dirty else ''}"

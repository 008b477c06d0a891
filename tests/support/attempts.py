"""An attempt as an executor gets it: planned, with its folder, and not begun."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nbship.records.job import Resources
from nbship.workbench import Workbench
from nbship.workflow.submission import Request, make_attempt, submit

if TYPE_CHECKING:
    from pathlib import Path


def planned_attempt(project: Path, *, timeout_s: float = 0.0) -> Path:
    """Plan ``in.ipynb`` of a project and return the folder of its first attempt."""
    workbench = Workbench.open(project)
    notebook = project / "in.ipynb"
    data, snapshot = workbench.notebook(notebook)
    request = Request(
        notebook=notebook,
        data=data,
        snapshot=snapshot,
        texts={},
        project=project,
        resources=Resources(timeout_s=timeout_s),
    )
    job = submit(
        request,
        store=workbench.store,
        clock=workbench.clock,
        surroundings=workbench.surroundings,
    ).job
    attempt = make_attempt(
        workbench.store, job.id, project=project, clock=workbench.clock
    )
    return workbench.store.attempt_folder(job.id, attempt.number)

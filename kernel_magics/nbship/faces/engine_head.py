"""What is known of a run before its first cell: project, names, values, interpreter."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nbship.capture.declared import declared_experiment
from nbship.errors import KernelError, ParameterError
from nbship.jobs.contract import read_parameters
from nbship.jobs.values import check_values
from nbship.records.notebook import PARAMETERS_TAG
from nbship.records.parameters import ParameterContract
from nbship.settings import find_project, name_in_project
from nbship.workbench import Workbench

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nbship.adapters.kernels.order import EngineOrder


@dataclass(frozen=True, kw_only=True, slots=True)
class Head:
    """The beginning of a run's record."""

    workbench: Workbench
    run_id: str
    experiment: str
    job_id: str | None
    #: the notebook's file, absolute; None where it is no local file
    notebook: Path | None
    #: the notebook as the record names it
    name: str
    #: folder that is looked at for a repository
    folder: Path
    #: the kernel's interpreter; None where it is unknown
    python: str | None
    language: str
    values: Mapping[str, Any] = field(default_factory=dict)
    #: what was found and does not stop papermill
    remarks: tuple[str, ...] = ()

    def started(self) -> dict[str, Any]:
        """Return the data of ``RUN_STARTED``."""
        data = {
            "experiment": self.experiment,
            "notebook": self.name,
            "origin": "papermill" if self.job_id is None else "job",
            "pid": os.getpid(),
        }
        return data if self.job_id is None else data | {"job_id": self.job_id}


def head_of(
    nb: Any,  # noqa: ANN401  # a NotebookNode
    kernel_name: str,
    *,
    output_path: str | None,
    order: EngineOrder | None,
) -> Head:
    """Find out what the record begins with.

    Raises
    ------
    NbshipError
        If the settings of the project cannot be read.
    """
    told = nb.metadata.get("papermill", {})
    notebook = order.notebook if order else _local(told.get("input_path"))
    output = _local(output_path or told.get("output_path"))
    workbench = (
        Workbench.over(order.store, project=order.project)
        if order
        else Workbench.open(_place(notebook, output))
    )
    given = order.values if order else told.get("parameters") or {}
    values, remarks = _values(nb, given, is_checked=order is not None)
    python, language = _kernel(workbench, kernel_name)
    return Head(
        workbench=workbench,
        run_id=order.run_id if order else workbench.new_id("run"),
        experiment=order.experiment if order else _experiment(nb, workbench, notebook),
        job_id=order.job_id if order else None,
        notebook=notebook,
        name=name_in_project(notebook, workbench.settings.project) if notebook else "",
        folder=notebook.parent if notebook else Path.cwd(),
        python=python,
        language=language,
        values=values,
        remarks=remarks,
    )


def _local(path: object) -> Path | None:
    """Return a path that papermill was given, absolute; None for ``-``, URLs and nodes."""
    if not isinstance(path, str) or path in {"", "-"} or "://" in path:
        return None
    from papermill.iorw import papermill_io

    try:  # with --cwd the process is elsewhere, and papermill remembers where it was
        start = getattr(papermill_io.get_handler(path), "_cwd", None)
    except Exception:  # noqa: BLE001  # handlers of plug-ins raise anything
        return None
    return Path(start or Path.cwd(), path).resolve()


def _place(notebook: Path | None, output: Path | None) -> Path:
    """Return where to look for the project: beside the input, here, beside the output."""
    folders = [p.parent for p in (notebook,) if p] + [Path.cwd()]
    for folder in folders:
        if find_project(folder.resolve()) is not None:
            return folder
    return output.parent if output else Path.cwd()


def _experiment(nb: Any, workbench: Workbench, notebook: Path | None) -> str:  # noqa: ANN401
    sources = (cell.source for cell in nb.cells if cell.cell_type == "code")
    declared = declared_experiment(sources)
    stem = notebook.stem if notebook else "notebook"
    return declared or workbench.settings.experiment or stem


def _kernel(workbench: Workbench, name: str) -> tuple[str | None, str]:
    try:
        kernel = workbench.kernel(name)
    except KernelError:  # papermill says so in its own words
        return None, ""
    return kernel.python, kernel.language


def _values(
    nb: Any,  # noqa: ANN401
    given: Mapping[str, Any],
    *,
    is_checked: bool,
) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Return the values that the run uses, and what is odd about them."""
    cells = (c for c in nb.cells if PARAMETERS_TAG in c.metadata.get("tags", ()))
    cell = next(cells, None)
    try:
        declared = () if cell is None else read_parameters(cell.source)
    except (SyntaxError, ValueError):
        declared = ()
    contract = ParameterContract(
        cell_id=None if cell is None else cell.get("id"), parameters=declared
    )
    remarks: tuple[str, ...] = ()
    try:
        if not is_checked:
            check_values(contract, given, where="papermill's parameters")
    except ParameterError as error:
        remarks = (error.message,)
    return {
        **{p.name: _default(p) for p in declared if not p.is_required},
        **given,
    }, remarks


def _default(parameter: Any) -> Any:  # noqa: ANN401  # a Parameter, a JSON value
    is_unread = parameter.default is None and parameter.default_text != "None"
    return parameter.default_text if is_unread else parameter.default

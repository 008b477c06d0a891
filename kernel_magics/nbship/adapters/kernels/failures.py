"""Why a notebook did not come to its end, told from what ended its running cell."""

from __future__ import annotations

import signal
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nbclient.exceptions import (  # noqa: TID253  # loaded by papermill's engine only
    CellExecutionError,
    CellTimeoutError,
    DeadKernelError,
)

from nbship.capture.summary import cause_text, cell_name
from nbship.records.run import CellStatus, RunStatus

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, kw_only=True, slots=True)
class Failure:
    """Why a notebook did not come to its end."""

    status: RunStatus
    #: how the cell that was running ended
    cell_status: CellStatus
    cause: str
    #: ``{"ename", "evalue", "traceback"}``
    error: Mapping[str, Any]
    #: position in the notebook
    cell_index: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Circumstances:
    """What the client knows beside the exception."""

    #: the kernel's exit code, negative for a signal; None where it lives or is unknown
    exit_code: int | None
    #: limit of the cell in seconds; 0 is none
    cell_limit_s: float
    #: limit of all cells together in seconds; 0 is none
    deadline_s: float
    #: True where that limit is passed
    is_overdue: bool


def failure_of(
    raised: BaseException,
    cell: Any,  # noqa: ANN401  # a NotebookNode
    cell_index: int,
    *,
    circumstances: Circumstances,
) -> Failure:
    """Tell what ended a cell.

    Parameters
    ----------
    raised
        The exception; an nbclient ``CellExecutionError`` is the cell's own.
    cell, cell_index
        The cell that was running.
    circumstances
        What else is known.
    """
    if isinstance(raised, CellExecutionError):
        return _own_failure(raised, cell, cell_index)
    name, text = type(raised).__name__, str(raised)
    status, cell_status = RunStatus.FAILED, CellStatus.FAILED
    if isinstance(raised, DeadKernelError):
        status, cell_status = RunStatus.KILLED, CellStatus.KILLED
        text = _death(circumstances.exit_code)
    elif isinstance(raised, CellTimeoutError):
        text = _overtime(circumstances)
    elif isinstance(raised, (KeyboardInterrupt, SystemExit)):
        status, cell_status = RunStatus.INTERRUPTED, CellStatus.INTERRUPTED
        name = "Terminated" if isinstance(raised, SystemExit) else name
        text = "SIGTERM" if isinstance(raised, SystemExit) else "SIGINT"
    return Failure(
        status=status,
        cell_status=cell_status,
        cause=cause_text(name, text, _name(cell)),
        error=_described(name, text),
        cell_index=cell_index,
    )


def error_output(cell: Any) -> dict[str, Any] | None:  # noqa: ANN401
    """Return the first error among a cell's outputs."""
    for output in cell.outputs:
        if output.output_type == "error":
            return {key: output[key] for key in ("ename", "evalue", "traceback")}
    return None


def error_node(error: Mapping[str, Any]) -> Any:  # noqa: ANN401
    """Make an output of an error."""
    from nbformat.v4 import new_output

    return new_output("error", **error)


def _own_failure(raised: Any, cell: Any, cell_index: int) -> Failure:  # noqa: ANN401
    is_exit = raised.ename == "SystemExit" and raised.evalue in {"", "0"}
    return Failure(
        status=RunStatus.SUCCEEDED if is_exit else RunStatus.FAILED,
        cell_status=CellStatus.OK if is_exit else CellStatus.FAILED,
        cause=cause_text(raised.ename, raised.evalue, _name(cell)),
        error=error_output(cell) or _described(raised.ename, raised.evalue),
        cell_index=cell_index,
    )


def _death(exit_code: int | None) -> str:
    if exit_code is None:
        return "the kernel died"
    if exit_code >= 0:
        return f"the kernel ended itself with exit code {exit_code}"
    known = set(signal.Signals)
    number = -exit_code
    name = signal.Signals(number).name if number in known else str(number)
    why = " (out of memory is the usual reason)" if name == "SIGKILL" else ""
    return f"the kernel was killed by {name}{why}"


def _overtime(circumstances: Circumstances) -> str:
    if circumstances.is_overdue:
        limit_s = circumstances.deadline_s
        return f"the job took longer than its limit of {limit_s:g} s"
    limit_s = circumstances.cell_limit_s
    limit = f" of {limit_s:g} s" if limit_s else ""
    return f"the cell took longer than its limit{limit}"


def _name(cell: Any) -> str:  # noqa: ANN401
    return cell_name(cell.get("id", ""), cell.source)


def _described(name: str, text: str) -> dict[str, Any]:
    return {"ename": name, "evalue": text, "traceback": [f"{name}: {text}"]}

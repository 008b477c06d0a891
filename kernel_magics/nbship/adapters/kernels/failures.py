"""Why a notebook did not come to its end, told from what ended its running cell."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from nbclient.exceptions import (  # noqa: TID253  # loaded by papermill's engine only
    CellExecutionError,
    CellTimeoutError,
    DeadKernelError,
)

from nbship.capture.dying import death
from nbship.capture.exhaustion import exhausted
from nbship.capture.summary import cause_text, cell_name
from nbship.records.cause import Cause, CauseKind, Evidence
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
    #: the same in parts; None where it ended well
    why: Cause | None
    #: ``{"ename", "evalue", "traceback"}``
    error: Mapping[str, Any]
    #: position in the notebook; None where no cell was running
    cell_index: int | None


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
    #: what was seen of the kernel
    evidence: Evidence = field(default_factory=Evidence)
    #: False where the kernel sees no GPU
    has_gpus: bool = True


@dataclass(frozen=True, kw_only=True, slots=True)
class _Ending:
    name: str
    text: str
    why: Cause
    status: RunStatus = RunStatus.FAILED
    cell_status: CellStatus = CellStatus.FAILED


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
        return _own_failure(raised, cell, cell_index, circumstances)
    ending = _ending(raised, circumstances)
    return Failure(
        status=ending.status,
        cell_status=ending.cell_status,
        cause=cause_text(ending.name, ending.text, _name(cell)),
        why=ending.why,
        error=_described(ending.name, ending.text),
        cell_index=cell_index,
    )


def failure_between(raised: BaseException) -> Failure:
    """Tell what ended a notebook while no cell was running, or none could be told of."""
    if isinstance(raised, (KeyboardInterrupt, SystemExit)):
        ending = _stopped(raised, Evidence())
        cause = f"{ending.name}: {ending.text}"
    else:
        name, text = type(raised).__name__, str(raised)
        found = exhausted(name, text, has_gpus=False)
        ending = _Ending(name=name, text=text, why=Cause(kind=found or CauseKind.OTHER))
        cause = f"{name}: {text}".rstrip(": ")
    return Failure(
        status=ending.status,
        cell_status=ending.cell_status,
        cause=cause,
        why=ending.why,
        error=_described(ending.name, ending.text),
        cell_index=None,
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


def _ending(raised: BaseException, circumstances: Circumstances) -> _Ending:
    name, evidence = type(raised).__name__, circumstances.evidence
    if isinstance(raised, DeadKernelError):
        why, text = death(circumstances.exit_code, evidence)
        return _Ending(
            name=name,
            text=text,
            why=why,
            status=RunStatus.KILLED,
            cell_status=CellStatus.KILLED,
        )
    if isinstance(raised, (KeyboardInterrupt, SystemExit)):
        return _stopped(raised, evidence)
    if isinstance(raised, CellTimeoutError):
        overdue = circumstances.is_overdue
        kind = CauseKind.JOB_TIMEOUT if overdue else CauseKind.CELL_TIMEOUT
        why = Cause(kind=kind, evidence=evidence)
        return _Ending(name=name, text=_overtime(circumstances), why=why)
    text = str(raised)
    found = exhausted(name, text, has_gpus=circumstances.has_gpus)
    why = Cause(kind=found or CauseKind.OTHER, evidence=evidence)
    return _Ending(name=name, text=text, why=why)


def _stopped(raised: BaseException, evidence: Evidence) -> _Ending:
    is_term = isinstance(raised, SystemExit)
    signal = "SIGTERM" if is_term else "SIGINT"
    kind = CauseKind.TERMINATED if is_term else CauseKind.INTERRUPTED
    return _Ending(
        name="Terminated" if is_term else type(raised).__name__,
        text=signal,
        why=Cause(kind=kind, signal=signal, evidence=evidence),
        status=RunStatus.INTERRUPTED,
        cell_status=CellStatus.INTERRUPTED,
    )


def _own_failure(
    raised: Any,  # noqa: ANN401  # a CellExecutionError
    cell: Any,  # noqa: ANN401
    cell_index: int,
    circumstances: Circumstances,
) -> Failure:
    is_exit = raised.ename == "SystemExit" and raised.evalue in {"", "0"}
    return Failure(
        status=RunStatus.SUCCEEDED if is_exit else RunStatus.FAILED,
        cell_status=CellStatus.OK if is_exit else CellStatus.FAILED,
        cause=cause_text(raised.ename, raised.evalue, _name(cell)),
        why=None if is_exit else _own_cause(raised, circumstances),
        error=error_output(cell) or _described(raised.ename, raised.evalue),
        cell_index=cell_index,
    )


def _own_cause(raised: Any, circumstances: Circumstances) -> Cause:  # noqa: ANN401
    evidence = circumstances.evidence
    if raised.ename == "SystemExit":
        code = int(raised.evalue) if raised.evalue.lstrip("-").isdecimal() else 1
        return Cause(kind=CauseKind.EXIT, exit_code=code, evidence=evidence)
    found = exhausted(raised.ename, raised.evalue, has_gpus=circumstances.has_gpus)
    if found is None and evidence.lost_gpus:
        found = CauseKind.GPU_LOST
    return Cause(kind=found or CauseKind.ERROR, evidence=evidence)


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

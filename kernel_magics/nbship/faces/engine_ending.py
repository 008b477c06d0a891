"""How an execution ends: the marks, the last save, the record.

The last save is made whatever happened: where the disk is full, the outputs of the cell that
filled it are left out, so that what is left behind still says what happened.
"""

from __future__ import annotations

import contextlib
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

from nbship.adapters.kernels.failures import error_node, failure_between
from nbship.adapters.notebooks.nodes import leave_out_outputs, mark_failure
from nbship.errors import NbshipError
from nbship.records.cause import CauseKind
from nbship.records.run import RunStatus

if TYPE_CHECKING:
    from nbship.adapters.kernels.client import NbshipClient
    from nbship.adapters.kernels.failures import Failure
    from nbship.adapters.kernels.saving import SparingManager
    from nbship.adapters.store.reserve import Reserve
    from nbship.faces.engine_record import EngineRecord

_MARKS = 2


def end(
    manager: SparingManager, client: NbshipClient, record: EngineRecord, *, is_job: bool
) -> None:
    """End a notebook that came to its end, or that one of its cells ended.

    Parameters
    ----------
    manager, client, record
        Of the execution.
    is_job
        False leaves the marks to papermill, which makes them where it raises the cell's error.
    """
    failure = client.failure
    if failure is None:
        record.end(manager.text, RunStatus.SUCCEEDED)
        return
    if is_job and failure.status is not RunStatus.SUCCEEDED:
        mark_failure(manager.nb, failure.cell_index, failure.cause)
        manager.save_now()
    record.end(manager.text, failure.status, failure.cause, failure.why)


def end_failed(
    manager: SparingManager,
    client: NbshipClient,
    record: EngineRecord,
    error: BaseException,
    reserve: Reserve | None,
) -> None:
    """End a notebook that something else than a cell's own exception ended.

    Parameters
    ----------
    manager, client, record
        Of the execution.
    error
        What ended it; it is raised again by the caller, whatever goes wrong here.
    reserve
        Space that is given back for the last save and the outcome.
    """
    failure = client.failure
    if failure is None or failure.why is None:
        failure = _outside(manager, error)
    if reserve is not None:
        reserve.free()
    index = failure.cell_index
    mark_failure(manager.nb, index, failure.cause)
    _save(manager, None if index is None else index + _MARKS)
    with contextlib.suppress(NbshipError):  # the first error is told
        record.end(manager.text, failure.status, failure.cause, failure.why)


def _outside(manager: SparingManager, error: BaseException) -> Failure:
    """Tell what ended a notebook outside of its cells; a full disk is the last cell's."""
    failure = failure_between(error)
    manager.nb.metadata.papermill["exception"] = True
    begun = [
        index
        for index, cell in enumerate(manager.nb.cells)
        if cell.cell_type == "code"
        and cell.metadata.papermill["status"] != manager.PENDING
    ]
    if failure.why is None or failure.why.kind is not CauseKind.DISK_FULL or not begun:
        return failure
    cell = manager.nb.cells[begun[-1]]
    manager.cell_exception(cell, cell_index=begun[-1])
    cell.outputs.append(error_node(failure.error))
    why = replace(failure.why, cell_id=cell.get("id"))
    return replace(failure, cell_index=begun[-1], why=why)


def _save(manager: SparingManager, cell_index: int | None) -> None:
    manager.touch_all()
    try:
        manager.save_now()
    except (OSError, NbshipError):
        try:
            if cell_index is not None:
                leave_out_outputs(manager.nb, cell_index)
            manager.touch_all()
            manager.save_now()
        except (OSError, NbshipError) as error:
            print(  # noqa: T201  # no logger reaches a shell's user
                f"nbship: the executed notebook is not saved: {error}", file=sys.stderr
            )

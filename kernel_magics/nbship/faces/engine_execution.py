"""Execute a notebook for papermill, and end its record truthfully whatever happens."""

from __future__ import annotations

import os
import signal
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from papermill.engines import (  # noqa: TID253  # loaded by papermill's engine only
    NotebookExecutionManager,
)
from papermill.log import logger  # noqa: TID253  # loaded by papermill's engine only

from nbship.adapters.kernels.client import TERMINATED, NbshipClient, Terms
from nbship.adapters.kernels.failures import failure_between
from nbship.adapters.kernels.launching import FreshLauncher
from nbship.adapters.kernels.order import OPTION
from nbship.adapters.kernels.saving import SparingManager
from nbship.adapters.notebooks.nodes import mark_failure, notebook_bytes, settle_ids
from nbship.adapters.probes.kernel_watch import KernelWatch
from nbship.faces.engine_record import open_record
from nbship.records.run import RunStatus

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nbship.adapters.kernels.order import EngineOrder
    from nbship.faces.engine_record import EngineRecord


def execute(
    nb: Any,  # noqa: ANN401  # papermill has no types
    kernel_name: str,
    *,
    input_path: str | None = None,
    output_path: str | None = None,
    **options: Any,  # noqa: ANN401
) -> Any:  # noqa: ANN401
    """Execute a notebook and record a run.

    Parameters
    ----------
    nb
        The notebook node, parameterised.
    kernel_name
        The kernel.
    input_path, output_path
        As papermill was given them; None for no file.
    options
        Everything else that papermill hands to an engine.

    Raises
    ------
    BaseException
        Whatever ended the execution but a cell's own exception: that one papermill raises.
    """
    order: EngineOrder | None = options.pop(OPTION, None)
    if order is not None:  # papermill knows neither: the worker injects and saves
        nb.metadata["papermill"]["parameters"] = dict(order.values)
        nb.metadata["papermill"]["output_path"] = str(order.output)
    elif isinstance(input_path, str):
        settle_ids(nb, input_path)
    record = open_record(nb, kernel_name, output_path=output_path, order=order)
    manager = _manager(nb, output_path, options, order)
    manager.notebook_start()
    client = _client(manager, kernel_name, record, options, order)
    try:
        try:
            with _terminable():
                client.execute(env=_environment(record, order))
        finally:
            manager.cleanup_pbar()
            _complete(manager)
    except BaseException as error:
        _end_failed(manager, client, record, error)
        raise
    _end(manager, client, record, order)
    return manager.nb


def _manager(
    nb: Any,  # noqa: ANN401
    output_path: str | None,
    options: dict[str, Any],
    order: EngineOrder | None,
) -> Any:  # noqa: ANN401
    own = {key: options.pop(key) for key in ("progress_bar",) if key in options}
    own["log_output"] = options.get("log_output", False)
    every = options.pop("autosave_cell_every", 30)
    if order is None:
        return NotebookExecutionManager(
            nb, output_path=output_path, autosave_cell_every=every, **own
        )
    from nbship.workbench import Workbench

    store = Workbench.over(order.store, project=order.project).store
    return SparingManager(
        nb,
        write=lambda node: store.write_bytes(notebook_bytes(node), order.output),
        **own,
    )


def _client(
    manager: Any,  # noqa: ANN401
    kernel_name: str,
    record: EngineRecord,
    options: dict[str, Any],
    order: EngineOrder | None,
) -> NbshipClient:
    """Hand papermill's options to the client as papermill's own engine does."""
    timeout = options.pop("timeout", None)
    limit = options.pop("execution_timeout", None) or timeout
    start = options.pop("start_timeout", 60)
    options.pop("startup_timeout", None)
    return NbshipClient(
        manager,
        listener=record,
        terms=_terms(order),
        kernel_name=kernel_name,
        startup_timeout=start,
        timeout=limit,
        log=logger,
        **options,
    )


def _terms(order: EngineOrder | None) -> Terms:
    if order is None:
        return Terms(launcher=FreshLauncher(), watch=KernelWatch())
    return Terms(
        launcher=order.launcher or FreshLauncher(),
        deadline_s=order.timeout_s,
        held_fds=order.held_fds,
        is_fresh=order.is_fresh,
        is_direct=order.is_direct,
        watch=KernelWatch(gpus=order.gpus),
        has_gpus=bool(order.gpus),
        redactor=order.redactor,
    )


def _environment(record: EngineRecord, order: EngineOrder | None) -> dict[str, str]:
    told = {} if order is None else {**order.environ, **order.secrets}
    return {**os.environ, **told, **record.kernel_variables}


def _complete(manager: Any) -> None:  # noqa: ANN401
    """Finish papermill's metadata, which calls cells completed that never began."""
    waiting = [
        cell
        for cell in manager.nb.cells
        if cell.metadata.papermill["status"] == manager.PENDING
    ]
    manager.notebook_complete()
    for cell in waiting:
        cell.metadata.papermill["status"] = manager.PENDING
    if waiting:
        getattr(manager, "save_now", manager.save)()


def _end(
    manager: Any,  # noqa: ANN401
    client: NbshipClient,
    record: EngineRecord,
    order: EngineOrder | None,
) -> None:
    failure = client.failure
    if failure is None:
        record.end(manager.nb, RunStatus.SUCCEEDED)
        return
    if order is not None and failure.status is not RunStatus.SUCCEEDED:
        mark_failure(manager.nb, failure.cell_index, failure.cause)
        manager.save_now()
    record.end(manager.nb, failure.status, failure.cause, failure.why)


def _end_failed(
    manager: Any,  # noqa: ANN401
    client: NbshipClient,
    record: EngineRecord,
    error: BaseException,
) -> None:
    failure = client.failure
    if failure is None:
        failure = failure_between(error)
        manager.nb.metadata.papermill["exception"] = True
    try:
        mark_failure(manager.nb, failure.cell_index, failure.cause)
        getattr(manager, "save_now", manager.save)()
    finally:
        record.end(manager.nb, failure.status, failure.cause, failure.why)


@contextmanager
def _terminable() -> Iterator[None]:
    """Let SIGTERM end the notebook as Ctrl-C does, where nobody else handles it."""
    earlier = signal.getsignal(signal.SIGTERM)
    gives_way = earlier is signal.SIG_DFL or getattr(earlier, "gives_way", False)
    if not (gives_way and threading.current_thread() is threading.main_thread()):
        yield
        return

    def stop(_number: int, _frame: object) -> None:
        raise SystemExit(TERMINATED)

    signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, earlier)

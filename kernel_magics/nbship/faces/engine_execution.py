"""Execute a notebook for papermill, and end its record truthfully whatever happens."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from typing import TYPE_CHECKING, Any

from papermill.log import logger  # noqa: TID253  # loaded by papermill's engine only

from nbship.adapters.kernels.client import TERMINATED
from nbship.adapters.kernels.launching import FreshLauncher
from nbship.adapters.kernels.managed import client_class
from nbship.adapters.kernels.order import OPTION
from nbship.adapters.kernels.saving import SparingManager
from nbship.adapters.kernels.sharing import SharingLauncher, prefix_of
from nbship.adapters.kernels.targets import JobTarget, target_of
from nbship.adapters.kernels.terms import Terms
from nbship.adapters.notebooks.nodes import settle_ids
from nbship.adapters.probes.kernel_watch import KernelWatch
from nbship.adapters.store.reserve import Reserve
from nbship.faces.engine_ending import end, end_failed
from nbship.faces.engine_record import open_record

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nbship.adapters.kernels.client import NbshipClient
    from nbship.adapters.kernels.order import EngineOrder
    from nbship.adapters.kernels.sharing import Prefix
    from nbship.faces.engine_record import EngineRecord

#: seconds between two saves of a job's notebook in the middle of a cell
_AUTOSAVE_S = 2

#: file beside a job's output that keeps space for its end
_RESERVE = ".reserve"


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
    client = _client(manager, kernel_name, record, options, order)
    manager.settle = client.settle
    reserve = Reserve(order.output.with_name(_RESERVE)) if order else None
    try:
        manager.notebook_start()
        try:
            with _terminable():
                client.execute(env=_environment(record, order))
        finally:
            manager.cleanup_pbar()
            manager.notebook_complete()
    except BaseException as error:
        _tell_shared(client, record, order)
        end_failed(manager, client, record, error, reserve)
        raise
    finally:
        if reserve is not None:
            reserve.free()
    _tell_shared(client, record, order)
    end(manager, client, record, is_job=order is not None)
    return manager.nb


def _manager(
    nb: Any,  # noqa: ANN401
    output_path: str | None,
    options: dict[str, Any],
    order: EngineOrder | None,
) -> SparingManager:
    names = ("progress_bar", "autosave_cell_every")
    own = {key: options.pop(key) for key in names if key in options}
    own["log_output"] = options.get("log_output", False)
    if order is not None:
        own["autosave_cell_every"] = _AUTOSAVE_S
    target = JobTarget(order.output) if order else target_of(output_path)
    return SparingManager(nb, target=target, **own)


def _client(
    manager: SparingManager,
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
    return client_class(kernel_name, options)(
        manager,
        listener=record,
        terms=_terms(order, manager.nb),
        kernel_name=kernel_name,
        startup_timeout=start,
        timeout=limit,
        log=logger,
        **options,
    )


def _terms(order: EngineOrder | None, nb: Any) -> Terms:  # noqa: ANN401
    if order is None:
        return Terms(launcher=FreshLauncher(), watch=KernelWatch())
    launcher = order.launcher or FreshLauncher()
    prefix = _prefix(order, nb)
    return Terms(
        launcher=SharingLauncher(launcher, prefix) if prefix else launcher,
        deadline_s=order.timeout_s,
        held_fds=order.held_fds,
        is_fresh=order.is_fresh,
        is_direct=order.is_direct or prefix is not None,
        watch=KernelWatch(gpus=order.gpus, limit_bytes=order.memory_limit_bytes),
        has_gpus=bool(order.gpus),
        redactor=order.redactor,
    )


def _prefix(order: EngineOrder, nb: Any) -> Prefix | None:  # noqa: ANN401
    """Return what the job may share with others of its sweep; None where it is on its own."""
    is_alone = order.is_fresh or order.gpus or order.secrets or order.roots
    if is_alone or not order.shared_cells:
        return None
    return prefix_of(nb, key=order.sweep_id, shared_cells=order.shared_cells)


def _environment(record: EngineRecord, order: EngineOrder | None) -> dict[str, str]:
    told = {} if order is None else {**order.environ, **order.secrets}
    return {**os.environ, **told, **record.kernel_variables}


def _tell_shared(
    client: NbshipClient, record: EngineRecord, order: EngineOrder | None
) -> None:
    if order is not None and client.has_shared:
        record.shared(order.shared_cells)


@contextlib.contextmanager
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

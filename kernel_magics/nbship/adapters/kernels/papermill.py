"""Run a notebook through papermill with our engine, in this process."""

from __future__ import annotations

import logging
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from nbship.adapters.kernels.beginning import beginning_source
from nbship.adapters.kernels.order import OPTION, EngineOrder

if TYPE_CHECKING:
    from nbship.adapters.kernels.processes import Launcher
    from nbship.ports import Grant
    from nbship.records.job import Attempt, Job

#: what colours a traceback in a terminal
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")


def order_of(  # noqa: PLR0913  # an order is this much
    job: Job,
    attempt: Attempt,
    *,
    store: Path,
    folder: Path,
    grant: Grant,
    launcher: Launcher,
) -> EngineOrder:
    """Write the order for one attempt at a job of that store; its files go to ``folder``."""
    return EngineOrder(
        store=store,
        project=Path(attempt.project),
        job_id=job.id,
        run_id=attempt.run_id,
        experiment=job.experiment,
        notebook=Path(attempt.notebook),
        output=folder / "output.ipynb",
        values=job.values,
        roots=job.roots,
        roots_folder=folder / "roots",
        timeout_s=job.resources.timeout_s,
        environ={**job.determinism.environ, **grant.environ},
        beginning=beginning_source(job.determinism),
        held_fds=grant.held_fds,
        gpus=grant.gpus,
        memory_limit_bytes=int(job.resources.memory_gib * (1 << 30)),
        is_mirrored=grant.is_mirrored,
        is_fresh=job.is_fresh,
        is_direct=job.is_direct,
        sweep_id=job.sweep_id,
        shared_cells=job.shared_cells,
        launcher=launcher,
    )


def run_papermill(
    order: EngineOrder,
    source: Path,
    *,
    job: Job,
    cell_timeout_s: float = 0.0,
) -> str:
    """Execute a prepared notebook for a job; the engine writes what it becomes.

    Parameters
    ----------
    order
        What the engine is told.
    source
        The notebook, with its injected cell.
    job
        The job; it names kernel and working folder.
    cell_timeout_s
        Seconds that one cell may take; 0 is no limit.

    Returns
    -------
    str
        What papermill raised; "" where it came to the end. The run's record, not this text,
        says how the job ended, unless the run was never closed.
    """
    from papermill import execute_notebook

    _log_to_stderr()
    try:
        execute_notebook(
            str(source)
            .replace("{", "{{")
            .replace("}", "}}"),  # papermill formats paths
            None,
            engine_name="nbship",
            kernel_name=job.kernel_name,
            cwd=job.cwd,
            progress_bar=False,
            log_output=True,
            execution_timeout=cell_timeout_s or None,
            **{OPTION: order},
        )
    except (Exception, KeyboardInterrupt, SystemExit) as error:  # noqa: BLE001  # any end is data
        text = f"{type(error).__name__}: {error}".rstrip(": ")
        logging.getLogger("nbship").error(_COLOURS.sub("", text))  # noqa: TRY400  # the notebook's traceback is in it
        return text
    return ""


def _log_to_stderr() -> None:
    logging.basicConfig(
        level=logging.INFO, format="%(asctime)s %(message)s", stream=sys.stderr
    )
    logging.getLogger("papermill").addFilter(_is_true)


def _is_true(record: logging.LogRecord) -> bool:
    """Leave out papermill's word that nothing is saved: we save."""
    return not record.getMessage().startswith("Output Notebook:")

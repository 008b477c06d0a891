"""Record a run: what the notebook, the magics and the engine do becomes journal events."""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from nbship.capture.folding import fold
from nbship.capture.outputs import put_payloads_aside
from nbship.capture.summary import cell_name
from nbship.errors import RunError
from nbship.records.cause import Cause, CauseKind
from nbship.records.codec import to_json
from nbship.records.digest import digest_bytes
from nbship.records.run import CellStatus, EventKind, RunStatus
from nbship.workflow.meant import meant_ids

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from nbship.ports import Journal, Store
    from nbship.records.cause import CellUsage
    from nbship.records.environment import Environment, GitState
    from nbship.records.run import CellExecution, Event, Run

_TRACEBACK_LINES = 200


class Recorder:
    """Writes the events of one run; every method's events are in the file when it returns.

    Parameters
    ----------
    store
        Where the blobs go.
    run_id
        The run.
    journal
        Its journal.
    """

    def __init__(self, store: Store, run_id: str, journal: Journal) -> None:
        self.run_id = run_id
        self._store = store
        self._journal = journal
        self._cells = 0

    def start(self, **head: Any) -> None:  # noqa: ANN401  # JSON values
        """Write ``RUN_STARTED``; see :class:`EventKind` for what ``head`` holds."""
        self._journal.append(EventKind.RUN_STARTED, {"run_id": self.run_id, **head})

    def shared(self, cells: Sequence[str]) -> None:
        """Write ``SHARED``: cells that were executed once, together with other jobs."""
        self._journal.append(EventKind.SHARED, {"cells": list(cells)})

    def end(self, status: RunStatus, cause: str = "", why: Cause | None = None) -> None:
        """Write ``RUN_ENDED``."""
        data: dict[str, Any] = {"status": status, "cause": cause}
        data |= {} if why is None else {"why": to_json(why)}
        self._journal.append(EventKind.RUN_ENDED, data)

    def start_cell(
        self,
        *,
        cell_id: str,
        source: str,
        tags: Sequence[str] = (),
        execution_count: int | None = None,
    ) -> str:
        """Write ``CELL_STARTED`` and return the id of the cell execution."""
        self._cells += 1
        execution_id = f"{self._cells}-{cell_id}"
        data = {
            "execution_id": execution_id,
            "cell_id": cell_id,
            "source": source,
            "tags": list(tags),
            "execution_count": execution_count,
        }
        self._journal.append(EventKind.CELL_STARTED, data)
        return execution_id

    def end_cell(  # noqa: PLR0913  # each has a default, all by name
        self,
        execution_id: str,
        status: CellStatus,
        *,
        duration_s: float,
        execution_count: int | None = None,
        error: Mapping[str, Any] | None = None,
        usage: CellUsage | None = None,
    ) -> None:
        """Write ``CELL_ENDED``; a long traceback keeps its last lines."""
        if error is not None:
            lines = list(error.get("traceback", ()))[-_TRACEBACK_LINES:]
            error = {**error, "traceback": lines}
        data = {
            "execution_id": execution_id,
            "status": status,
            "error": error,
            "duration_s": duration_s,
            "execution_count": execution_count,
        }
        data |= {} if usage is None else {"usage": to_json(usage)}
        self._journal.append(EventKind.CELL_ENDED, data)

    def output(self, execution_id: str, data: Mapping[str, Any]) -> None:
        """Write ``OUTPUT``: ``data`` as :func:`nbship.capture.outputs.merge` takes it."""
        data = dict(data)
        if "output" in data:
            data["output"], blobs = put_payloads_aside(data["output"])
            for digest, payload in blobs.items():
                self._store.keep_blob(self.run_id, digest, payload)
        self._journal.append(EventKind.OUTPUT, {"execution_id": execution_id, **data})

    def metric(
        self,
        name: str,
        value: float,
        *,
        step: int | None = None,
        unit: str = "",
        direction: str = "",
    ) -> None:
        """Write ``METRIC``."""
        data: dict[str, Any] = {"name": name, "value": value}
        data |= {} if step is None else {"step": step}
        data |= {"unit": unit} if unit else {}
        data |= {"direction": direction} if direction else {}
        self._journal.append(EventKind.METRIC, data)

    def value(self, name: str, value: Any) -> None:  # noqa: ANN401  # a JSON value
        """Write ``VALUE``."""
        self._journal.append(EventKind.VALUE, {"name": name, "value": value})

    def tag(self, name: str, value: str) -> None:
        """Write ``TAG``."""
        self._journal.append(EventKind.TAG, {"name": name, "value": value})

    def note(self, text: str) -> None:
        """Write ``NOTE``."""
        self._journal.append(EventKind.NOTE, {"text": text})

    def git(self, state: GitState) -> None:
        """Write ``GIT``."""
        self._journal.append(EventKind.GIT, to_json(state))

    def environment(self, environment: Environment) -> None:
        """Write ``ENVIRONMENT``."""
        self._journal.append(EventKind.ENVIRONMENT, to_json(environment))

    def artifact(self, name: str, path: str, *, digest: str, size_bytes: int) -> None:
        """Write ``ARTIFACT``; ``path`` is relative to the run's folder."""
        data = {"name": name, "path": path, "digest": digest, "size_bytes": size_bytes}
        self._journal.append(EventKind.ARTIFACT, data)

    def run(self) -> Run:
        """Return the run as its journal tells it now."""
        return fold(self.run_id, self._journal.events())


def load_run(store: Store, run_id: str) -> Run:
    """Fold the journal of a run.

    Raises
    ------
    RunError
        If its journal holds no start.
    """
    return fold(run_id, store.journal(run_id).events())


def recorded_run(store: Store, run_id: str) -> Run | None:
    """Fold the journal of a run; None where it tells of none."""
    with contextlib.suppress(RunError):
        return load_run(store, run_id)
    return None


def ids_by_count(run_id: str, journal: Journal) -> dict[int, str]:
    """Map the execution counts of a run to the ids of the cells that had them."""
    cells = fold(run_id, journal.events()).cells
    return {c.execution_count: c.cell_id for c in cells if c.execution_count}


def find_run(store: Store, wanted: str) -> str:
    """Return the id of ``last``, of a whole id, or of a prefix or ending that only one run has.

    Raises
    ------
    RunError
        If no run or several fit.
    """
    known = store.ids("run")
    fitting = meant_ids(known, wanted, made_at=lambda i: _first_moment(store, i))
    fitting = fitting or tuple(i for i in known if i.endswith(wanted))
    if len(fitting) == 1:
        return fitting[0]
    found = f"{len(fitting)} runs fit {wanted!r}" if fitting else f"no run {wanted!r}"
    raise RunError(f"{store.folder}: {found}", hint="Copy the id from `mlops runs`.")


def _first_moment(store: Store, run_id: str) -> datetime:
    first = next(iter(store.journal(run_id).events()), None)
    return first.at if first else datetime.min.replace(tzinfo=UTC)


def cell_in_flight(run: Run) -> CellExecution | None:
    """Return the cell execution that has not ended, else None."""
    running = (c for c in reversed(run.cells) if c.status is CellStatus.RUNNING)
    return next(running, None)


def close_killed(store: Store, run_id: str) -> bool:
    """Close a run whose process is gone; its cause names the cell in flight.

    Parameters
    ----------
    store
        The store.
    run_id
        The run.

    Returns
    -------
    bool
        False where the run had ended already.

    Raises
    ------
    RunError
        If its journal holds no start.
    """
    run = load_run(store, run_id)
    if run.status is not RunStatus.RUNNING:
        return False
    cell = cell_in_flight(run)
    is_live = run.origin == "live"
    process = "the kernel" if is_live else "the job's process"
    kind = CauseKind.KERNEL_KILLED if is_live else CauseKind.WORKER_KILLED
    where = _between_cells(run) if cell is None else f"in {_named(cell)}"
    Recorder(store, run_id, store.journal(run_id)).end(
        RunStatus.KILLED, f"{process} was killed {where}", Cause(kind=kind)
    )
    return True


def end_unstopped(recorder: Recorder) -> None:
    """Close a run whose kernel ends in good order without ``%mlops stop``.

    It failed where its last cell execution failed; else nobody said that it was done, and it
    counts as interrupted.

    Parameters
    ----------
    recorder
        The run's recorder.
    """
    last = next(iter(recorder.run().cells[::-1]), None)
    if last is None or last.status is not CellStatus.FAILED:
        recorder.end(RunStatus.INTERRUPTED, "the kernel ended without %mlops stop")
        return
    error = last.error or {}
    recorder.end(
        RunStatus.FAILED,
        f"{_named(last)} failed: {error.get('ename')}: {error.get('evalue')}",
    )


def _named(cell: CellExecution) -> str:
    return cell_name(cell.cell_id, cell.source, execution_count=cell.execution_count)


def _between_cells(run: Run) -> str:
    return f"after {_named(run.cells[-1])}" if run.cells else "before its first cell"


def interpreter_to_probe(events: Iterable[Event]) -> str | None:
    """Return the interpreter whose environment a run still lacks, None where it has it.

    Parameters
    ----------
    events
        The run's events; its start names the interpreter.
    """
    python = None
    for event in events:
        if event.kind is EventKind.RUN_STARTED:
            python = event.data.get("python") or python
        elif event.kind is EventKind.ENVIRONMENT:
            return None
    return python


def copy_notebook(store: Store, recorder: Recorder, source: Path) -> bool:
    """Copy the notebook's file into the run's folder as ``notebook.ipynb``.

    Returns
    -------
    bool
        False where the file cannot be read.
    """
    try:
        data = source.read_bytes()
    except OSError:
        return False
    path = store.run_folder(recorder.run_id) / "notebook.ipynb"
    store.write_bytes(data, path)
    recorder.artifact(
        "notebook.ipynb", path.name, digest=digest_bytes(data), size_bytes=len(data)
    )
    return True

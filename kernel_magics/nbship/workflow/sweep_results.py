"""The jobs of a sweep side by side, as they stand."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

from nbship.errors import NbshipError
from nbship.records.job import JobStatus
from nbship.records.queue import TicketState
from nbship.records.sweep import SweepResults, SweepRow
from nbship.workflow.jobs import attempt_numbers, job_status, published_outcome
from nbship.workflow.recording import load_run
from nbship.workflow.sweeping import points_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from nbship.ports import Queue, Store
    from nbship.records.job import Outcome
    from nbship.records.sweep import Sweep, SweepPoint

WAITING = "waiting"
#: what comes after successes without the metric, and what is under way
_GROUPS = {
    JobStatus.PRUNED.value: 1,
    JobStatus.INTERRUPTED.value: 2,
    JobStatus.KILLED.value: 2,
    JobStatus.FAILED.value: 2,
}


def sweep_results(store: Store, queue: Queue, sweep: Sweep) -> SweepResults:
    """Read how each job of a sweep stands, and which one is best.

    Raises
    ------
    StoreError
        If a record cannot be read.
    """
    states = {ticket.job_id: ticket.state for ticket in queue.tickets()}
    rows = tuple(
        _row(store, point, states.get(point.job_id))
        for point in points_of(store, sweep.id)
    )
    metric = sweep.metric or _only_metric(rows)
    direction = sweep.direction or _logged_direction(store, rows, metric)
    rows = tuple(_judged(row, metric) for row in rows)
    return SweepResults(
        sweep=sweep,
        metric=metric,
        direction=direction,
        rows=rows,
        best=_best(rows, metric, direction),
    )


def ranked_rows(results: SweepResults) -> list[SweepRow]:
    """Sort the rows: the best first, then what is under way, then what has nothing to compare."""
    sign = -1 if results.direction == "maximize" else 1

    def rank(row: SweepRow) -> tuple[int, float, int]:
        value = row.metrics.get(results.metric, math.nan)
        is_comparable = row.status == JobStatus.SUCCEEDED.value and math.isfinite(value)
        if is_comparable:
            return 0, sign * value if results.direction else 0.0, row.number
        return 1 + _GROUPS.get(row.status, 0), 0.0, row.number

    return sorted(results.rows, key=rank)


def _row(store: Store, point: SweepPoint, state: TicketState | None) -> SweepRow:
    outcome = published_outcome(store, point.job_id)
    if state is not None or outcome is None:
        return SweepRow(
            number=point.number,
            values=point.values,
            job_id=point.job_id,
            status=_status(store, point.job_id, state),
        )
    folder = store.attempt_folder(point.job_id, outcome.attempt)
    executed = folder / "output.ipynb"
    return SweepRow(
        number=point.number,
        values=point.values,
        job_id=point.job_id,
        status=outcome.status.value,
        is_reused=point.is_reused,
        metrics=outcome.metrics,
        duration_s=(outcome.ended_at - outcome.started_at).total_seconds(),
        cause=_cause(outcome),
        run_id=outcome.run_id,
        executed=_below(store, executed) if executed.is_file() else "",
        shared_cells=outcome.shared_cells,
    )


def _status(store: Store, job_id: str, state: TicketState | None) -> str:
    if state is TicketState.QUEUED:
        return WAITING
    if state is TicketState.RUNNING:
        return JobStatus.RUNNING.value
    if not attempt_numbers(store, job_id):
        return WAITING
    return job_status(store, job_id).value


def _cause(outcome: Outcome) -> str:
    """Say why it ended, in one line, with the cell."""
    first = outcome.cause.strip().split("\n")[0]
    is_named = not outcome.cell_id or outcome.cell_id in first
    return first if is_named else f"{first} (cell {outcome.cell_id})"


def _below(store: Store, path: object) -> str:
    return str(path).removeprefix(f"{store.folder}/")


def _only_metric(rows: Sequence[SweepRow]) -> str:
    """Return the metric's name where jobs logged one metric alone."""
    names = {name for row in rows for name in row.metrics}
    return names.pop() if len(names) == 1 else ""


def _logged_direction(store: Store, rows: Sequence[SweepRow], metric: str) -> str:
    """Read from a run which way its metric is better."""
    ids = (row.run_id for row in rows if row.run_id and metric in row.metrics)
    for run_id in list(ids)[:1]:
        try:
            logged = load_run(store, run_id).metrics
        except NbshipError:
            return ""
        return next((m.direction for m in logged if m.name == metric), "")
    return ""


def _judged(row: SweepRow, metric: str) -> SweepRow:
    """Say what a success lacks: the metric that is compared."""
    if row.status != JobStatus.SUCCEEDED.value or not metric:
        return row
    value = row.metrics.get(metric)
    if value is None:
        return replace(row, cause=f"it logged no {metric}")
    if not math.isfinite(value):
        return replace(row, cause=f"{metric} is {value}")
    return row


def _best(rows: Sequence[SweepRow], metric: str, direction: str) -> int | None:
    values: Mapping[int, float] = {
        row.number: row.metrics[metric]
        for row in rows
        if row.status == JobStatus.SUCCEEDED.value
        and math.isfinite(row.metrics.get(metric, math.nan))
    }
    if not values or not direction:
        return None
    choose = max if direction == "maximize" else min
    return choose(values, key=lambda number: values[number])

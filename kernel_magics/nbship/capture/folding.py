"""Fold the events of a journal into the run they tell of."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from nbship.capture.outputs import as_shown, merge
from nbship.errors import RunError
from nbship.records.cause import Cause, CellUsage
from nbship.records.codec import from_json
from nbship.records.environment import Environment, GitState
from nbship.records.run import (
    Artifact,
    CellExecution,
    CellStatus,
    EventKind,
    Metric,
    Run,
    RunStatus,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime

    from nbship.records.codec import Record
    from nbship.records.run import Event

#: how a cell that was running when its run ended counts
_LEFT_BEHIND = {
    RunStatus.SUCCEEDED: CellStatus.OK,
    RunStatus.FAILED: CellStatus.FAILED,
    RunStatus.INTERRUPTED: CellStatus.INTERRUPTED,
    RunStatus.KILLED: CellStatus.KILLED,
}


def fold(run_id: str, events: Iterable[Event]) -> Run:
    """Fold events, in the order of the file, into a run.

    The latest ``CELL_STARTED`` owns the metrics that follow it, also those that a thread
    logs after the cell's end. Without ``RUN_ENDED`` the run is running. A second
    ``RUN_STARTED`` renames the experiment: ``%mlops start`` inside a job writes one.

    Parameters
    ----------
    run_id
        The run's id.
    events
        The journal's events.

    Raises
    ------
    RunError
        If no event says that the run started.
    RecordFormatError
        If an event holds an environment or a repository that cannot be read.
    """
    folding = Folding()
    for event in events:
        folding.take(event)
    return folding.run(run_id)


@dataclass(kw_only=True)
class _DraftCell:
    id: str
    started: Event
    status: CellStatus = CellStatus.RUNNING
    ended: dict[str, Any] = field(default_factory=dict)
    outputs: list[dict[str, Any]] = field(default_factory=list)

    def finish(self, run_status: RunStatus) -> CellExecution:
        data = self.started.data
        is_open = self.status is CellStatus.RUNNING
        count = self.ended.get("execution_count")
        return CellExecution(
            id=self.id,
            cell_id=data.get("cell_id") or "",
            source=data.get("source", ""),
            status=_LEFT_BEHIND.get(run_status, self.status)
            if is_open
            else self.status,
            started_at=self.started.at,
            duration_s=self.ended.get("duration_s"),
            execution_count=data.get("execution_count") if count is None else count,
            tags=tuple(data.get("tags") or ()),
            error=self.ended.get("error"),
            outputs=tuple(as_shown(output) for output in self.outputs),
            usage=_read(CellUsage, self.ended.get("usage")),
        )


@dataclass(kw_only=True)
class Folding:
    """A run in the making, for readers that follow a journal as it grows."""

    started_at: datetime | None = None
    ended_at: datetime | None = None
    status: RunStatus = RunStatus.RUNNING
    head: dict[str, Any] = field(default_factory=dict)
    cause: str = ""
    why: Cause | None = None
    values: dict[str, Any] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    metrics: list[Metric] = field(default_factory=list)
    artifacts: dict[str, Artifact] = field(default_factory=dict)
    data: dict[tuple[str, str], Artifact] = field(default_factory=dict)
    cells: dict[str, _DraftCell] = field(default_factory=dict)
    latest: str | None = None
    git: GitState | None = None
    environment: Environment | None = None
    shared_cells: tuple[str, ...] = ()

    def take(self, event: Event) -> None:
        """Take the next event of the file."""
        _TAKE[event.kind](self, event)

    def run(self, run_id: str) -> Run:
        """Return the run as it stands.

        Raises
        ------
        RunError
            If no event says that the run started.
        """
        if self.started_at is None:
            raise RunError(
                f"run {run_id}: its journal has no run_started event",
                hint="Look at the journal, or remove the run's folder.",
            )
        return Run(
            id=run_id,
            experiment=self.head.get("experiment", ""),
            notebook=self.head.get("notebook", ""),
            origin=self.head.get("origin", ""),
            status=self.status,
            started_at=self.started_at,
            ended_at=self.ended_at,
            cause=self.cause,
            why=self.why,
            job_id=self.head.get("job_id"),
            values=dict(self.values),
            tags=dict(self.tags),
            notes=tuple(self.notes),
            metrics=tuple(self.metrics),
            artifacts=tuple(self.artifacts.values()),
            data=tuple(self.data.values()),
            cells=tuple(cell.finish(self.status) for cell in self.cells.values()),
            git=self.git,
            environment=self.environment,
            shared_cells=self.shared_cells,
        )


def _read(kind: type[Record], data: Any) -> Record | None:  # noqa: ANN401  # a JSON value
    return None if data is None else from_json(kind, data)


def _take_run_started(draft: Folding, event: Event) -> None:
    draft.started_at = draft.started_at or event.at
    draft.head |= event.data


def _take_run_ended(draft: Folding, event: Event) -> None:
    if draft.ended_at is not None:  # the first word counts
        return
    draft.status = RunStatus(event.data["status"])
    draft.cause = event.data.get("cause") or ""
    draft.why = _read(Cause, event.data.get("why"))
    draft.ended_at = event.at


def _take_cell_started(draft: Folding, event: Event) -> None:
    execution_id = event.data["execution_id"]
    draft.cells[execution_id] = _DraftCell(id=execution_id, started=event)
    draft.latest = execution_id


def _take_cell_ended(draft: Folding, event: Event) -> None:
    cell = draft.cells.get(event.data["execution_id"])
    if cell is not None:
        cell.status = CellStatus(event.data["status"])
        cell.ended = dict(event.data)


def _take_output(draft: Folding, event: Event) -> None:
    owner = event.data.get("execution_id") or draft.latest
    cell = draft.cells.get(owner or "")
    if cell is not None:
        merge(cell.outputs, event.data)


def _take_value(draft: Folding, event: Event) -> None:
    draft.values[event.data["name"]] = event.data["value"]


def _take_metric(draft: Folding, event: Event) -> None:
    data = event.data
    draft.metrics.append(
        Metric(
            name=data["name"],
            value=float(data["value"]),
            at=event.at,
            step=data.get("step"),
            unit=data.get("unit") or "",
            direction=data.get("direction") or "",
            execution_id=draft.latest,
        )
    )


def _take_tag(draft: Folding, event: Event) -> None:
    draft.tags[event.data["name"]] = str(event.data["value"])


def _take_note(draft: Folding, event: Event) -> None:
    draft.notes.append(event.data["text"])


def _take_artifact(draft: Folding, event: Event) -> None:
    artifact = from_json(Artifact, dict(event.data))
    draft.artifacts[artifact.name] = artifact


def _take_data(draft: Folding, event: Event) -> None:
    found = from_json(Artifact, {"name": event.data["path"], **event.data})
    draft.data[found.path, found.digest] = found


def _take_git(draft: Folding, event: Event) -> None:
    draft.git = from_json(GitState, {"schema": GitState.SCHEMA, **event.data})


def _take_environment(draft: Folding, event: Event) -> None:
    draft.environment = from_json(
        Environment, {"schema": Environment.SCHEMA, **event.data}
    )


def _take_shared(draft: Folding, event: Event) -> None:
    draft.shared_cells = tuple(event.data["cells"])


_TAKE: dict[EventKind, Callable[[Folding, Event], None]] = {
    EventKind.RUN_STARTED: _take_run_started,
    EventKind.RUN_ENDED: _take_run_ended,
    EventKind.CELL_STARTED: _take_cell_started,
    EventKind.CELL_ENDED: _take_cell_ended,
    EventKind.OUTPUT: _take_output,
    EventKind.VALUE: _take_value,
    EventKind.METRIC: _take_metric,
    EventKind.TAG: _take_tag,
    EventKind.NOTE: _take_note,
    EventKind.ARTIFACT: _take_artifact,
    EventKind.DATA: _take_data,
    EventKind.GIT: _take_git,
    EventKind.ENVIRONMENT: _take_environment,
    EventKind.SHARED: _take_shared,
}

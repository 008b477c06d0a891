"""A run: one recorded execution, and the journal events it is folded from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar

from nbship.records.cause import Cause, CellUsage
from nbship.records.environment import Environment, GitState


class RunStatus(StrEnum):
    """How a run stands."""

    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    INTERRUPTED = "interrupted"
    KILLED = "killed"


class CellStatus(StrEnum):
    """How one cell execution ended."""

    RUNNING = "running"
    OK = "ok"
    FAILED = "failed"
    INTERRUPTED = "interrupted"
    KILLED = "killed"


class EventKind(StrEnum):
    """What one journal line says; ``Event.data`` of each is listed beside it."""

    RUN_STARTED = "run_started"  #: run_id, experiment, notebook, origin (live|job|papermill), pid, job_id?
    RUN_ENDED = "run_ended"  #: status, cause?, why? (Cause)
    CELL_STARTED = (
        "cell_started"  #: execution_id, cell_id, index?, source, tags, execution_count
    )
    CELL_ENDED = "cell_ended"  #: execution_id, status, error?, duration_s, execution_count, usage? (CellUsage)
    OUTPUT = (
        "output"  #: execution_id, output (nbformat; large payloads as {"blob": sha256})
    )
    VALUE = "value"  #: name, value
    METRIC = "metric"  #: name, value, step?, unit?, direction?
    TAG = "tag"  #: name, value
    NOTE = "note"  #: text
    ARTIFACT = (
        "artifact"  #: name, digest, size_bytes, path (relative to the run's folder)
    )
    DATA = "data"  #: path, digest, size_bytes
    GIT = "git"  #: GitState
    ENVIRONMENT = "environment"  #: Environment
    SHARED = "shared"  #: cells: ids of leading cells that were executed once, with other jobs


@dataclass(frozen=True, kw_only=True, slots=True)
class Event:
    """One line of a journal."""

    SCHEMA: ClassVar[str] = "event/1"

    kind: EventKind
    #: aware UTC
    at: datetime
    #: monotonic clock of the writing process, nanoseconds
    monotonic_ns: int
    #: process id of the writer, so that two writers of one journal can be told apart
    pid: int
    data: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class Metric:
    """A number with name, step, unit and direction."""

    name: str
    value: float
    at: datetime
    step: int | None = None
    unit: str = ""
    #: ``maximize``, ``minimize`` or "" where nothing was said
    direction: str = ""
    #: the cell execution that logged it
    execution_id: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Artifact:
    """A file that a run produced or read."""

    name: str
    digest: str
    size_bytes: int
    path: str


@dataclass(frozen=True, kw_only=True, slots=True)
class CellExecution:
    """One execution of one cell."""

    #: ``<position in the run>-<cell id>``
    id: str
    cell_id: str
    source: str
    status: CellStatus
    started_at: datetime
    #: wall time by the monotonic clock; None while it runs or where it was killed
    duration_s: float | None = None
    execution_count: int | None = None
    tags: tuple[str, ...] = ()
    #: ``{"ename", "evalue", "traceback"}`` of a failed execution
    error: Mapping[str, Any] | None = None
    outputs: tuple[Mapping[str, Any], ...] = ()
    #: None where it was not watched, or was too short to tell
    usage: CellUsage | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Run:
    """One recorded execution: values, metrics, artifacts, cells, environment, data."""

    SCHEMA: ClassVar[str] = "run/1"

    id: str
    experiment: str
    #: path of the notebook, relative to the project where it lies inside
    notebook: str
    #: ``live``, ``job`` or ``papermill``
    origin: str
    status: RunStatus
    started_at: datetime
    ended_at: datetime | None = None
    #: why it ended, where that was not success
    cause: str = ""
    #: the same in parts, with what was seen of the kernel; None where it succeeded
    why: Cause | None = None
    job_id: str | None = None
    values: Mapping[str, Any] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    metrics: tuple[Metric, ...] = ()
    artifacts: tuple[Artifact, ...] = ()
    data: tuple[Artifact, ...] = ()
    cells: tuple[CellExecution, ...] = ()
    git: GitState | None = None
    environment: Environment | None = None
    #: ids of leading cells that were executed once, for this run and others
    shared_cells: tuple[str, ...] = ()

    @property
    def last_metrics(self) -> Mapping[str, Metric]:
        """The last metric of each name."""
        return {metric.name: metric for metric in self.metrics}

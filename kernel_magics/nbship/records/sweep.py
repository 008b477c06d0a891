"""A sweep: jobs planned together from one search space; and how they stand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar

from nbship.records.domains import Domain


class Sampler(StrEnum):
    """How the points of a sweep are chosen."""

    GRID = "grid"
    RANDOM = "random"
    OPTUNA = "optuna"


@dataclass(frozen=True, kw_only=True, slots=True)
class Sweep:
    """What was asked for: ``sweeps/<sweep>/sweep.json``."""

    SCHEMA: ClassVar[str] = "sweep/1"

    id: str
    #: the notebook's path relative to the project, for people
    notebook: str
    #: sha256 of the snapshot that every job executes
    snapshot_digest: str
    planned_at: datetime
    #: what each swept parameter may be set to
    space: tuple[Domain, ...]
    #: values that are the same in every job, by name
    values: Mapping[str, Any] = field(default_factory=dict)
    sampler: Sampler
    seed: int = 0
    #: number of jobs; 0 where it is every point of a grid
    samples: int = 0
    #: the metric that is compared; "" where none was named
    metric: str = ""
    #: ``maximize``, ``minimize``, or "" where the metric's own record tells
    direction: str = ""
    #: whether jobs that fall behind are ended early
    is_pruning: bool = False
    #: ids of the leading cells that may be executed once for all jobs
    shared_cells: tuple[str, ...] = ()
    #: why no more cells are shared
    sharing_ends: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class SweepPoint:
    """One point of the space and its job: ``sweeps/<sweep>/points/<number>.json``."""

    SCHEMA: ClassVar[str] = "sweep-point/1"

    #: from 1, in the order in which they were chosen
    number: int
    #: what the swept parameters are set to
    values: Mapping[str, Any]
    job_id: str
    #: whether an outcome that stood already served
    is_reused: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Pruning:
    """Why a running job was ended early: ``attempts/<n>/pruning.json``."""

    SCHEMA: ClassVar[str] = "pruning/1"

    metric: str
    value: float
    step: int
    #: for people
    cause: str
    at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class SweepRow:
    """How one job of a sweep stands."""

    number: int
    values: Mapping[str, Any]
    job_id: str
    #: a JobStatus, or ``waiting`` where no attempt has begun
    status: str
    is_reused: bool = False
    #: last value of each metric
    metrics: Mapping[str, float] = field(default_factory=dict)
    #: wall time of the attempt; None while it is not over
    duration_s: float | None = None
    #: why it ended, where that was not success; or what is missing of it
    cause: str = ""
    run_id: str = ""
    #: the executed notebook, relative to the store's folder; "" where there is none
    executed: str = ""
    #: ids of cells that were executed once, together with other jobs
    shared_cells: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class SweepResults:
    """The jobs of a sweep side by side, in the order of their points."""

    SCHEMA: ClassVar[str] = "sweep-results/1"

    sweep: Sweep
    #: as asked for, else as the metric's record says; "" where nothing does
    metric: str = ""
    direction: str = ""
    rows: tuple[SweepRow, ...] = ()
    #: number of the best row; None where there is none
    best: int | None = None

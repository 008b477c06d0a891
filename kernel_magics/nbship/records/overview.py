"""The runs of a project at a glance, as the JupyterLab panel shows them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import ClassVar

from nbship.records.run import RunStatus


class Stage(StrEnum):
    """How far a run has come on the path."""

    DESIGN = "design"
    TEST = "test"
    PRODUCTION = "production"


@dataclass(frozen=True, kw_only=True, slots=True)
class LastMetric:
    """The last value of one metric."""

    name: str
    #: None where it is no finite number
    value: float | None
    step: int | None = None
    unit: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class RunRow:
    """One run in one line."""

    id: str
    stage: Stage
    #: None where the journal does not tell
    status: RunStatus | None = None
    experiment: str = ""
    #: path of the notebook, relative to the project where it lies inside
    notebook: str = ""
    started_at: datetime | None = None
    ended_at: datetime | None = None
    #: why it ended, where that was not success
    cause: str = ""
    job_id: str | None = None
    #: last value of each metric, in the order they were first logged
    metrics: tuple[LastMetric, ...] = ()
    #: releases of the run's job, as ``<name> <version>``
    releases: tuple[str, ...] = ()
    #: what could not be read of the journal; "" where all could
    damage: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Overview:
    """The newest runs of a project, newest first."""

    SCHEMA: ClassVar[str] = "overview/1"

    #: name of the project's folder; "" where there is no project
    project: str = ""
    #: the project's folder as the caller names it; None where the caller cannot reach it
    folder: str | None = None
    rows: tuple[RunRow, ...] = ()
    #: number of runs in the store, also those that are not among the rows
    total: int = 0
    #: what else could not be read
    remarks: tuple[str, ...] = ()

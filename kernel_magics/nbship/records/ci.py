"""What ``mlops ci`` found in a tree of notebooks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import ClassVar

from nbship.records.vetting import Finding


class CiStatus(StrEnum):
    """How a notebook, or one of its cells, came out."""

    PASSED = "passed"
    #: the job, or the cell, did not succeed
    FAILED = "failed"
    #: a gate blocks
    BLOCKED = "blocked"
    #: no job could be planned
    REFUSED = "refused"
    #: a cell that the job did not come to, or was told to leave out
    SKIPPED = "skipped"


@dataclass(frozen=True, kw_only=True, slots=True)
class CiCell:
    """One code cell of a notebook."""

    id: str
    #: its number among the code cells, from 1
    number: int
    #: its first line that is not empty
    title: str
    status: CiStatus
    #: wall time; 0 where it did not run
    duration_s: float = 0.0
    #: the exception with its traceback, or why it was not run
    message: str = ""
    #: line, from 1, at which the notebook's file names the cell
    line: int = 1


@dataclass(frozen=True, kw_only=True, slots=True)
class CiNotebook:
    """One notebook of the tree."""

    #: path relative to the project
    path: str
    status: CiStatus
    #: True where an earlier job of the same plan served: nothing ran
    is_unchanged: bool = False
    job_id: str = ""
    verdict_id: str = ""
    #: the job's wall time, of the earlier job where it is unchanged
    duration_s: float = 0.0
    #: why it failed or was refused; "" where it did not
    cause: str = ""
    hint: str = ""
    metrics: Mapping[str, float] = field(default_factory=dict)
    cells: tuple[CiCell, ...] = ()
    findings: tuple[Finding, ...] = ()
    #: codes of the gates that were asked
    gates: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class CiReport:
    """A tree of notebooks, executed and vetted."""

    SCHEMA: ClassVar[str] = "ci/1"

    began_at: datetime
    ended_at: datetime
    notebooks: tuple[CiNotebook, ...] = ()
    #: which part of the tree this is, as ``2/4``; "" for all of it
    shard: str = ""

    @property
    def passed(self) -> bool:
        """Whether every notebook passed."""
        return all(n.status is CiStatus.PASSED for n in self.notebooks)

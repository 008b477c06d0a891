"""What a rerun of a job gave, cell by cell, beside what the job had published."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import ClassVar


class CellVerdict(StrEnum):
    """How the outputs of one cell, or one metric, stand to the published ones; best first."""

    IDENTICAL = "identical"
    #: equal but for what no two executions share: times, addresses, names of temporary files
    NOISE = "noise"
    #: numbers within the tolerance
    WITHIN_TOLERANCE = "within tolerance"
    #: two runs of one notebook give different answers here, so that nothing can be said
    NOT_VERIFIABLE = "not verifiable"
    CHANGED = "changed"
    #: outputs that are missing, or that the published notebook does not have
    MISSING = "missing"
    #: the cell raised, or did not run
    ERROR = "error"


#: verdicts from which on a notebook counts as diverged
DIVERGED = frozenset({CellVerdict.CHANGED, CellVerdict.MISSING, CellVerdict.ERROR})


class ComparisonVerdict(StrEnum):
    """How a whole notebook stands."""

    IDENTICAL = "identical"
    WITHIN_TOLERANCE = "within tolerance"
    NOT_VERIFIABLE = "not verifiable"
    DIVERGED = "diverged"
    #: a file that the job read is no longer what it was; nothing was executed
    INPUT_CHANGED = "input changed"


@dataclass(frozen=True, kw_only=True, slots=True)
class Difference:
    """One place where the rerun differs from what was published."""

    #: such as ``output 1, line 3``
    place: str
    #: what decided: ``number``, ``text``, ``image``, ``duration``, ``missing output`` …
    rule: str
    verdict: CellVerdict
    #: both as snippets, 200 characters at most
    published: str = ""
    rerun: str = ""
    #: the distance and the limit, in words
    detail: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class CellComparison:
    """The verdict on one code cell."""

    cell_id: str
    #: its place among the cells of the executed notebook, from 1
    number: int
    verdict: CellVerdict
    #: first line of its source
    title: str = ""
    #: the worst first, 20 at most
    differences: tuple[Difference, ...] = ()
    #: places where the reruns differ among themselves
    noise: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class MetricComparison:
    """The verdict on one metric."""

    name: str
    verdict: CellVerdict
    #: the last values
    published: float | None = None
    rerun: float | None = None
    detail: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class ComparedRun:
    """One execution that was made to compare."""

    #: number of its attempt in the comparison's own store, from 1
    attempt: int
    status: str
    #: seconds from start to end
    duration_s: float
    #: Python's hash seed where it was not the job's
    hash_seed: str = ""
    cause: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Comparison:
    """A job's published outputs beside those of its reruns."""

    SCHEMA: ClassVar[str] = "comparison/1"

    id: str
    job_id: str
    #: the attempt whose outputs were published
    attempt: int
    compared_at: datetime
    verdict: ComparisonVerdict
    #: ``current`` or ``rebuilt``
    environment: str
    #: digest of the lock that the reruns had
    lock_digest: str = ""
    runs: tuple[ComparedRun, ...] = ()
    cells: tuple[CellComparison, ...] = ()
    metrics: tuple[MetricComparison, ...] = ()
    #: files that the job read and that changed since
    changed_inputs: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def diverged_at(self) -> CellComparison | None:
        """The first cell that diverged."""
        diverged = (cell for cell in self.cells if cell.verdict in DIVERGED)
        return next(diverged, None)

    @property
    def is_verified(self) -> bool:
        """Whether the rerun gave what was published."""
        return self.verdict in {
            ComparisonVerdict.IDENTICAL,
            ComparisonVerdict.WITHIN_TOLERANCE,
        }

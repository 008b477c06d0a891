"""What differs between two releases: answers, signature, requirements, code, state, speed, size."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, ClassVar


class Level(StrEnum):
    """How much of a version a change moves, the least first."""

    PATCH = "patch"
    MINOR = "minor"
    MAJOR = "major"

    @property
    def rank(self) -> int:
        """Its place, from 0."""
        return list(Level).index(self)


@dataclass(frozen=True, kw_only=True, slots=True)
class Answered:
    """What an installed package said to one call."""

    #: the answer as golden cases write it; None where there is none
    answer: Any = None
    #: the exception of ``predict``; "" where it answered
    raised: str = ""
    #: what the package's own check has against the input; "" where it fits
    refused: str = ""

    @property
    def has_answer(self) -> bool:
        """Whether ``predict`` answered, whatever the check says."""
        return not self.raised


@dataclass(frozen=True, kw_only=True, slots=True)
class DiffedRelease:
    """One of the two releases."""

    name: str
    version: str
    #: sha256 of its ``SHA256SUMS``
    digest: str
    package: str
    python_version: str
    wheel_bytes: int
    #: bytes of all files of the bundle
    bundle_bytes: int
    #: bytes of all that is installed with it, as the release measured it; 0 where it did not
    installed_bytes: int = 0

    @property
    def title(self) -> str:
        """Name and version."""
        return f"{self.name} {self.version}"


@dataclass(frozen=True, kw_only=True, slots=True)
class AnswerExample:
    """One row that the two releases answer otherwise."""

    #: ``1.2.0 case 3``: whose golden cases hold it, and its number there
    case: str
    #: place of the row in the case, from 0
    row: int
    #: input -> value, as golden cases write it
    inputs: Mapping[str, Any]
    old: Any
    new: Any


@dataclass(frozen=True, kw_only=True, slots=True)
class Flip:
    """Rows whose label is another one."""

    old: Any
    new: Any
    rows: int


@dataclass(frozen=True, kw_only=True, slots=True)
class OutputComparison:
    """One output of both releases over all rows that both answer."""

    name: str
    rows: int
    #: rows within the tolerance of parity
    equal: int
    #: rows that are the same to the last bit
    identical: int
    #: relative tolerance: the smaller one where the two declare different ones
    rtol: float
    #: largest difference of two numbers; None where no numbers differ
    largest_absolute: float | None = None
    #: the largest as a share of the larger of the two numbers
    largest_relative: float | None = None
    #: the most frequent first
    flips: tuple[Flip, ...] = ()
    #: rows with another label, in all
    flipped: int = 0
    #: the first rows that differ
    examples: tuple[AnswerExample, ...] = ()

    @property
    def changed(self) -> int:
        """The number of rows beyond the tolerance."""
        return self.rows - self.equal


@dataclass(frozen=True, kw_only=True, slots=True)
class Refusal:
    """A call that one release answers and the other one does not."""

    #: ``old`` or ``new``: the release that refuses
    by: str
    case: str
    message: str
    inputs: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class AnswerChanges:
    """What both releases answer to the golden cases of both."""

    #: distinct calls that each was asked
    cases: int
    old_cases: int
    new_cases: int
    outputs: tuple[OutputComparison, ...] = ()
    #: calls that the new release refuses although the old one answers, and the other way round
    refused_by_new: int = 0
    refused_by_old: int = 0
    #: calls that neither answers
    refused_by_both: int = 0
    #: the first refusals
    refusals: tuple[Refusal, ...] = ()
    #: calls whose answers cannot be laid side by side, and why
    incomparable: tuple[str, ...] = ()

    @property
    def changed_outputs(self) -> tuple[OutputComparison, ...]:
        """The outputs with rows beyond the tolerance."""
        return tuple(output for output in self.outputs if output.changed)

    @property
    def are_same(self) -> bool:
        """Whether every call is answered by both within the tolerance, or by neither."""
        return not (
            self.changed_outputs
            or self.refused_by_new
            or self.refused_by_old
            or self.incomparable
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class SignatureChange:
    """One thing that callers may notice."""

    #: ``input``, ``output`` or ``call``
    side: str
    #: of the column; ``address.zip`` is a part of a part; "" for the call
    name: str
    #: ``added``, ``removed``, ``dtype``, ``unit``, ``range`` …
    aspect: str
    level: Level
    old: str = ""
    new: str = ""

    @property
    def text(self) -> str:
        """Write it for people."""
        head = self.side if self.side == "call" else f"{self.side} `{self.name}`"
        if self.aspect in {"added", "removed"}:
            told = self.new or self.old
            return f"{head} {self.aspect}" + (f": {told}" if told else "")
        return f"{head}: {self.aspect} {self.new or 'none'} where it was {self.old or 'none'}"


@dataclass(frozen=True, kw_only=True, slots=True)
class PinChange:
    """A distribution of the lock; "" where one of the releases has none."""

    name: str
    old: str
    new: str


@dataclass(frozen=True, kw_only=True, slots=True)
class StateDifference:
    """A captured value with other bytes; digest "" where one of the releases has none."""

    name: str
    codec: str
    old_digest: str
    new_digest: str
    old_bytes: int
    new_bytes: int


@dataclass(frozen=True, kw_only=True, slots=True)
class CodeHunk:
    """Lines of a module that changed, with some around them."""

    file: str
    #: first line in each, from 1
    old_line: int
    new_line: int
    #: the notebook cells of the first changed line; "" where none is known
    old_cell: str
    new_cell: str
    #: with `` ``, ``-`` or ``+`` before each
    lines: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class LatencyComparison:
    """Single calls of both, by turns, on the machine of whoever asked."""

    #: calls of each
    calls: int
    old_p50_ms: float
    new_p50_ms: float
    #: new by old: the median over the turns
    ratio: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Reason:
    """Why a version moves."""

    level: Level
    text: str


@dataclass(frozen=True, kw_only=True, slots=True)
class ReleaseDiff:
    """Two releases side by side, as `mlops diff` answers."""

    SCHEMA: ClassVar[str] = "release-diff/1"

    old: DiffedRelease
    new: DiffedRelease
    level: Level
    #: the version after the old one that the changes ask for
    suggested_version: str
    #: the gravest first
    reasons: tuple[Reason, ...]
    answers: AnswerChanges
    signature: tuple[SignatureChange, ...] = ()
    requirements: tuple[PinChange, ...] = ()
    state: tuple[StateDifference, ...] = ()
    code: tuple[CodeHunk, ...] = ()
    #: metric -> (old, new); None where one of the releases has none
    metrics: Mapping[str, tuple[float | None, float | None]] = field(
        default_factory=dict
    )
    #: measured here and now; None where no call was answered by both
    latency: LatencyComparison | None = None
    #: for a CHANGELOG after Keep a Changelog
    changelog_entry: str = ""
    notes: tuple[str, ...] = ()

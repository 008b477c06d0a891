"""Everything that changed from one release to the next, and the version that it asks for.

The rules, after Semantic Versioning 2.0.0: **major** where a call that the old release answers
is refused by the new one, or callers must change; **minor** where answers changed beyond the
tolerance of parity, or more is taken or given; **patch** where answers are equal and only code,
requirements or papers changed. Before 1.0.0 the number in the middle stands for both.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from nbship.records.release_diff import (
    Level,
    PinChange,
    Reason,
    StateDifference,
)
from nbship.release.code_changes import code_changes
from nbship.release.names import raised_version
from nbship.release.requirements import minor_version
from nbship.release.signature_changes import signature_changes

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from nbship.records.release_diff import (
        AnswerChanges,
        CodeHunk,
        OutputComparison,
        SignatureChange,
    )
    from nbship.release.contents import Contents


@dataclass(frozen=True, kw_only=True, slots=True)
class Changes:
    """What differs between two releases; the one source of diffs and changelogs."""

    old: Contents
    new: Contents
    signature: tuple[SignatureChange, ...]
    requirements: tuple[PinChange, ...]
    state: tuple[StateDifference, ...]
    code: tuple[CodeHunk, ...]
    #: metric -> (old, new)
    metrics: Mapping[str, tuple[float | None, float | None]]
    #: None where the packages were not asked
    answers: AnswerChanges | None
    #: why they were not; "" where they were
    not_asked: str
    #: what whoever installs or calls it must see to
    demands: tuple[Reason, ...]
    #: all of them, the gravest first
    reasons: tuple[Reason, ...]

    @property
    def level(self) -> Level:
        """How much of the version moves."""
        return self.reasons[0].level

    @property
    def suggested_version(self) -> str:
        """The version that follows the old one."""
        return raised_version(self.old.version, self.level)


def changes_between(
    old: Contents, new: Contents, answers: AnswerChanges | None, *, not_asked: str = ""
) -> Changes:
    """Compare two releases.

    Parameters
    ----------
    old, new
        What they hold.
    answers
        What both say to the same calls; None where they were not asked.
    not_asked
        Why they were not.
    """
    signature = signature_changes(old.capture.signature, new.capture.signature)
    demands = tuple(_demands(old, new))
    reasons = [
        *demands,
        *(
            Reason(level=change.level, text=change.text)
            for change in signature
            if not is_seen_only(change)
        ),
        *_answer_reasons(answers, old, new),
        *_other_reasons(old, new),
    ]
    if answers is None and old.capture_digest != new.capture_digest:
        text = f"answers were not compared ({not_asked}), and code or state changed"
        reasons.append(Reason(level=Level.MINOR, text=text))
    if not reasons:
        text = "the same code, state and requirements"
        reasons.append(Reason(level=Level.PATCH, text=text))
    return Changes(
        old=old,
        new=new,
        signature=signature,
        requirements=_pin_changes(old.pins, new.pins),
        state=_state_changes(old, new),
        code=code_changes(old, new),
        metrics={
            name: (old.metrics.get(name), new.metrics.get(name))
            for name in sorted(old.metrics.keys() | new.metrics.keys())
            if old.metrics.get(name) != new.metrics.get(name)
        },
        answers=answers,
        not_asked=not_asked,
        demands=demands,
        reasons=tuple(sorted(reasons, key=lambda reason: -reason.level.rank)),
    )


def is_seen_only(change: SignatureChange) -> bool:
    """Tell whether a change is one of what the golden cases happened to hold."""
    return change.aspect.endswith(" seen") and change.level is Level.PATCH


def changed_text(output: OutputComparison) -> str:
    """Write how an output changed: ``price in 7 of 48 rows, by up to 0.31 (2.1 %)``."""
    text = f"`{output.name}` in {output.changed} of {output.rows} rows"
    if output.flipped:
        (first, *_) = output.flips
        text += (
            f", {output.flipped} with another label ({first.old!r} to {first.new!r})"
        )
    elif output.largest_absolute is not None:
        text += f", by up to {output.largest_absolute:.3g}"
        if output.largest_relative is not None:
            text += f" ({100 * output.largest_relative:.2g} %)"
    return text


def _demands(old: Contents, new: Contents) -> Iterator[Reason]:
    if old.package != new.package:
        text = f"import name {new.package} where it was {old.package}"
        yield Reason(level=Level.MAJOR, text=text)
    pythons = [minor_version(side.capture.python_version) for side in (old, new)]
    if pythons[0] != pythons[1]:
        text = f"Python {pythons[1]} where it was {pythons[0]}"
        yield Reason(level=Level.MINOR, text=text)
    for what, before, after in (
        ("reads the variable", old.capture.variables, new.capture.variables),
        ("opens", old.capture.resources, new.capture.resources),
    ):
        for name in after:
            if name not in before:
                yield Reason(level=Level.MINOR, text=f"{what} {name}")


def _answer_reasons(
    answers: AnswerChanges | None, old: Contents, new: Contents
) -> Iterator[Reason]:
    if answers is None:
        return
    for level, count, by, of in (
        (Level.MAJOR, answers.refused_by_new, new, old),
        (Level.MINOR, answers.refused_by_old, old, new),
    ):
        if count:
            calls = f"{count} of {answers.cases} calls"
            text = f"{calls} that {of.version} answers are refused by {by.version}"
            yield Reason(level=level, text=text)
    for output in answers.changed_outputs:
        text = f"answers changed: {changed_text(output)}"
        yield Reason(level=Level.MINOR, text=text)
    for text in answers.incomparable:
        yield Reason(level=Level.MAJOR, text=f"answers of another form: {text}")


def _other_reasons(old: Contents, new: Contents) -> Iterator[Reason]:
    if old.sources != new.sources:
        yield Reason(level=Level.PATCH, text="code changed")
    if _state_changes(old, new):
        yield Reason(level=Level.PATCH, text="captured values changed")
    if _pin_changes(old.pins, new.pins):
        yield Reason(level=Level.PATCH, text="requirements changed")
    if old.capture.golden_digest != new.capture.golden_digest:
        yield Reason(level=Level.PATCH, text="golden cases changed")
    if old.snapshot_digest != new.snapshot_digest:
        yield Reason(level=Level.PATCH, text="the notebook's text changed")


def _pin_changes(
    old: Mapping[str, str], new: Mapping[str, str]
) -> tuple[PinChange, ...]:
    return tuple(
        PinChange(name=name, old=old.get(name, ""), new=new.get(name, ""))
        for name in sorted(old.keys() | new.keys())
        if old.get(name) != new.get(name)
    )


def _state_changes(old: Contents, new: Contents) -> tuple[StateDifference, ...]:
    was = {entry.name: entry for entry in old.capture.state}
    now = {entry.name: entry for entry in new.capture.state}
    found = []
    for name in sorted(was.keys() | now.keys()):
        before, after = was.get(name), now.get(name)
        entry = after or before
        if entry is None or (before and after and before.digest == after.digest):
            continue
        found.append(
            StateDifference(
                name=name,
                codec=entry.codec,
                old_digest=before.digest if before else "",
                new_digest=after.digest if after else "",
                old_bytes=before.size_bytes if before else 0,
                new_bytes=after.size_bytes if after else 0,
            )
        )
    return tuple(found)

"""Two texts side by side: which lines belong together, and where they differ."""

from __future__ import annotations

import difflib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from nbship.vetting.comparison.texts import Line, Token

#: parts the cells of a row
BAR = "|"
#: the slot of a mismatch that is the whole line
WHOLE = -1


@dataclass(frozen=True, kw_only=True, slots=True)
class Mismatch:
    """One place where another execution differs from the reference."""

    #: position of the reference's line, from 0; where a line is extra, of the one behind it
    line: int
    #: position of the token in the line, or :data:`WHOLE`
    slot: int
    reference: Token | None
    other: Token | None
    #: the lines; None where one side has none
    reference_line: Line | None
    other_line: Line | None
    #: what stands above the token, in the first line of the table that its line is a row of
    heading: str = ""

    @property
    def place(self) -> tuple[int, int]:
        """Where it is, in the reference."""
        return self.line, self.slot

    @property
    def is_number(self) -> bool:
        """Whether two numbers differ."""
        return _kind(self.reference) == _kind(self.other) == "number"


def mismatches(
    reference: Sequence[Line], other: Sequence[Line]
) -> tuple[Mismatch, ...]:
    """Find every place where a text differs from the reference, in the reference's places."""
    first_rows = _first_rows(reference)
    return tuple(
        replace(found, heading=_heading(found, first_rows)) if first_rows else found
        for at, mine, theirs in _paired(reference, other)
        for found in _compared(at, mine, theirs)
    )


def _first_rows(lines: Sequence[Line]) -> dict[int, Line]:
    """Map each row of a table, by its position, to the first row of the same table."""
    found: dict[int, Line] = {}
    for at, line in enumerate(lines):
        bars = line.text.count(BAR)
        if bars > 1:
            above = found.get(at - 1)
            is_next = above is not None and above.text.count(BAR) == bars
            found[at] = above if above is not None and is_next else line
    return found


def _heading(mismatch: Mismatch, first_rows: Mapping[int, Line]) -> str:
    first, line = first_rows.get(mismatch.line), mismatch.reference_line
    if first is None or line is None or mismatch.slot == WHOLE:
        return ""
    column = sum(token.text == BAR for token in line.tokens[: mismatch.slot])
    return first.text.split(BAR)[column].strip()


def _kind(token: Token | None) -> str:
    return "" if token is None else token.kind


def _paired(
    reference: Sequence[Line], other: Sequence[Line]
) -> Iterator[tuple[int, Line | None, Line | None]]:
    if len(reference) == len(other):
        yield from zip(range(len(other)), reference, other, strict=True)
        return
    matcher = difflib.SequenceMatcher(
        a=[line.skeleton for line in reference],
        b=[line.skeleton for line in other],
        autojunk=False,
    )
    for _, a_from, a_to, b_from, b_to in matcher.get_opcodes():
        for step in range(max(a_to - a_from, b_to - b_from)):
            a, b = a_from + step, b_from + step
            mine = reference[a] if a < a_to else None
            yield min(a, a_to), mine, other[b] if b < b_to else None


def _compared(at: int, mine: Line | None, theirs: Line | None) -> Iterator[Mismatch]:
    if mine is not None and theirs is not None:
        if mine.text == theirs.text:
            return
        if len(mine.tokens) == len(theirs.tokens):
            yield from _tokens(at, mine, theirs)
            return
    elif not (mine or theirs) or not (mine or theirs).text:  # type: ignore[union-attr]
        return
    yield Mismatch(
        line=at,
        slot=WHOLE,
        reference=None,
        other=None,
        reference_line=mine,
        other_line=theirs,
    )


def _tokens(at: int, mine: Line, theirs: Line) -> Iterator[Mismatch]:
    for slot, (a, b) in enumerate(zip(mine.tokens, theirs.tokens, strict=True)):
        if a != b:
            yield Mismatch(
                line=at,
                slot=slot,
                reference=a,
                other=b,
                reference_line=mine,
                other_line=theirs,
            )

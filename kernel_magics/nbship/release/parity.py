"""What the replays of the golden cases say together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nbship.records.codec import from_json
from nbship.records.parity import (
    ENOUGH_ROWS,
    ParityReport,
    Watched,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from nbship.records.parity import Access, Place

#: what one line of a module left behind in one run of a call: what, depth, line, digest
Event = tuple[str, int, int, str]
_SHOWN = 3


def parity_of(
    reports: Sequence[Mapping[str, Any]],
    *,
    isolation: str,
    duration_s: float,
    draws: Sequence[Place] = (),
) -> ParityReport:
    """Join what ``python -m PACKAGE verify --json`` answered, twice.

    Parameters
    ----------
    reports
        The answers; they must be the same to the last bit. The first was watched.
    isolation
        ``namespace`` or ``guard``.
    duration_s
        Seconds that it took.
    draws
        Lines whose values differ from replay to replay.
    """
    first = reports[0]
    unsteady = unsteady_cases(reports)
    watched = from_json(Watched, first.get("watched") or {}, where="verify --json")
    where = _why(draws, watched)
    differences = [
        *first["changed"],
        *first["differences"],
        *(
            f"case {case}: another answer when it was replayed again{where}"
            for case in unsteady
        ),
    ]
    if not first["cases"] and not differences:
        differences.append("no golden case was replayed")
    placeholders = tuple(first.get("placeholders") or ())
    if differences and placeholders:
        differences.append(_replaced(placeholders))
    unproven = _unproven(first["rows"], watched.accesses)
    return ParityReport(
        passed=not differences,
        cases=first["cases"],
        rows=first["rows"],
        is_proven=not unproven,
        differences=tuple(differences),
        python_version=first["python"],
        isolation=isolation,
        duration_s=duration_s,
        unproven=unproven,
        coverage=watched.coverage,
        accesses=watched.accesses,
        changed_state=watched.changed_state,
        draws=tuple(draws),
        tolerances=dict(first.get("tolerances") or {}),
        placeholders=placeholders,
    )


def unsteady_cases(reports: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    """Name the cases whose answers differ between replays, the first one's order."""
    first = reports[0]["answers"]
    return tuple(
        case
        for case, answer in first.items()
        if any(other["answers"].get(case) != answer for other in reports[1:])
    )


def drawing_line(one: Sequence[Event], other: Sequence[Event]) -> int | None:
    """Find the line after which two runs of one call differ for the first time.

    Parameters
    ----------
    one, other
        The events of each run, in order: ``call``, ``line`` or ``return``, the depth of the
        frame, the line about to run, and a digest of the values there.

    Returns
    -------
    int or None
        None where they do not differ.
    """
    pairs = enumerate(zip(one, other, strict=False))
    place = next((i for i, (left, right) in pairs if left != right), None)
    if place is None:
        return None
    what, depth, line, _ = one[place]
    if what == "return" and tuple(other[place][:3]) == (what, depth, line):
        return line
    frame = depth - 1 if what == "call" else depth
    for kind, known, before, _ in reversed(one[:place]):
        if kind == "line" and known == frame:
            return before
    return line


def notes_of(parity: ParityReport) -> tuple[str, ...]:
    """Write what a reader should know of equal answers, one line each."""
    notes = [f"not proven: {reason}" for reason in parity.unproven]
    notes += [
        f"{access.text}, which is neither in the package nor among the arguments"
        for access in parity.accesses
        if not _is_unproven(access)
    ]
    if parity.changed_state:
        names = ", ".join(f"{c.name} ({c.place.text})" for c in parity.changed_state)
        notes.append(f"stateful: the calls changed {names}")
    coverage = parity.coverage
    if coverage is not None and coverage.missed:
        shown = ", ".join(place.text for place in coverage.missed[:_SHOWN])
        more = len(coverage.missed) - _SHOWN
        rest = f" and {more} more" if more > 0 else ""
        notes.append(
            f"{coverage.executed} of {coverage.lines} lines ran ({coverage.percent} %); "
            f"never: {shown}{rest}"
        )
    notes += [
        f"{name or 'all outputs'}: floats compared at a relative {rtol:g}, as declared"
        for name, rtol in parity.tolerances.items()
    ]
    if parity.placeholders and parity.passed:
        names = ", ".join(parity.placeholders)
        notes.append(
            f"replayed with placeholders for {names}: no recorded answer rests on the value"
        )
    return tuple(notes)


def _replaced(placeholders: Sequence[str]) -> str:
    names = ", ".join(placeholders)
    return (
        f"replays do not know what {names} held and gave placeholders, another in each: an "
        "answer that rests on it cannot be proven; make it an argument, or keep what it "
        "decides in a value"
    )


def _why(draws: Sequence[Place], watched: Watched) -> str:
    if draws:
        return f": {'; '.join(place.text for place in draws)} draws it"
    changed = [change.name for change in watched.changed_state]
    return f": the calls before it changed {', '.join(changed)}" if changed else ""


def _unproven(rows: int, accesses: Sequence[Access]) -> tuple[str, ...]:
    reasons = []
    if rows < ENOUGH_ROWS:
        reasons.append(f"{rows} distinct golden rows, fewer than {ENOUGH_ROWS}")
    reasons += [
        f"an answer may rest on what does not ship: it {access.text}"
        for access in accesses
        if _is_unproven(access)
    ]
    return tuple(reasons)


def _is_unproven(access: Access) -> bool:
    """Tell whether an answer may rest on it: libraries start programs to count processors."""
    if access.kind == "file":
        return access.mode == "read"
    return access.kind == "network" or (
        access.kind == "subprocess" and access.is_direct
    )

"""What two replays of the golden cases say together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nbship.records.release import ENOUGH_ROWS, ParityReport

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


def parity_of(
    reports: Sequence[Mapping[str, Any]], *, isolation: str, duration_s: float
) -> ParityReport:
    """Join what ``python -m PACKAGE verify --json`` answered, twice.

    Parameters
    ----------
    reports
        The answers; they must be the same to the last bit.
    isolation
        ``namespace`` or ``guard``.
    duration_s
        Seconds that it took.
    """
    first = reports[0]
    differences = [*first["changed"], *first["differences"]]
    for other in reports[1:]:
        differences += [
            f"case {case}: another answer when it was replayed again"
            for case, answer in first["answers"].items()
            if other["answers"].get(case) != answer
        ]
    if not first["cases"] and not differences:
        differences.append("no golden case was replayed")
    return ParityReport(
        passed=not differences,
        cases=first["cases"],
        rows=first["rows"],
        is_proven=first["rows"] >= ENOUGH_ROWS,
        differences=tuple(differences),
        python_version=first["python"],
        isolation=isolation,
        duration_s=duration_s,
    )

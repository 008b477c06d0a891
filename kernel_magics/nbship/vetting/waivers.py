"""Waivers: a code that a person answers for, with a reason, until a day."""

from __future__ import annotations

import dataclasses
from datetime import date
from typing import TYPE_CHECKING

from nbship.records.vetting import Finding, Severity, Waiver

if TYPE_CHECKING:
    from collections.abc import Sequence

EXPIRED_CODE = "NB001"
UNUSED_CODE = "NB002"


def check_waivers(waivers: Sequence[Waiver]) -> list[str]:
    """Return what is wrong with waivers: no code, reason or person, or a day that is none."""
    mistakes = []
    for number, waiver in enumerate(waivers, start=1):
        place = f"vet.waivers, number {number} ({waiver.code or 'no code'})"
        mistakes += [
            f"{place}: {name} is empty"
            for name in ("code", "reason", "person")
            if not getattr(waiver, name).strip()
        ]
        try:
            date.fromisoformat(waiver.expires_on)
        except ValueError:
            mistakes.append(
                f"{place}: expires_on is {waiver.expires_on!r}, no day such as 2027-01-31"
            )
    return mistakes


def apply_waivers(
    findings: Sequence[Finding], waivers: Sequence[Waiver], *, today: date
) -> list[Finding]:
    """Put each finding's waiver beside it, and report waivers that expired or met nothing.

    Parameters
    ----------
    findings
        What the gates said.
    waivers
        The policy's waivers, checked.
    today
        The day of the vetting, UTC.
    """
    holding = [waiver for waiver in waivers if waiver.holds_on(today)]
    covered = [
        dataclasses.replace(f, waiver=next((w for w in holding if _covers(w, f)), None))
        for f in findings
    ]
    notes = [
        _remark(waiver, is_expired=not waiver.holds_on(today))
        for waiver in waivers
        if not waiver.holds_on(today) or not any(_covers(waiver, f) for f in findings)
    ]
    return [*covered, *notes]


def _covers(waiver: Waiver, finding: Finding) -> bool:
    return waiver.code == finding.code and waiver.cell_id in {None, finding.cell_id}


def _remark(waiver: Waiver, *, is_expired: bool) -> Finding:
    if is_expired:
        return Finding(
            code=EXPIRED_CODE,
            severity=Severity.WARNING,
            message=f"the waiver of {waiver.code} by {waiver.person} expired on {waiver.expires_on}",
            fix="Mend what it covered, or have it renewed with a new day.",
            cell_id=waiver.cell_id,
        )
    return Finding(
        code=UNUSED_CODE,
        severity=Severity.NOTE,
        message=f"the waiver of {waiver.code} by {waiver.person} covers nothing",
        fix="Delete it from the settings.",
        cell_id=waiver.cell_id,
    )

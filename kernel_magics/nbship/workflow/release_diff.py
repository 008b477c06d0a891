"""Two releases side by side: both packages are asked, in environments of their own."""

from __future__ import annotations

import statistics
import time
from contextlib import ExitStack
from typing import TYPE_CHECKING

from nbship.records.release_diff import LatencyComparison, ReleaseDiff
from nbship.release.answer_changes import Asked, all_calls, answer_changes
from nbship.release.changelog import changelog_entry
from nbship.release.changes import changes_between
from nbship.release.names import is_lower
from nbship.workflow.release_contents import open_release

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from nbship.ports_shipping import InstalledPackage, PackageBuilder, Replayer
    from nbship.records.release_diff import AnswerChanges
    from nbship.release.changes import Changes
    from nbship.release.contents import Contents
    from nbship.workflow.release_contents import Opened

#: turns of each package, and calls in a turn
_TURNS, _CALLS = 30, 10
#: seconds that the turns may take together
_SECONDS = 6.0
#: what a call counts for that no clock sees
_SHORTEST_MS = 1e-6


def diff_releases(
    old_folder: Path,
    new_folder: Path,
    *,
    reader: PackageBuilder,
    replayer: Replayer,
) -> ReleaseDiff:
    """Compare two bundles.

    Parameters
    ----------
    old_folder, new_folder
        The bundles.
    reader, replayer
        Read wheels, and let packages be asked.

    Raises
    ------
    VerificationError
        If a bundle is not what was sealed, cannot be installed, or does not answer.
    """
    old, new = open_release(old_folder, reader), open_release(new_folder, reader)
    with ExitStack() as stack:
        left, right = (
            stack.enter_context(
                replayer.installed(
                    side.wheel,
                    side.lock,
                    package=side.manifest.package,
                    python_version=side.manifest.python_version,
                )
            )
            for side in (old, new)
        )
        asked = ask_both(old.contents, new.contents, left, right)
        latency = _latency(asked, left, right)
    answers = answer_changes(
        asked, old.contents.capture.signature, new.contents.capture.signature
    )
    changes = changes_between(old.contents, new.contents, answers)
    return _told(old, new, changes, answers, latency)


def ask_both(
    old: Contents,
    new: Contents,
    old_package: InstalledPackage,
    new_package: InstalledPackage,
) -> list[Asked]:
    """Ask two packages the golden cases of both, each call once.

    Raises
    ------
    VerificationError
        If one of them ends, or takes too long.
    """
    calls = all_calls(old.cases, new.cases, titles=(old.version, new.version))
    return [
        Asked(
            name=name,
            case=case,
            held_by=held_by,
            old=old_package.ask(case),
            new=new_package.ask(case),
        )
        for name, case, held_by in calls
    ]


def _latency(
    asked: Sequence[Asked],
    old: InstalledPackage,
    new: InstalledPackage,
) -> LatencyComparison | None:
    """Time both by turns, so that a busy machine slows both alike."""
    cases = [a.case for a in asked if a.old.has_answer and a.new.has_answer]
    if not cases:
        return None
    for package in (old, new):
        package.laps_ms(cases, calls=1)  # the first call loads what is loaded late
    left: list[float] = []
    right: list[float] = []
    ratios: list[float] = []
    end = time.monotonic() + _SECONDS
    for turn in range(_TURNS):
        # who goes first changes, and each turn starts with other cases
        shifted = [cases[(i + turn * _CALLS) % len(cases)] for i in range(_CALLS)]
        order = (old, new) if turn % 2 == 0 else (new, old)
        laps = {id(p): p.laps_ms(shifted, calls=_CALLS) for p in order}
        left += laps[id(old)]
        right += laps[id(new)]
        one = statistics.median(laps[id(old)]) or _SHORTEST_MS
        ratios.append(statistics.median(laps[id(new)]) / one)
        if time.monotonic() > end:
            break
    return LatencyComparison(
        calls=len(left),
        old_p50_ms=round(statistics.median(left), 4),
        new_p50_ms=round(statistics.median(right), 4),
        ratio=round(statistics.median(ratios), 3),
    )


def _told(
    old: Opened,
    new: Opened,
    changes: Changes,
    answers: AnswerChanges,
    latency: LatencyComparison | None,
) -> ReleaseDiff:
    version = new.manifest.version
    notes = []
    if is_lower(version, changes.suggested_version):
        notes.append(
            f"{version} is lower than {changes.suggested_version}, which the changes ask for"
        )
    if old.manifest.name != new.manifest.name:
        notes.append(f"two names: {old.manifest.name} and {new.manifest.name}")
    return ReleaseDiff(
        old=old.about,
        new=new.about,
        level=changes.level,
        suggested_version=changes.suggested_version,
        reasons=changes.reasons,
        answers=answers,
        signature=changes.signature,
        requirements=changes.requirements,
        state=changes.state,
        code=changes.code,
        metrics=changes.metrics,
        latency=latency,
        changelog_entry=changelog_entry(
            version,
            new.manifest.released_at.date(),
            changes,
            digest=old.about.digest,
        ),
        notes=tuple(notes),
    )

"""The release before this one, and what changed since: asked of both packages."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from nbship.errors import NbshipError
from nbship.records.digest import digest_file
from nbship.release.answer_changes import answer_changes
from nbship.release.changelog import CHANGELOG, Before
from nbship.release.changes import changes_between
from nbship.release.contents import Contents, sources_of
from nbship.release.lock_text import read_lock
from nbship.release.sums import MANIFEST, SUMS
from nbship.workflow.export import LOCK
from nbship.workflow.release_contents import open_release
from nbship.workflow.release_diff import ask_both

if TYPE_CHECKING:
    from pathlib import Path

    from nbship.ports_shipping import PackageBuilder, Replayer
    from nbship.records.release_diff import AnswerChanges
    from nbship.release.changes import Changes
    from nbship.release.facts import Evidence
    from nbship.workflow.release_contents import Opened


def release_before(place: Path, version: str) -> Before | None:
    """Read what pages say of the release before; None where there is none."""
    folder = place / version
    if not version or not (folder / MANIFEST).is_file():
        return None
    changelog = folder / CHANGELOG
    return Before(
        version=version,
        changelog=changelog.read_text("utf-8") if changelog.is_file() else "",
        digest=digest_file(folder / SUMS) if (folder / SUMS).is_file() else "",
    )


def changes_since(  # noqa: PLR0913  # both releases, and what asks them
    before: Path,
    evidence: Evidence,
    *,
    wheel: Path,
    lock: Path,
    golden: Path,
    reader: PackageBuilder,
    replayer: Replayer,
) -> tuple[Changes | None, str]:
    """Compare a release in the making with the one before it.

    Parameters
    ----------
    before
        Bundle of the release before.
    evidence
        What the new one rests on.
    wheel, lock, golden
        The new wheel, the lock of everything that it needs, its golden cases.
    reader, replayer
        Read wheels, and let packages be asked.

    Returns
    -------
    tuple
        The changes, and "". None and the reason where the release before cannot be read: what
        lies there is no reason to refuse this one.
    """
    try:
        old = open_release(before, reader)
    except NbshipError as error:
        return None, _first_line(error)
    new = _contents(evidence, wheel=wheel, lock=lock, golden=golden, reader=reader)
    if _is_same_package(old.contents, new):
        return changes_between(old.contents, new, None), ""
    try:
        answers = _answers(old, new, wheel, lock.with_name(LOCK), replayer)
    except NbshipError as error:  # such as another Python, which is not installed here
        why = _first_line(error)
        return changes_between(old.contents, new, None, not_asked=why), ""
    return changes_between(old.contents, new, answers), ""


def _answers(
    old: Opened, new: Contents, wheel: Path, lock: Path, replayer: Replayer
) -> AnswerChanges:
    with (
        replayer.installed(
            old.wheel,
            old.lock,
            package=old.manifest.package,
            python_version=old.manifest.python_version,
        ) as left,
        replayer.installed(
            wheel,
            lock,
            package=new.package,
            python_version=new.capture.python_version,
        ) as right,
    ):
        asked = ask_both(old.contents, new, left, right)
    return answer_changes(asked, old.contents.capture.signature, new.capture.signature)


def _contents(
    evidence: Evidence, *, wheel: Path, lock: Path, golden: Path, reader: PackageBuilder
) -> Contents:
    lines = golden.read_text("utf-8").splitlines()
    return Contents(
        name=evidence.name,
        version=evidence.version,
        package=evidence.package,
        capture=evidence.capture,
        capture_digest=evidence.capture_digest,
        snapshot_digest=evidence.verdict.subject.get("snapshot", ""),
        pins=read_lock(lock.read_text("utf-8")),
        metrics=dict(evidence.outcome.metrics),
        sources=sources_of(reader.read(wheel), evidence.package),
        cases=tuple(json.loads(line) for line in lines if line.strip()),
    )


def _is_same_package(old: Contents, new: Contents) -> bool:
    """Tell whether the answers need no question: the same bytes in the same environment."""
    return (old.capture_digest, old.pins, old.package) == (
        new.capture_digest,
        new.pins,
        new.package,
    )


def _first_line(error: NbshipError) -> str:
    return error.message.splitlines()[0].removesuffix(":")

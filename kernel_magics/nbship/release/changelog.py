"""What changed from one release to the next, after Keep a Changelog 1.1.0."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from nbship.records.release_diff import Level
from nbship.release.changes import changed_text, is_seen_only
from nbship.release.names import is_lower

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date

    from nbship.records.release_diff import AnswerChanges, PinChange
    from nbship.release.changes import Changes

CHANGELOG = "CHANGELOG.md"
_TITLE = "# Changelog\n"
_SECTIONS = ("Added", "Changed", "Removed")
#: pins that are spelled out; an update of an environment may move all of them
_MAX_PINS = 30


@dataclass(frozen=True, kw_only=True, slots=True)
class Before:
    """The release before this one."""

    version: str
    #: its own changelog; "" where it has none
    changelog: str
    #: sha256 of its SHA256SUMS
    digest: str

    @property
    def name(self) -> str:
        """Version and digest, for pages."""
        return f"{self.version} (bundle digest `{self.digest[:16]}…`)"


def changelog_text(
    version: str,
    released_on: date,
    changes: Changes | None,
    *,
    before: Before | None,
    not_compared: str = "",
) -> str:
    """Write the changelog of a bundle: this release first, then those before it.

    Parameters
    ----------
    version, released_on
        Of this release.
    changes
        Since the release before; None where there is none, or it cannot be read.
    before
        The release before; None for the first one.
    not_compared
        Why the release before cannot be read.
    """
    if changes is None and before is not None:
        head = _head(version, released_on)
        text = f"not compared with {before.version}: {not_compared}"
        entry = f"{head}\n### Changed\n\n- Not known: {text}.\n"
    else:
        digest = before.digest if before else ""
        entry = changelog_entry(version, released_on, changes, digest=digest)
    earlier = before.changelog.removeprefix(_TITLE) if before else ""
    return f"{_TITLE}\n{entry}{earlier}"


def changelog_entry(
    version: str,
    released_on: date,
    changes: Changes | None,
    *,
    digest: str = "",
) -> str:
    """Write one entry.

    Parameters
    ----------
    version, released_on
        Its heading.
    changes
        Since the release before; None for the first one.
    digest
        Of the bundle before; "" leaves it out.
    """
    head = _head(version, released_on)
    if changes is None:
        return f"{head}\n### Added\n\n- First release.\n"
    sections: dict[str, list[str]] = {name: [] for name in _SECTIONS}
    for section, text in _lines(changes):
        sections[section].append(text)
    follows = f"\nFollows {changes.old.version}"
    follows += f", bundle digest `{digest}`.\n" if digest else ".\n"
    body = "".join(
        f"\n### {name}\n\n" + "".join(f"- {text}\n" for text in lines)
        for name, lines in sections.items()
        if lines
    )
    return f"{head}{follows}{body}"


def latest_entry(text: str) -> str:
    """Return the first entry of a changelog; "" where it has none."""
    _, found, rest = text.partition("\n## ")
    return f"## {rest.partition(f'{chr(10)}## ')[0].strip()}\n" if found else ""


def version_remark(changes: Changes | None, version: str) -> str:
    """Say that a version promises less change than there is; "" where it does not."""
    if changes is None or not is_lower(version, changes.suggested_version):
        return ""
    return (
        f"version {version} is lower than {changes.suggested_version}, which the changes since"
        f" {changes.old.version} ask for ({changes.level.value}: {changes.reasons[0].text})"
    )


def _head(version: str, released_on: date) -> str:
    return f"## [{version}] - {released_on.isoformat()}\n"


def _lines(changes: Changes) -> Iterator[tuple[str, str]]:
    yield from _signature_lines(changes)
    yield from _answer_lines(changes)
    for reason in changes.demands:
        breaking = "**Breaking:** " if reason.level is Level.MAJOR else ""
        yield "Changed", f"{breaking}{reason.text[0].upper()}{reason.text[1:]}."
    yield "Changed", _capture_text(changes)
    if changes.old.snapshot_digest != changes.new.snapshot_digest:
        digest = changes.new.snapshot_digest[:16]
        yield "Changed", f"Notebook: other text, now sha256 `{digest}…`."
    for name, (old, new) in changes.metrics.items():
        yield _metric_line(name, old, new)
    pins = changes.requirements
    yield from (_pin_line(pin) for pin in pins[:_MAX_PINS])
    if len(pins) > _MAX_PINS:
        yield "Changed", f"And {len(pins) - _MAX_PINS} more requirements."


def _signature_lines(changes: Changes) -> Iterator[tuple[str, str]]:
    for change in changes.signature:
        if is_seen_only(change):
            continue
        section = {"added": "Added", "removed": "Removed"}.get(change.aspect, "Changed")
        breaking = "**Breaking:** " if change.level is Level.MAJOR else ""
        yield section, f"{breaking}{change.text[0].upper()}{change.text[1:]}."


def _answer_lines(changes: Changes) -> Iterator[tuple[str, str]]:
    answers = changes.answers
    if answers is None:
        if changes.not_asked:
            yield "Changed", f"Answers: not compared ({changes.not_asked})."
        return
    if answers.refused_by_new:
        calls = f"{answers.refused_by_new} of {answers.cases} calls"
        yield (
            "Removed",
            f"**Breaking:** {calls} that {changes.old.version} answers are refused.",
        )
    if answers.refused_by_old:
        calls = f"{answers.refused_by_old} of {answers.cases} calls"
        yield "Added", f"Answers to {calls} that {changes.old.version} refuses."
    for output in answers.changed_outputs:
        yield "Changed", f"Answers: {changed_text(output)}."
    for text in answers.incomparable:
        yield "Changed", f"**Breaking:** Answers of another form: {text}."
    if answers.are_same:
        yield "Changed", f"Answers: the same ({_asked(answers)})."


def _asked(answers: AnswerChanges) -> str:
    rows = max((output.rows for output in answers.outputs), default=0)
    return f"{answers.cases} golden cases, {rows} rows"


def _capture_text(changes: Changes) -> str:
    if changes.old.capture_digest == changes.new.capture_digest:
        return "Captured state and code: the same bytes."
    parts = []
    if changes.old.sources != changes.new.sources:
        parts.append("code")
    if changes.state:
        parts.append("values " + ", ".join(f"`{item.name}`" for item in changes.state))
    return f"Captured {' and '.join(parts) or 'papers'}: changed."


def _metric_line(name: str, old: float | None, new: float | None) -> tuple[str, str]:
    if old is None:
        return "Added", f"Metric {name}: {new:g}."
    if new is None:
        return "Removed", f"Metric {name}."
    return "Changed", f"Metric {name}: {new:g} where it was {old:g}."


def _pin_line(pin: PinChange) -> tuple[str, str]:
    if not pin.old:
        return "Added", f"Requirement {pin.name} {pin.new}."
    if not pin.new:
        return "Removed", f"Requirement {pin.name} {pin.old}."
    return "Changed", f"Requirement {pin.name}: {pin.new} where it was {pin.old}."

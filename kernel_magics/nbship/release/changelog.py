"""What changed from one release to the next, told from their records."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nbship.records.release import Column, Manifest, Signature
    from nbship.release.facts import Evidence

CHANGELOG = "CHANGELOG.md"
_TITLE = "# Changelog\n"


@dataclass(frozen=True, kw_only=True, slots=True)
class Before:
    """The release before this one."""

    manifest: Manifest
    #: what its lock pins
    pins: Mapping[str, str]
    #: its own changelog; "" where it has none
    changelog: str
    #: sha256 of its SHA256SUMS
    digest: str

    @property
    def name(self) -> str:
        """Version and digest, for pages."""
        return f"{self.manifest.version} (bundle digest `{self.digest[:16]}…`)"


def changelog_text(
    evidence: Evidence, pins: Mapping[str, str], before: Before | None
) -> str:
    """Write the changelog of a bundle: this release first, then those before it."""
    day = evidence.released_at.date().isoformat()
    head = f"## {evidence.version} ({day})\n"
    changes = _changes(evidence, pins, before) if before else ["First release."]
    entry = "".join(f"- {change}\n" for change in changes)
    earlier = before.changelog.removeprefix(_TITLE) if before else ""
    return f"{_TITLE}\n{head}\n{entry}{earlier}"


def _changes(evidence: Evidence, pins: Mapping[str, str], before: Before) -> list[str]:
    old = before.manifest
    changes = [f"Follows {old.version}, bundle digest `{before.digest}`."]
    if old.subject.get("snapshot") != evidence.verdict.subject.get("snapshot"):
        changes.append(
            f"Notebook: other text, now sha256 `{evidence.job.snapshot_digest[:16]}…`."
        )
    if old.capture_digest != evidence.capture_digest:
        changes.append("Captured state or code: changed.")
    else:
        changes.append("Captured state and code: the same bytes.")
    changes += _signature_changes(old.signature, evidence.capture.signature)
    changes += _metric_changes(old.metrics, evidence.outcome.metrics)
    changes += _pin_changes(before.pins, pins)
    return changes


def _signature_changes(old: Signature, new: Signature) -> list[str]:
    changes = []
    if old.input_form != new.input_form:
        changes.append(f"Input: {new.input_form} where it was {old.input_form}.")
    for side, left, right in (
        ("Input", old.inputs, new.inputs),
        ("Output", old.outputs, new.outputs),
    ):
        was, now = {c.name: c for c in left}, {c.name: c for c in right}
        changes += [f"{side}: `{n}` is gone." for n in was.keys() - now.keys()]
        changes += [f"{side}: `{n}` is new." for n in now.keys() - was.keys()]
        changes += [
            f"{side}: `{name}` is {_kind(now[name])} where it was {_kind(was[name])}."
            for name in was.keys() & now.keys()
            if _kind(was[name]) != _kind(now[name])
        ]
    return sorted(changes)


def _kind(column: Column) -> str:
    shape = f" of shape {column.shape}" if column.shape else ""
    return f"{column.dtype}{shape}" + (", may be missing" if column.is_nullable else "")


def _metric_changes(old: Mapping[str, float], new: Mapping[str, float]) -> list[str]:
    return [
        f"Metric {name}: {new[name]:g} where it was {old[name]:g}."
        if name in new and name in old
        else f"Metric {name}: {'new, ' + format(new[name], 'g') if name in new else 'gone'}."
        for name in sorted(old.keys() | new.keys())
        if old.get(name) != new.get(name)
    ]


def _pin_changes(old: Mapping[str, str], new: Mapping[str, str]) -> list[str]:
    return [
        f"Requirement {name}: {new.get(name, 'gone')}"
        + (f" where it was {old[name]}." if name in old else ", new.")
        for name in sorted(old.keys() | new.keys())
        if old.get(name) != new.get(name)
    ]

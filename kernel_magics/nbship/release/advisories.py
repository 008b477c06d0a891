"""Known vulnerabilities of what a lock pins, as a dated snapshot of OSV records tells them.

The format is OSV's (https://ossf.github.io/osv-schema/), which PyPI's, GitHub's and others'
advisories are published in. A snapshot is dated by its newest record: what was published
later, it cannot know. Nothing here says that there are no vulnerabilities.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from packaging.version import InvalidVersion, Version

from nbship.records.environment import normalized_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

#: what stands where nobody gave a snapshot
NO_SNAPSHOT = "MISSING: owner: a dated snapshot of advisories (release.advisories)"
_EVENTS = ("introduced", "fixed", "last_affected")


@dataclass(frozen=True, kw_only=True, slots=True)
class Snapshot:
    """Advisories as they stood on a day."""

    #: sha256 of the file, or over the files of the folder
    digest: str
    #: newest ``modified`` of its records, RFC 3339
    dated: str
    #: OSV records about distributions of PyPI
    records: tuple[Mapping[str, Any], ...]

    @property
    def day(self) -> str:
        """The day that it is from."""
        return self.dated.partition("T")[0]


def vulnerability_report(
    pins: Mapping[str, str], snapshot: Snapshot | None
) -> dict[str, Any]:
    """Compare what a lock pins with a snapshot.

    Parameters
    ----------
    pins
        Distribution -> version.
    snapshot
        None where there is none: the report says so, and names no finding.
    """
    head = {"schema": "vulnerabilities/1", "asked": dict(sorted(pins.items()))}
    if snapshot is None:
        return {**head, "snapshot": NO_SNAPSHOT, "found": None}
    found = [
        _finding(record, name, version)
        for name, version in sorted(pins.items())
        for record in snapshot.records
        if affects(record, name, version)
    ]
    return {
        **head,
        "snapshot": {
            "dated": snapshot.dated,
            "records": len(snapshot.records),
            "sha256": snapshot.digest,
        },
        "found": sorted(found, key=lambda item: (item["package"], item["id"])),
    }


def vulnerability_text(report: Mapping[str, Any]) -> str:
    """Say in one line what a report found; never that there is nothing to find."""
    if report["found"] is None:
        return str(report["snapshot"])
    snapshot = report["snapshot"]
    known = (
        f"{snapshot['records']} advisories of the snapshot of"
        f" {snapshot['dated'].partition('T')[0]}"
    )
    count = len(report["found"])
    if not count:
        return f"none of the {known} names what the lock pins"
    ids = ", ".join(item["id"] for item in report["found"][:5])
    more = ", …" if count > 5 else ""  # noqa: PLR2004  # as many as are shown
    return f"{count} of the {known} name what the lock pins: {ids}{more}"


def affects(record: Mapping[str, Any], name: str, version: str) -> bool:
    """Tell whether an OSV record names that version of a distribution."""
    if record.get("withdrawn"):
        return False
    for item in record.get("affected", ()):
        package = item.get("package", {})
        if package.get("ecosystem") != "PyPI" or normalized_name(
            str(package.get("name", ""))
        ) != normalized_name(name):
            continue
        if _is_listed(version, item.get("versions", ())):
            return True
        ranges = item.get("ranges", ())
        if any(_is_within(version, r) for r in ranges if r.get("type") == "ECOSYSTEM"):
            return True
    return False


def _is_listed(version: str, versions: Iterable[str]) -> bool:
    wanted = _version(version)
    return any(_version(item) == wanted for item in versions)


def _is_within(version: str, span: Mapping[str, Any]) -> bool:
    """Follow the events of a range in the order of versions, as OSV evaluates them."""
    wanted = _version(version)
    events = [
        (_version(event[kind]), kind)
        for event in span.get("events", ())
        for kind in _EVENTS
        if kind in event
    ]
    is_affected = False
    for at, kind in sorted(events, key=lambda item: item[0]):
        if kind == "introduced" and at <= wanted:
            is_affected = True
        elif (kind == "fixed" and at <= wanted) or (
            kind == "last_affected" and at < wanted
        ):
            is_affected = False
    return is_affected


def _version(text: str) -> Version:
    """Read a version; what none can be is older than all, so that a range from it covers more."""
    try:
        return Version(text.partition("+")[0])
    except InvalidVersion:
        return Version("0.dev0")


def _finding(record: Mapping[str, Any], name: str, version: str) -> dict[str, Any]:
    fixed = {
        event["fixed"]
        for item in record.get("affected", ())
        for span in item.get("ranges", ())
        for event in span.get("events", ())
        if "fixed" in event and span.get("type") == "ECOSYSTEM"
    }
    specific = record.get("database_specific", {})
    return {
        "id": str(record.get("id", "?")),
        "aliases": sorted(map(str, record.get("aliases", ()))),
        "package": name,
        "version": version,
        "summary": str(record.get("summary", "")),
        "severity": str(specific.get("severity", "")) or None,
        "fixed_in": sorted(fixed, key=_version),
    }

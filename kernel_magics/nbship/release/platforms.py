"""What a bundle says of platforms: where it was replayed, and where only wheels were found."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from nbship.records.release import PlatformLock


def lock_name(platform: str) -> str:
    """Return the file of a platform's lock: ``requirements-aarch64-apple-darwin.lock``."""
    return f"requirements-{platform}.lock"


def pin_differences(
    replayed: Mapping[str, str], other: Mapping[str, str]
) -> tuple[str, ...]:
    """Name what another lock pins otherwise, and what it has besides or not at all."""
    return tuple(
        f"{name} {other.get(name, 'absent')} where {replayed.get(name, 'nothing')} was replayed"
        for name in sorted({*replayed, *other})
        if replayed.get(name) != other.get(name)
    )


def platform_text(entry: PlatformLock) -> str:
    """Say in a line what is known of a platform, for the HANDOFF page."""
    if entry.state == "replayed":
        return f"`{entry.platform}`: replayed here, `{entry.lock}`"
    if entry.state == "resolved":
        others = "; ".join(entry.differences)
        told = f": {others}" if others else ", the same versions"
        return (
            f"`{entry.platform}`: `{entry.lock}` was resolved, NOTHING WAS RUN there"
            f"{told}"
        )
    return f"`{entry.platform}`: NO LOCK: {entry.reason}"


def platform_failures(
    platforms: Sequence[PlatformLock], locks: Mapping[str, Mapping[str, str]]
) -> list[str]:
    """Name platforms whose lock is not what the manifest says of it.

    Parameters
    ----------
    platforms
        Of the manifest, the replayed one among them.
    locks
        Name of each lock that is there -> its pins.
    """
    replayed = next((e.lock for e in platforms if e.state == "replayed"), "")
    return [
        f"{entry.lock}: pins other versions than the manifest tells of {entry.platform}"
        for entry in platforms
        if entry.state == "resolved"
        and {entry.lock, replayed} <= locks.keys()
        and pin_differences(locks[replayed], locks[entry.lock]) != entry.differences
    ]

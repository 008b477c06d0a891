"""The locks of a bundle for platforms on which nothing was replayed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nbship.errors import NoWheelsError
from nbship.records.release import PlatformLock
from nbship.release.lock_text import read_lock
from nbship.release.platforms import lock_name, pin_differences

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from nbship.ports_shipping import PackageBuilder


def lock_platforms(  # noqa: PLR0913  # what a lock is made from
    folder: Path,
    platforms: Sequence[str],
    *,
    requirements: Sequence[str],
    replayed: Path,
    python_version: str,
    builder: PackageBuilder,
    carried: Path | None = None,
) -> tuple[PlatformLock, ...]:
    """Write a lock for every platform that wheels can be found for; tell of the others.

    Parameters
    ----------
    folder
        The bundle's.
    platforms
        As uv names them.
    requirements
        What the package and its server need directly.
    replayed
        The lock of everything that was made where the golden cases were replayed; the others
        keep to its versions as far as wheels allow.
    python_version
        The one version that was tested.
    builder
        Makes locks.
    carried
        Wheels that no index has.

    Raises
    ------
    ReleaseError
        If uv knows no such platform, or no index can be asked.
    """
    own = builder.platform
    found = [PlatformLock(platform=own, state="replayed", lock=replayed.name)]
    pins = read_lock(replayed.read_text("utf-8"))
    for platform in sorted(set(platforms) - {own}):
        try:
            text = builder.lock(
                requirements,
                python_version=python_version,
                installed=pins,
                platform=platform,
                carried=carried,
            )
        except NoWheelsError as error:
            entry = PlatformLock(
                platform=platform, state="unresolved", reason=error.message
            )
        else:
            name = lock_name(platform)
            (folder / name).write_text(text, "utf-8")
            entry = PlatformLock(
                platform=platform,
                state="resolved",
                lock=name,
                differences=pin_differences(pins, read_lock(text)),
            )
        found.append(entry)
    return tuple(found)

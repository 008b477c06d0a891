"""What a package needs: pins for its lock, ranges for its metadata, one Python version."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from nbship.errors import ExportError

if TYPE_CHECKING:
    from nbship.records.release import RootCapture

_PIN = re.compile(r"(?P<name>[A-Za-z0-9][\w.-]*)==(?P<version>[^\s;]+)")
_RELEASE = re.compile(r"(?:\d+!)?(\d+(?:\.\d+)*)")


def direct_pins(capture: RootCapture) -> tuple[str, ...]:
    """List ``name==version`` of every distribution that the capture imports, sorted.

    Raises
    ------
    ExportError
        If a requirement is no ``name==version``.
    """
    for name, pin in capture.requirements.items():
        if _PIN.fullmatch(pin) is None:
            raise ExportError(
                f"import {name}: {pin!r} where name==version was expected",
                hint=f"Install {name} as a distribution with a version.",
            )
    return tuple(sorted(set(capture.requirements.values()), key=str.lower))


def compatible_range(pin: str) -> str:
    """Turn ``name==1.9.1`` into ``name~=1.9.1``: bug fixes yes, new features no.

    Local version labels have no range and are left out; the lock keeps them.

    >>> compatible_range("torch==2.13.0+cpu")
    'torch~=2.13.0'
    >>> compatible_range("tz==5")
    'tz>=5,<6'
    """
    name, _, version = pin.partition("==")
    public = version.partition("+")[0]
    release = _RELEASE.match(public)
    if release is None or "." not in release.group(1):
        major = int(release.group(1)) + 1 if release else public
        return f"{name}>={public},<{major}" if release else f"{name}=={public}"
    return f"{name}~={public}"


def minor_version(python_version: str) -> str:
    """Return ``3.11`` of ``3.11.7``."""
    return ".".join(python_version.split(".")[:2])


def requires_python(python_version: str) -> str:
    """Declare the one minor version that the replay has tested: ``>=3.11,<3.12``."""
    major, minor = minor_version(python_version).split(".")
    return f">={major}.{minor},<{major}.{int(minor) + 1}"

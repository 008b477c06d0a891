"""The system's clock and random numbers."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime
from pathlib import Path


class SystemClock:
    """Time and identity as the machine gives them."""

    def now(self) -> datetime:
        """Return the time, aware, in UTC."""
        return datetime.now(UTC)

    def entropy(self) -> int:
        """Return 32 random bits."""
        return secrets.randbits(32)


def local_time_zone() -> str:
    """Return the name of this machine's time zone, such as ``Europe/Berlin``; "" if unknown."""
    place = str(Path("/etc/localtime").resolve())
    _, found, name = place.partition("/zoneinfo/")
    return name.removeprefix("posix/") if found else ""

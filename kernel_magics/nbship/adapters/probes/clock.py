"""The system's clock and random numbers."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime


class SystemClock:
    """Time and identity as the machine gives them."""

    def now(self) -> datetime:
        """Return the time, aware, in UTC."""
        return datetime.now(UTC)

    def entropy(self) -> int:
        """Return 32 random bits."""
        return secrets.randbits(32)

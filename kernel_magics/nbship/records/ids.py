"""Ids: a kind, the time in UTC and four random characters, so that they sort by age."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford's: no i, l, o, u
ID_PATTERN = re.compile(r"[a-z]+-\d{8}-\d{6}-[0-9a-hjkmnp-tv-z]{4}")


def make_id(kind: str, *, at: datetime, entropy: int) -> str:
    """Make an id such as ``job-20261123-091500-7k2m``.

    Parameters
    ----------
    kind
        ``run``, ``job``, ``verdict``, ``approval``, ``report``, ``export`` or ``sweep``.
    at
        Aware time; written in UTC.
    entropy
        Any whole number >= 0; its lowest 20 bits become the four last characters.
    """
    from datetime import UTC  # kept out of the import of nbship

    tail = "".join(_ALPHABET[(entropy >> shift) & 31] for shift in (15, 10, 5, 0))
    return f"{kind}-{at.astimezone(UTC):%Y%m%d-%H%M%S}-{tail}"


def is_id(text: str, kind: str) -> bool:
    """Tell whether ``text`` is an id of that kind."""
    return text.startswith(f"{kind}-") and ID_PATTERN.fullmatch(text) is not None

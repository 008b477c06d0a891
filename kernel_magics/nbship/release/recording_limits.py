"""Why a call is not recorded."""

from __future__ import annotations


class LeftOutError(Exception):
    """Raised, and counted, inside the recorder alone."""

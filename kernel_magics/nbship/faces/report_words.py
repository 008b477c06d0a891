"""Values in words, for reports."""

from __future__ import annotations

import json
from datetime import UTC
from typing import TYPE_CHECKING, Any

from nbship.records.vetting import Decision

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from nbship.records.cause import CellUsage
    from nbship.records.vetting import Approval

_LONGEST_VALUE = 200
_KIB = 1024


def utc(at: datetime) -> str:
    """Write a time for people."""
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def shown(value: Any) -> str:  # noqa: ANN401  # any JSON value
    """Write a JSON value for people: numbers with six digits, texts as they are."""
    if value is None:
        return "None"
    if isinstance(value, float):
        return f"{value:.6g}"
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _LONGEST_VALUE else f"{text[:_LONGEST_VALUE]}…"


def duration(seconds: float | None) -> str:
    """Write a duration for people."""
    if seconds is None:
        return ""
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    minutes, rest = divmod(seconds, 60)
    return f"{minutes:.0f} min {rest:.0f} s" if minutes else f"{rest:.1f} s"


def size(size_bytes: int) -> str:
    """Write a size for people."""
    if size_bytes < _KIB:
        return f"{size_bytes} B"
    if size_bytes < _KIB * _KIB:
        return f"{size_bytes / _KIB:.1f} KiB"
    return f"{size_bytes / _KIB / _KIB:.1f} MiB"


def usage(used: CellUsage | None) -> str:
    """Write what a cell used for people: peaks of memory, and how busy its GPUs were."""
    if used is None:
        return ""
    parts = [f"{size(used.peak_memory_bytes)} (+{size(used.memory_growth_bytes)})"]
    if used.peak_gpu_memory_bytes is not None:
        parts.append(f"GPU {size(used.peak_gpu_memory_bytes)}")
    if used.gpu_busy_percent is not None:
        parts.append(f"{used.gpu_busy_percent:.0f} % busy")
    return ", ".join(parts)


def standing(answers: Sequence[Approval], wanted: int) -> str:
    """Say in words how the review stands."""
    if any(a.decision is Decision.REJECTED for a in answers):
        return "rejected"
    if len(answers) >= wanted:
        return "approved" if answers else "no approval wanted"
    return f"{len(answers)} of {wanted} approvals"


def plural(count: int, noun: str) -> str:
    """Write a count with its noun."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"

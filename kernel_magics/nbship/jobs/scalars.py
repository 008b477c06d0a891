"""Texts of times, durations and bytes that lose nothing, and back.

Times with the name of a zone are written as RFC 9557 has it,
``2024-07-01T12:00:00+02:00[Europe/Berlin]``; the second of two equal readings of the clock
carries ``[_fold=1]``. Durations are written as ISO 8601 has them: ``P1DT30.5S``.
"""

from __future__ import annotations

import base64
import binascii
import re
from datetime import datetime, time, timedelta
from typing import Any

_SUFFIX = re.compile(r"\[([^\[\]]*)\]")
_ISO_DURATION = re.compile(
    r"(?P<sign>[+-]?)P(?:(?P<weeks>[0-9.]+)W)?(?:(?P<days>[0-9.]+)D)?"
    r"(?:T(?:(?P<hours>[0-9.]+)H)?(?:(?P<minutes>[0-9.]+)M)?(?:(?P<seconds>[0-9.]+)S)?)?"
)
_CLOCK = re.compile(
    r"(?:(?P<days>[+-]?[0-9]+) days?,? *)?(?P<hours>[0-9]+):(?P<minutes>[0-9]{2})"
    r"(?::(?P<seconds>[0-9]{2}(?:\.[0-9]{1,6})?))?"
)
_WORDS = re.compile(r"([0-9]+(?:\.[0-9]+)?) *(us|ms|min|[smhdw])")
_MICROSECONDS = {
    "us": 1, "ms": 1000, "s": 10**6, "m": 60 * 10**6, "min": 60 * 10**6,
    "h": 3600 * 10**6, "d": 86400 * 10**6, "w": 7 * 86400 * 10**6,
}  # fmt: skip
_UNITS = {"weeks": "w", "days": "d", "hours": "h", "minutes": "m", "seconds": "s"}


def time_text(value: datetime | time) -> str:
    """Write a time or a moment with its zone's name and its fold."""
    zone = getattr(value.tzinfo, "key", None)
    named = f"[{zone}]" if zone else ""
    return value.isoformat() + named + ("[_fold=1]" if value.fold else "")


def read_datetime(text: str) -> datetime:
    """Read what :func:`time_text` writes, and any ISO 8601 time.

    Raises
    ------
    ValueError
        If it is something else.
    """
    plain, zone, fold = _parts(text)
    value = datetime.fromisoformat(plain).replace(fold=fold)
    return value.replace(tzinfo=_zone(zone)) if zone else value


def read_time(text: str) -> time:
    """Read a time of day; raises what :func:`read_datetime` raises."""
    plain, zone, fold = _parts(text)
    value = time.fromisoformat(plain).replace(fold=fold)
    return value.replace(tzinfo=_zone(zone)) if zone else value


def _parts(text: str) -> tuple[str, str, int]:
    """Split a text into ISO 8601, the zone's name and the fold."""
    plain, _, _ = text.strip().partition("[")
    words = _SUFFIX.findall(text.strip()[len(plain) :])
    fold = int("_fold=1" in words)
    return plain, next((word for word in words if word != "_fold=1"), ""), fold


def _zone(name: str) -> Any:  # noqa: ANN401  # a ZoneInfo
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, OSError) as error:
        raise ValueError(f"no time zone {name!r}") from error


def duration_text(value: timedelta) -> str:
    """Write a duration as ISO 8601 has it, exact to the microsecond."""
    sign = "-" if value < timedelta() else ""
    days, rest = divmod(abs(_microseconds(value)), 86400 * 10**6)
    seconds, micro = divmod(rest, 10**6)
    fraction = f".{micro:06}".rstrip("0") if micro else ""
    return f"{sign}P{days}D" + (f"T{seconds}{fraction}S" if rest else "")


def _microseconds(value: timedelta) -> int:
    return (value.days * 86400 + value.seconds) * 10**6 + value.microseconds


def read_duration(text: str) -> timedelta:
    """Read ``P1DT2H``, ``1:30:00``, ``2 days, 3:00:00``, ``90s`` or ``1h 30min``.

    Raises
    ------
    ValueError
        If it is something else, or a number without its unit.
    """
    text = text.strip()
    if match := _ISO_DURATION.fullmatch(text):
        parts = {n: t for n, t in match.groupdict().items() if n != "sign" and t}
        if parts:
            return _duration(parts, is_negative=match["sign"] == "-")
    whole = _CLOCK.fullmatch(text)
    if match := whole or _CLOCK.fullmatch(text.removeprefix("-")):
        parts = {n: t for n, t in match.groupdict().items() if t}
        return _duration(parts, is_negative=whole is None)
    pairs = _WORDS.findall(text.lstrip("+-"))
    if pairs and not _WORDS.sub("", text.lstrip("+-")).strip():
        found = sum(_exact(number, _MICROSECONDS[unit]) for number, unit in pairs)
        return _limited(-found if text.startswith("-") else found)
    raise ValueError("a duration such as 90s, 1:30:00 or P1DT12H was expected")


def _duration(parts: dict[str, str], *, is_negative: bool) -> timedelta:
    found = sum(_exact(t, _MICROSECONDS[_UNITS[n]]) for n, t in parts.items())
    return _limited(-found if is_negative else found)


def _exact(number: str, unit: int) -> int:
    from fractions import Fraction

    return round(Fraction(number) * unit)


def _limited(microseconds: int) -> timedelta:
    try:
        return timedelta(microseconds=microseconds)
    except OverflowError:
        raise ValueError("the duration is too long") from None


def bytes_text(value: bytes) -> str:
    """Write bytes as base64."""
    return base64.b64encode(value).decode("ascii")


def read_base64(text: str) -> bytes:
    """Read base64.

    Raises
    ------
    ValueError
        If it is something else.
    """
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise ValueError("base64 was expected") from None

"""Bounds of values: numbers and times between limits, lengths, patterns."""

from __future__ import annotations

import re
from datetime import date, time, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from nbship.jobs.encoding import decode_any
from nbship.jobs.literals import NumpyScalar

if TYPE_CHECKING:
    from nbship.records.parameters import Bounds


def check_bounds(bounds: Bounds, value: Any) -> None:  # noqa: ANN401
    """Refuse what lies beyond the bounds.

    Raises
    ------
    ValueError
        If it does; the message names the bound.
    """
    if isinstance(value, NumpyScalar):
        value = value.value
    expected = [word for word, is_kept in _asked(bounds, value) if not is_kept]
    if expected:
        raise ValueError(f"{' and '.join(expected)} was expected")


def bounds_text(bounds: Bounds) -> str:
    """Write bounds for people, such as ``above 0, at most 1``."""
    words = [_low_words(bounds)] if bounds.low is not None else []
    words += [_high_words(bounds)] if bounds.high is not None else []
    if bounds.multiple_of is not None:
        words.append(f"a multiple of {bounds.multiple_of}")
    if bounds.min_length:
        words.append(f"at least {bounds.min_length} long")
    if bounds.max_length is not None:
        words.append(f"at most {bounds.max_length} long")
    if bounds.pattern:
        words.append(f"like {bounds.pattern}")
    return ", ".join(words)


def _low_words(bounds: Bounds) -> str:
    return f"{'above' if bounds.excludes_low else 'at least'} {decode_any(bounds.low)}"


def _high_words(bounds: Bounds) -> str:
    return f"{'below' if bounds.excludes_high else 'at most'} {decode_any(bounds.high)}"


def _asked(bounds: Bounds, value: Any) -> list[tuple[str, bool]]:  # noqa: ANN401
    asked: list[tuple[str, bool]] = []
    if isinstance(value, (int, float, Decimal, date, time, timedelta)):
        asked += _limits(bounds, value)
    if hasattr(value, "__len__"):
        length = len(value)
        is_short = bounds.min_length is not None and length < bounds.min_length
        is_long = bounds.max_length is not None and length > bounds.max_length
        asked.append((f"a length of at least {bounds.min_length}", not is_short))
        asked.append((f"a length of at most {bounds.max_length}", not is_long))
    if bounds.pattern and isinstance(value, str):
        asked.append((f"text like {bounds.pattern}", _matches(bounds.pattern, value)))
    return asked


def _limits(bounds: Bounds, value: Any) -> list[tuple[str, bool]]:  # noqa: ANN401
    asked = []
    try:
        if bounds.low is not None:
            low = decode_any(bounds.low)
            is_kept = low < value if bounds.excludes_low else low <= value
            asked.append((_low_words(bounds), is_kept))
        if bounds.high is not None:
            high = decode_any(bounds.high)
            is_kept = value < high if bounds.excludes_high else value <= high
            asked.append((_high_words(bounds), is_kept))
    except TypeError:  # of another type, or a time without its zone
        asked.append(("a value that the bounds can be compared with", False))
    if bounds.multiple_of is not None and type(value) in {int, float}:
        asked.append(
            (
                f"a multiple of {bounds.multiple_of}",
                _is_multiple(value, bounds.multiple_of),
            )
        )
    return asked


def _is_multiple(value: float, of: float) -> bool:
    try:
        return not Decimal(repr(value)) % Decimal(repr(of))  # 0.3 is a multiple of 0.1
    except ArithmeticError:
        return False


def _matches(pattern: str, text: str) -> bool:
    try:
        return re.search(pattern, text) is not None
    except re.error:  # of another dialect: nothing can be said
        return True

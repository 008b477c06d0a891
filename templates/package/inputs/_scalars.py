"""Check one value of one dtype; see ``_checks``."""

from __future__ import annotations

import datetime as dt
import math
from typing import TYPE_CHECKING, Any

from ._problems import CATEGORY, TYPE

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_TRUTH = {"true": True, "1": True, "false": False, "0": False}
_DATES: dict[str, Any] = {"date": dt.date, "datetime": dt.datetime}
_SHOWN = 10


class WrongError(Exception):
    """A scalar does not fit; the arguments are the word of ``_problems`` and what was expected."""


def scalar_of(  # noqa: PLR0911  # one line a dtype
    dtype: str,
    *,
    form: str,
    limits: tuple[float, float] | None,
    categories: Sequence[Any],
    is_closed: bool,
) -> Callable[[Any, bool], Any]:
    """Return what checks and converts a scalar: a function of the value, and of whether it is text.

    It raises ``WrongError``, or any of the errors of a failed conversion.

    Parameters
    ----------
    dtype
        As the signature has it.
    form
        ``date``, ``datetime`` or ``timestamp`` for a date that is no column of a frame;
        ``number`` where whole numbers and others were passed.
    limits
        Lowest and highest value that were seen or declared.
    categories
        Known values.
    is_closed
        Whether no other value is taken.
    """
    lower = dtype.lower()
    if lower.startswith("float"):
        return _number if form == "number" else _float
    if lower.startswith(("int", "uint")):
        return _whole_of(lower, limits)
    if lower.startswith("bool"):
        return _bool
    if is_closed and categories:
        return _category_of(categories)
    if lower == "string":
        return _text
    if lower == "opaque":
        return _nothing
    return _date_of(form) if lower.startswith("datetime64") else _any


def range_text(low: float, high: float) -> str:
    """Write a range for people."""
    if low == -math.inf:
        return f"up to {high:g}"
    return f"from {low:g}" if high == math.inf else f"{low:g} to {high:g}"


def limits_of(column: dict[str, Any]) -> tuple[float, float] | None:
    """Return the lowest and highest value of a column; None where none is known."""
    low, high = column.get("minimum"), column.get("maximum")
    if low is None and high is None:
        return None
    return (-math.inf if low is None else low, math.inf if high is None else high)


def _nothing(value: Any, _is_text: bool) -> Any:  # noqa: FBT001
    raise TypeError(value)  # JSON cannot hold what is wanted


def _float(value: Any, is_text: bool) -> float:  # noqa: FBT001  # called for every cell
    if type(value) is float:
        return value
    if type(value) is int or (is_text and type(value) is not bool):
        return float(value)
    raise TypeError(value)


def _number(value: Any, is_text: bool) -> float:  # noqa: FBT001
    # whole numbers stay whole where the notebook passed both
    if type(value) in {int, float}:
        number: float = value
        return number
    if is_text:
        return float(value)
    raise TypeError(value)


def _whole_of(dtype: str, limits: Any) -> Callable[[Any, bool], int]:
    bits = int("".join(filter(str.isdigit, dtype)) or 64)
    half: int = 2 ** (bits - 1)
    low, high = (0, 2 * half - 1) if dtype[0] == "u" else (-half, half - 1)
    if limits is not None and bits == 64:  # noqa: PLR2004  # Python's own have no width
        low, high = min(low, limits[0]), max(high, limits[1])

    def whole(value: Any, is_text: bool) -> int:  # noqa: FBT001
        number = value if type(value) is int else _as_whole(value, is_text=is_text)
        if not low <= number <= high:
            raise WrongError(TYPE, f"{dtype}, {low} to {high},")
        return number

    return whole


def _as_whole(value: Any, *, is_text: bool) -> int:
    if is_text and isinstance(value, str):
        return int(value)
    if type(value) is float and value.is_integer():
        return int(value)
    if hasattr(value, "dtype") and int(value) == value:
        return int(value)
    raise TypeError(value)


def _bool(value: Any, is_text: bool) -> bool:  # noqa: FBT001
    if type(value) is bool:
        return value
    if is_text:
        return _TRUTH[str(value).lower()]
    raise TypeError(value)


def _text(value: Any, _is_text: bool) -> str:  # noqa: FBT001
    if isinstance(value, str):
        return value
    raise TypeError(value)


def _any(value: Any, _is_text: bool) -> Any:  # noqa: FBT001
    return value


def _category_of(categories: Sequence[Any]) -> Callable[[Any, bool], Any]:
    known = dict(zip(categories, categories, strict=True))
    by_text = {str(item): item for item in known}
    listed = ", ".join(map(repr, list(known)[:_SHOWN]))
    listed += ", …" if len(known) > _SHOWN else ""

    def category(value: Any, is_text: bool) -> Any:  # noqa: FBT001
        if value in known:  # a list is unhashable: a TypeError, another type
            return known[value]
        if is_text and value in by_text:
            return by_text[value]
        raise WrongError(CATEGORY, listed)

    return category


def _date_of(form: str) -> Callable[[Any, bool], Any]:
    def date(value: Any, _is_text: bool) -> Any:  # noqa: FBT001
        if not isinstance(value, str):
            if isinstance(value, dt.date):
                return value
            raise TypeError(value)
        if form in _DATES:
            return _DATES[form].fromisoformat(value)
        dt.datetime.fromisoformat(value)
        if form != "timestamp":
            return value
        import pandas as pd

        return pd.Timestamp(value)

    return date

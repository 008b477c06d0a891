"""Numbers as they were printed: how far two may lie apart and still be one."""

from __future__ import annotations

import math
import re

#: relative tolerance where a cell says nothing else (``mlops:rtol=1e-3``)
DEFAULT_RTOL = 1e-6

_PRINTED = re.compile(
    r"[-+]?(?P<whole>\d*)(?:\.(?P<rest>\d*))?(?:[eE](?P<exp>[-+]?\d+))?"
)


def last_digit(text: str) -> float:
    """Return the worth of the last digit that was printed: 0.01 for ``3.14``."""
    found = _PRINTED.fullmatch(text)
    if found is None:
        return 0.0
    exponent = int(found["exp"] or 0) - len(found["rest"] or "")
    return 10.0 ** max(-320, min(exponent, 308))


def is_whole(text: str) -> bool:
    """Tell whether a number was printed as an integer."""
    return not set(text) & set(".eE")


def limit(a: str, b: str, *, rtol: float, atol: float = 0.0) -> float:
    """Return how far two printed numbers may lie apart.

    That is half of the finer last digit, ``rtol`` times the larger one, or ``atol``, whichever
    is most. Integers are exact: a count that differs by one has changed.
    """
    if is_whole(a) and is_whole(b) and rtol <= DEFAULT_RTOL:
        return atol
    half = 0.5 * min(last_digit(a), last_digit(b))
    largest = max(abs(float(a)), abs(float(b)))
    return max(half * (1 + 1e-9), rtol * largest, atol)


def distance(a: str, b: str) -> float:
    """Return how far two printed numbers lie apart; infinite where one is no finite number."""
    x, y = float(a), float(b)
    if x == y or (math.isnan(x) and math.isnan(y)):
        return 0.0
    gap = abs(x - y)
    return gap if math.isfinite(gap) else math.inf


def relative(a: str, b: str) -> float:
    """Return the distance of two printed numbers as a part of the larger one."""
    gap, largest = distance(a, b), max(abs(float(a)), abs(float(b)))
    return gap / largest if gap and largest else gap

"""Metrics as callers hand them over, made plain numbers."""

from __future__ import annotations

from numbers import Real
from typing import TYPE_CHECKING, Any

from nbship.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

DIRECTIONS = ("maximize", "minimize")


def numbers_of(metrics: Mapping[str, Any], *, direction: str = "") -> dict[str, float]:
    """Turn the values of metrics into floats.

    Python's numbers, and scalars of numpy or torch, are taken.

    Parameters
    ----------
    metrics
        Values by the metric's name.
    direction
        ``maximize``, ``minimize`` or "".

    Raises
    ------
    UsageError
        If values are no numbers, all named together, or the direction is another word.
    """
    numbers: dict[str, float] = {}
    mistakes = []
    for name, value in metrics.items():
        try:
            numbers[str(name)] = _number(value)
        except (TypeError, ValueError, OverflowError):
            mistakes.append(
                f"metric {name!r} is {_short(value)} ({type(value).__name__}), a number was expected"
            )
    if direction and direction not in DIRECTIONS:
        mistakes.append(
            f"direction is {direction!r}, maximize or minimize was expected"
        )
    if mistakes:
        raise UsageError(
            "log: " + "; ".join(mistakes), hint="Log numbers: `loss=0.3`, `loss=loss`."
        )
    return numbers


def _number(value: Any) -> float:  # noqa: ANN401  # whatever a notebook holds
    if isinstance(value, (Real, bool)):
        return float(value)
    if isinstance(value, (str, bytes)):
        raise TypeError
    item = getattr(value, "item", None)
    return float(item() if callable(item) else value)


def _short(value: Any) -> str:  # noqa: ANN401  # whatever a notebook holds
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."  # noqa: PLR2004  # one line

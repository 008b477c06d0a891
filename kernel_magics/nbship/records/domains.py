"""What a sweep may set one parameter to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, kw_only=True, slots=True)
class Domain:
    """The values of one parameter in a search space: listed, or a range."""

    name: str
    #: as it was written behind ``-p name=``
    text: str
    #: JSON values in their order; empty where the range is continuous, or too long to list
    values: tuple[Any, ...] = ()
    #: first number of a range; None where values were listed
    low: int | float | None = None
    #: last number of a range, part of it; None where values were listed
    high: int | float | None = None
    #: distance between two values of a range; None where it has none
    step: int | float | None = None
    #: True where equal shares of a range are equal ratios
    is_log: bool = False
    #: True where a range holds whole numbers alone
    is_whole: bool = False

    @property
    def is_finite(self) -> bool:
        """True where ``values`` lists every value."""
        return bool(self.values)

    @property
    def is_range(self) -> bool:
        """True where the text was ``low..high``."""
        return self.low is not None

"""What tags of a cell ask of a comparison: ``mlops:rtol=1e-3``, ``mlops:noise``."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nbship.errors import JobError
from nbship.vetting.comparison.numbers import DEFAULT_RTOL

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nbship.records.notebook import Cell

_OURS = "mlops:"
_RTOL = "mlops:rtol="
_NOISE = "mlops:noise"
_HINT = (
    "Tags of ours are `mlops:rtol=1e-3` (relative tolerance of the cell's numbers) and"
    " `mlops:noise` (its outputs are not compared)."
)


@dataclass(frozen=True, kw_only=True, slots=True)
class CellTags:
    """What a cell's tags ask."""

    rtol: float = DEFAULT_RTOL
    #: its outputs are not compared
    is_noise: bool = False


def read_tags(cells: Iterable[Cell], *, where: str) -> dict[str, CellTags]:
    """Read the tags of ours, by cell id.

    Raises
    ------
    JobError
        If a tag that begins with ``mlops:`` is none of ours; all are named together.
    """
    mistakes: list[str] = []
    found = {cell.id: _tags_of(cell, mistakes) for cell in cells}
    if mistakes:
        raise JobError(f"{where}: {'; '.join(mistakes)}", hint=_HINT)
    return found


def _tags_of(cell: Cell, mistakes: list[str]) -> CellTags:
    rtol, is_noise = DEFAULT_RTOL, False
    for tag in (tag for tag in cell.tags if tag.startswith(_OURS)):
        if tag == _NOISE:
            is_noise = True
        elif (number := _rtol(tag)) is not None:
            rtol = number
        else:
            mistakes.append(f"cell {cell.id} has the unknown tag {tag!r}")
    return CellTags(rtol=rtol, is_noise=is_noise)


def _rtol(tag: str) -> float | None:
    try:
        number = float(tag.removeprefix(_RTOL)) if tag.startswith(_RTOL) else -1.0
    except ValueError:
        return None
    return number if number >= 0 and math.isfinite(number) else None

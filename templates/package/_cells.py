"""Which notebook cell a line of ``model.py`` was cut from, for tracebacks and messages."""

from __future__ import annotations

import functools
import linecache
import traceback
from typing import TYPE_CHECKING, Any

from . import _about

if TYPE_CHECKING:
    from types import TracebackType

_MODEL = str(_about.FOLDER / "model.py")


def place_of(error: BaseException) -> str:
    """Name the innermost line of the notebook that an error passed; "" where there is none.

    >>> place_of(ValueError("never raised"))
    ''
    """
    places = [
        frame["cell"] for frame in frames_of(error.__traceback__) if frame["cell"]
    ]
    return str(places[-1]) if places else ""


def frames_of(found: TracebackType | None) -> list[dict[str, Any]]:
    """List the frames of a traceback, each with its cell where it has one."""
    return [
        {
            "file": summary.filename.removeprefix(f"{_about.FOLDER.parent}/"),
            "line": summary.lineno,
            "function": summary.name,
            "text": linecache.getline(summary.filename, summary.lineno or 0).strip(),
            "cell": cell_of(summary.lineno or 0) if summary.filename == _MODEL else "",
        }
        for summary in traceback.extract_tb(found)
    ]


def cell_of(line: int) -> str:
    """Name the cell of a line of ``model.py``: ``cell fare-4, In[4], line 2``."""
    found = _source_map().get(str(line))
    if not found:
        return ""
    parts = [f"cell {found['cell_id']}"] if found.get("cell_id") else []
    if found.get("execution_count"):
        parts.append(f"In[{found['execution_count']}]")
    return ", ".join([*parts, f"line {found['line']}"])


def text_of(error: BaseException) -> str:
    """Write a traceback whose lines of ``model.py`` name their cells."""
    lines = ["Traceback (most recent call last):"]
    for frame in frames_of(error.__traceback__):
        cell = f" ({frame['cell']})" if frame["cell"] else ""
        place = (
            f'  File "{frame["file"]}", line {frame["line"]}, in {frame["function"]}'
        )
        lines.append(place + cell)
        lines += [f"    {frame['text']}"] if frame["text"] else []
    return "\n".join([*lines, f"{type(error).__name__}: {error}"])


@functools.cache
def _source_map() -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = _about.capture().get("source_map") or {}
    return found

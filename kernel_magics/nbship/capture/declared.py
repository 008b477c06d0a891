"""What a notebook's source declares: its experiment, and the names a cell sets."""

from __future__ import annotations

import ast
import re
from datetime import date
from enum import Enum
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_START_LINE = re.compile(
    r"^[ \t]*%mlops[ \t]+start[ \t]+(?P<name>\"[^\"]+\"|'[^']+'|[^\s-]\S*)",
    re.MULTILINE,
)


def declared_experiment(sources: Iterable[str]) -> str | None:
    """Return the experiment that a notebook's first ``%mlops start NAME`` names, else None.

    Parameters
    ----------
    sources
        The sources of the code cells, in document order.
    """
    for source in sources:
        if match := _START_LINE.search(source):
            return match["name"].strip("\"'")
    return None


def assigned_names(source: str) -> tuple[str, ...]:
    """List the names that a cell's own statements set, in order; none if it is no Python."""
    try:
        body = ast.parse(source).body
    except (SyntaxError, ValueError):
        return ()
    targets: list[ast.expr] = []
    for statement in body:
        if isinstance(statement, ast.Assign):
            targets += statement.targets
        elif isinstance(statement, ast.AnnAssign):
            targets.append(statement.target)
    names = (target.id for target in targets if isinstance(target, ast.Name))
    return tuple(dict.fromkeys(names))


def values_in(namespace: Mapping[str, Any], names: Iterable[str]) -> dict[str, Any]:
    """Read the values of these names as JSON values; names that are not set are left out."""
    return {
        name: json_value(namespace[name])
        for name in names
        if name in namespace and not name.startswith("_")
    }


def json_value(value: Any) -> Any:  # noqa: ANN401, PLR0911  # one line a kind of value
    """Turn a parameter's value into JSON; what JSON cannot say becomes its ``repr``, cut at 500."""
    if isinstance(value, Enum):
        return json_value(value.value)
    if value is None or type(value) in {bool, int, float, str}:
        return value
    if isinstance(value, (list, tuple)):
        return [json_value(item) for item in value]
    if isinstance(value, dict):
        return {str(key): json_value(item) for key, item in value.items()}
    if isinstance(value, PurePath):
        return str(value)
    if isinstance(value, date):
        return value.isoformat()
    item = getattr(value, "item", None)  # scalars of numpy and torch
    if callable(item) and getattr(value, "ndim", None) == 0:
        return json_value(item())
    return repr(value)[:500]

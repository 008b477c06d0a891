"""Which way a metric is better, as the notebook's own lines say; nothing is executed."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

from nbship.jobs.contract import without_magics

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_LOG_LINE = re.compile(r"^[ \t]*%mlops[ \t]+log[ \t]+(?P<words>.*)$", re.MULTILINE)
_DIRECTION = re.compile(r"--direction[ =](?P<direction>maximize|minimize)\b")


def declared_direction(sources: Iterable[str], metric: str) -> str:
    """Return the direction that a metric is logged with.

    Parameters
    ----------
    sources
        The sources of the code cells.
    metric
        Its name.

    Returns
    -------
    str
        ``maximize`` or ``minimize``; "" where no line says it, or lines disagree.
    """
    said = {text for source in sources for text in _said(source, metric)}
    return said.pop() if len(said) == 1 and said <= {"maximize", "minimize"} else ""


def _said(source: str, metric: str) -> Iterator[str]:
    names = re.compile(rf"(?:^|\s){re.escape(metric)}=")
    for line in _LOG_LINE.finditer(source):
        direction = _DIRECTION.search(line["words"])
        if direction and names.search(line["words"]):
            yield direction["direction"]
    try:
        tree = ast.parse(without_magics(source))
    except (SyntaxError, ValueError):
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and _is_log(node.func):
            given = {word.arg: word.value for word in node.keywords}
            said = given.get("direction")
            is_named = metric in given or metric in _keys(node.args)
            if is_named and isinstance(said, ast.Constant):
                yield str(said.value)


def _keys(arguments: list[ast.expr]) -> set[object]:
    """List the names of metrics that a call is given as a mapping."""
    keys = [k for node in arguments if isinstance(node, ast.Dict) for k in node.keys]
    return {key.value for key in keys if isinstance(key, ast.Constant)}


def _is_log(function: ast.expr) -> bool:
    """Tell whether this calls ``nbship.log``, under whatever name."""
    name = function.attr if isinstance(function, ast.Attribute) else ""
    return name == "log" or (isinstance(function, ast.Name) and function.id == "log")

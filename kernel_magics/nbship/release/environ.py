"""Environment variables: what code reads of them, and values that must stay one.

A password that a cell read from the environment is written as that very statement, so that the
package reads it where it runs; its value never travels.
"""

from __future__ import annotations

import ast
import os
from typing import TYPE_CHECKING, Any

from nbship.release.cells import binding_statements, passage_of
from nbship.release.imports import live_attribute
from nbship.release.naming import assigned_item

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nbship.release.closure import ClosureWalk
    from nbship.release.items import Item

#: stands for a variable whose name is computed
COMPUTED = "?"


def variables_of(text: str, walk: ClosureWalk) -> list[str]:
    """Name the environment variables that a statement reads; ``?`` for a computed name."""
    return list(dict.fromkeys(_reads(ast.parse(text), walk)))


def required_of(text: str, walk: ClosureWalk) -> list[str]:
    """Name the variables without which a statement fails, and that the notebook's kernel has.

    Those are read in brackets: ``os.environ["KEY"]``. One that the kernel lacks was not missed
    there, so that a replay does not need it either.
    """
    found = (
        _read_by(node, walk)
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Subscript)
    )
    live = os.environ  # the notebook's, as its objects are
    return list(dict.fromkeys(name for name in found if name and name in live))


def environment_item(name: str, walk: ClosureWalk) -> Item | None:
    """Write a value as the author's statement that reads it from the environment.

    Returns
    -------
    Item or None
        None where the latest statement that binds the name is another one.
    """
    for statement, cell in binding_statements(name, walk.cells):
        targets = getattr(statement, "targets", [])
        is_plain = len(targets) == 1 and getattr(targets[0], "id", "") == name
        value = getattr(statement, "value", None)
        if not is_plain or value is None or _read_by(value, walk) in {None, COMPUTED}:
            return None
        defaults = getattr(value, "args", [])[1:]
        if any(getattr(node, "value", node) not in {"", None} for node in defaults):
            return None  # a default in the text would travel
        return assigned_item(name, passage_of(statement, cell))
    return None


def _reads(tree: ast.AST, walk: ClosureWalk) -> Iterator[str]:
    for node in ast.walk(tree):
        found = _read_by(node, walk)
        if found is not None:
            yield found


def _read_by(node: ast.AST, walk: ClosureWalk) -> str | None:
    """Name the variable that an expression reads; None where it reads none."""
    if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Load):
        is_environ = live_attribute(walk, node.value) is os.environ
        return _text(node.slice) if is_environ else None
    if isinstance(node, ast.Call):
        called, owner = live_attribute(walk, node.func), None
        if isinstance(node.func, ast.Attribute) and node.func.attr == "get":
            owner = live_attribute(walk, node.func.value)
        if (called is os.getenv or owner is os.environ) and node.args:
            return _text(node.args[0])
    return None


def _text(node: ast.expr) -> str:
    value: Any = (
        getattr(node, "value", None) if isinstance(node, ast.Constant) else None
    )
    return value if isinstance(value, str) else COMPUTED

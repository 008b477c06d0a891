"""Values that stand in source text, as JSON values; nothing is executed."""

from __future__ import annotations

import ast
import math
import operator
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from nbship.records.parameters import ParameterKind

if TYPE_CHECKING:
    from collections.abc import Callable

_NAMED = {"nan": math.nan, "inf": math.inf, "NaN": math.nan, "Inf": math.inf}
_OPERATIONS: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
}


class NotLiteralError(ValueError):
    """An expression whose value only execution could tell, or that JSON cannot hold."""


def literal(node: ast.expr) -> Any:  # noqa: ANN401, PLR0911  # one line a kind of node
    """Return the JSON value of an expression.

    Dates become ISO 8601 strings, paths become strings, tuples become lists.

    Raises
    ------
    NotLiteralError
        If the expression is no literal, or its value has no place in JSON.
    """
    if isinstance(node, ast.Constant):
        return _constant(node)
    if isinstance(node, ast.UnaryOp):
        return _signed(node)
    if isinstance(node, ast.BinOp):
        return _computed(node)
    if isinstance(node, (ast.List, ast.Tuple)):
        return [_inner(item) for item in node.elts]
    if isinstance(node, ast.Dict):
        return _mapping(node)
    if isinstance(node, ast.Attribute) and node.attr in _NAMED:
        return _NAMED[node.attr]
    if isinstance(node, ast.Call):
        return _call(node)[1]
    raise NotLiteralError(ast.unparse(node))


def kind_of(node: ast.expr) -> ParameterKind:
    """Infer a parameter's kind from its default; ``ANY`` where nothing can be said."""
    try:
        if isinstance(node, ast.Call):
            return _call(node)[0]
        value = literal(node)
    except NotLiteralError:
        return ParameterKind.ANY
    if isinstance(node, ast.Tuple) or value is None:
        return ParameterKind.ANY
    return ParameterKind(type(value).__name__)


def _constant(node: ast.Constant) -> Any:  # noqa: ANN401
    if node.value is None or isinstance(node.value, (bool, int, float, str)):
        return node.value
    raise NotLiteralError(ast.unparse(node))


def _signed(node: ast.UnaryOp) -> Any:  # noqa: ANN401
    value = literal(node.operand)
    if isinstance(node.op, ast.Not) and isinstance(value, bool):
        return not value
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        if isinstance(node.op, ast.USub):
            return -value
        if isinstance(node.op, ast.UAdd):
            return value
    raise NotLiteralError(ast.unparse(node))


def _computed(node: ast.BinOp) -> int | float:
    operation = _OPERATIONS.get(type(node.op))
    left, right = literal(node.left), literal(node.right)
    numbers = all(type(value) in {int, float} for value in (left, right))
    if operation is None or not numbers:
        raise NotLiteralError(ast.unparse(node))
    try:
        result = operation(left, right)
    except ArithmeticError as error:
        raise NotLiteralError(ast.unparse(node)) from error
    return result if isinstance(result, int) else float(result)


def _mapping(node: ast.Dict) -> dict[str, Any]:
    found = {}
    for key, value in zip(node.keys, node.values, strict=True):
        name = literal(key) if key is not None else None
        if not isinstance(name, str):
            raise NotLiteralError(ast.unparse(node))
        found[name] = _inner(value)
    return found


def _inner(node: ast.expr) -> Any:  # noqa: ANN401
    value = literal(node)
    if isinstance(value, float) and not math.isfinite(value):
        raise NotLiteralError(ast.unparse(node))  # JSON has no number for it
    return value


def _call(node: ast.Call) -> tuple[ParameterKind, Any]:
    """Read ``Path("a")``, ``date(2024, 1, 2)``, ``datetime(...)``, ``float("nan")``.

    Raises
    ------
    NotLiteralError
        If it is another call.
    """
    word = ast.unparse(node.func).rpartition(".")[2]
    if node.keywords:
        raise NotLiteralError(ast.unparse(node))
    arguments = [literal(argument) for argument in node.args]
    try:
        if word in {"Path", "PosixPath", "PurePath"} and arguments:
            return ParameterKind.PATH, "/".join(map(_text, arguments))
        if word == "date":
            return ParameterKind.DATE, date(*arguments).isoformat()
        if word == "datetime":
            return ParameterKind.DATETIME, datetime(*arguments).isoformat()  # noqa: DTZ001  # as the notebook wrote it
        if word == "float" and len(arguments) == 1:
            return ParameterKind.FLOAT, float(arguments[0])
    except (TypeError, ValueError, OverflowError) as error:
        raise NotLiteralError(ast.unparse(node)) from error
    raise NotLiteralError(ast.unparse(node))


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is no part of a path")
    return value

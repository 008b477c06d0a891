"""Statements of the author that make a value from literals by calls that do nothing else.

``PLACES = re.compile(r"[0-9]+")``, ``AS_OF = date(2026, 6, 30)``, ``STOP = frozenset({"a", "of"})``:
such a statement can stand in the package as it is, with its comment.
"""

from __future__ import annotations

import ast
import builtins
import collections
import datetime as dt
import decimal
import fractions
import operator
import pathlib
import re
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

#: calls whose answer rests on their arguments alone
_PURE: tuple[Any, ...] = (
    *(re.compile, decimal.Decimal, fractions.Fraction, pathlib.Path),
    *(dt.date, dt.datetime, dt.time, dt.timedelta, dt.timezone),
    *(dt.date.fromisoformat, dt.datetime.fromisoformat),
    *(bool, bytes, complex, dict, float, frozenset, int, list, range, set, str, tuple),
    *(collections.OrderedDict, collections.Counter),
)
#: the same, of libraries that need not be installed
_PURE_OF_LIBRARIES = (("pandas", "Timestamp"), ("pandas", "Timedelta"))
_TEXT_METHODS = ("lower", "split", "splitlines", "strip", "upper")
_ARITHMETIC: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.BitOr: operator.or_,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.Mult: operator.mul,
    ast.Sub: operator.sub,
}


class NotPlainError(Exception):
    """An expression holds more than literals and calls that only make values."""


def made_from_literals(node: ast.expr, lookup: Callable[[str], Any]) -> Any:  # noqa: ANN401
    """Evaluate an expression of literals and calls that do nothing but make a value.

    Parameters
    ----------
    node
        The right side of an assignment.
    lookup
        Returns what a name of the notebook is bound to.

    Raises
    ------
    NotPlainError
        If anything else stands in it, or a call fails.
    """
    try:
        return _made(node, lookup)
    except (ArithmeticError, AttributeError, LookupError) as error:
        raise NotPlainError(ast.unparse(node)) from error
    except (RecursionError, TypeError, ValueError, re.error) as error:
        raise NotPlainError(ast.unparse(node)) from error


def _made(node: ast.expr, lookup: Callable[[str], Any]) -> Any:  # noqa: ANN401, PLR0911  # one line a kind
    if isinstance(node, ast.Constant):
        return node.value
    if isinstance(node, ast.Tuple):
        return tuple(_made(item, lookup) for item in node.elts)
    if isinstance(node, ast.List):
        return [_made(item, lookup) for item in node.elts]
    if isinstance(node, ast.Set):
        return {_made(item, lookup) for item in node.elts}
    if isinstance(node, ast.Dict) and None not in node.keys:
        keys = [_made(key, lookup) for key in node.keys if key is not None]
        return dict(
            zip(keys, (_made(item, lookup) for item in node.values), strict=True)
        )
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        return -_number(_made(node.operand, lookup))
    if isinstance(node, ast.BinOp) and type(node.op) in _ARITHMETIC:
        left, right = (_number(_made(n, lookup)) for n in (node.left, node.right))
        return _ARITHMETIC[type(node.op)](left, right)
    if isinstance(node, ast.Call):
        return _called(node, lookup)
    return _number(_named(node, lookup))


def _number(value: Any) -> Any:  # noqa: ANN401
    if not isinstance(value, (int, float, complex)):
        raise NotPlainError(type(value).__name__)
    return value


def _called(node: ast.Call, lookup: Callable[[str], Any]) -> Any:  # noqa: ANN401
    if any(word.arg is None for word in node.keywords):
        raise NotPlainError("**")
    given = [_made(argument, lookup) for argument in node.args]
    named = {str(word.arg): _made(word.value, lookup) for word in node.keywords}
    function = node.func
    if isinstance(function, ast.Attribute) and function.attr in _TEXT_METHODS:
        text = _made(function.value, lookup)
        if not isinstance(text, str):
            raise NotPlainError(function.attr)
        return getattr(text, function.attr)(*given, **named)
    found = _named(function, lookup)
    if not _is_pure(found):
        raise NotPlainError(ast.unparse(function))
    return found(*given, **named)


def _is_pure(function: Any) -> bool:  # noqa: ANN401
    of_libraries = (
        getattr(sys.modules.get(module), name, None)
        for module, name in _PURE_OF_LIBRARIES
    )
    return any(function == known for known in (*_PURE, *of_libraries) if known)


def _named(node: ast.expr, lookup: Callable[[str], Any]) -> Any:  # noqa: ANN401
    """Return what ``a`` or ``a.b.c`` stands for, through modules and classes alone.

    Raises
    ------
    NotPlainError
        If it is reached in another way.
    """
    if isinstance(node, ast.Attribute):
        owner = _named(node.value, lookup)
        if not isinstance(owner, (type, type(sys))):
            raise NotPlainError(node.attr)
        return getattr(owner, node.attr)
    if not isinstance(node, ast.Name):
        raise NotPlainError(ast.unparse(node))
    found = lookup(node.id)
    if not isinstance(found, (type, type(sys))) and not callable(found):
        found = getattr(builtins, node.id)
    return found

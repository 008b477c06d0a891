"""The type of a parameter without annotation, inferred from its default.

Whole numbers and floats stand in for each other; the items of a list, set or tuple and the values
of a dict have a type where all have the same one, else they may be anything.
"""

from __future__ import annotations

import ast
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from pathlib import PurePath, PurePosixPath, PureWindowsPath
from typing import TYPE_CHECKING, Any

from nbship.jobs.annotations import enum_type
from nbship.jobs.kinds import ANYTHING, INTEGER, REAL, type_text, union
from nbship.jobs.literals import Member, NumpyScalar
from nbship.records.parameters import ParameterKind as K
from nbship.records.parameters import ParameterType

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nbship.jobs.scope import Scope

#: what a number's default allows
NUMBER = union([INTEGER, REAL])
_SCALARS: tuple[tuple[type, K], ...] = (
    (bool, K.BOOL),
    (complex, K.COMPLEX),
    (str, K.STR),
    (bytes, K.BYTES),
    (datetime, K.DATETIME),
    (date, K.DATE),
    (time, K.TIME),
    (timedelta, K.TIMEDELTA),
    (Decimal, K.DECIMAL),
)


def inferred_type(value: Any, node: ast.expr, scope: Scope) -> ParameterType:  # noqa: ANN401
    """Infer the type from a default.

    Parameters
    ----------
    value
        The default.
    node
        Its source, which names the class that makes it.
    scope
        The Enum classes of the notebook.
    """
    return _type(value, _maker(node, scope), scope)


def _maker(node: ast.expr, scope: Scope) -> str:
    if isinstance(node, ast.BinOp):  # Path("a") / "b"
        return _maker(node.left, scope)
    if not isinstance(node, ast.Call):
        return ""
    made = node.func
    if isinstance(made, ast.Attribute) and made.attr == "fromisoformat":
        made = made.value
    return ast.unparse(made)


def _type(value: Any, maker: str, scope: Scope) -> ParameterType:  # noqa: ANN401, C901, PLR0911  # one line a kind
    match value:
        case bool():
            return ParameterType(kind=K.BOOL)
        case int() | float():
            return NUMBER
        case Member():
            return enum_type(value.maker, scope.enums[value.maker], scope)
        case NumpyScalar():
            return ParameterType(kind=K.NUMPY, class_name=value.class_name, maker=maker)
        case PurePath():
            name = _path_class(value)
            return ParameterType(kind=K.PATH, class_name=name, maker=maker)
        case list() | set() | frozenset():
            kind = K(type(value).__name__)
            return ParameterType(kind=kind, items=_common(value, scope))
        case tuple():
            items = _common(value, scope)
            if items and items[0].kind is not K.ANY:
                return ParameterType(kind=K.TUPLE, items=items, is_open=True)
            each = tuple(_type(item, "", scope) for item in value)
            return ParameterType(kind=K.TUPLE, items=each)
        case dict():
            keys, items = _common(value, scope), _common(value.values(), scope)
            return ParameterType(kind=K.DICT, items=(*keys, *items))
        case _:
            pass
    for made, own in _SCALARS:
        if isinstance(value, made):
            return ParameterType(kind=own, maker=maker)
    return ANYTHING


def _path_class(value: PurePath) -> str:
    if isinstance(value, PureWindowsPath):
        return "PureWindowsPath"
    return "PurePosixPath" if type(value) is PurePosixPath else "Path"


def _common(values: Iterable[Any], scope: Scope) -> tuple[ParameterType, ...]:
    """Return the one type of all items; of no item nothing is said."""
    found = {type_text(kind): kind for kind in (_type(v, "", scope) for v in values)}
    return tuple(found.values()) if len(found) == 1 else (ANYTHING,) * bool(found)


def inferred_text(value: Any, kind: ParameterType) -> str:  # noqa: ANN401
    """Write an inferred type for people; numbers as the default has them."""
    if kind == NUMBER:
        return type(value).__name__
    if isinstance(value, dict) and kind.items:
        key = inferred_text(next(iter(value)), kind.items[0])
        return f"dict[{key}, {_item_text(list(value.values()), kind.items[1])}]"
    if isinstance(value, (list, set, frozenset)) and kind.items:
        return f"{type(value).__name__}[{_item_text(list(value), kind.items[0])}]"
    if isinstance(value, tuple) and kind.items:
        if kind.is_open:
            return f"tuple[{_item_text(list(value), kind.items[0])}, ...]"
        pairs = zip(value, kind.items, strict=True)
        return f"tuple[{', '.join(inferred_text(v, k) for v, k in pairs)}]"
    return type_text(kind)


def _item_text(values: list[Any], kind: ParameterType) -> str:
    if kind == NUMBER:
        return "float" if any(type(value) is float for value in values) else "int"
    return inferred_text(values[0], kind)

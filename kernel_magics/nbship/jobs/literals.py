"""Values that stand in source text, as Python values; nothing of it is executed."""

from __future__ import annotations

import ast
import builtins
import math
import operator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal, InvalidOperation
from pathlib import Path, PurePath, PurePosixPath, PureWindowsPath
from typing import TYPE_CHECKING, Any

from nbship.jobs.scope import Scope

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

#: words of numpy's scalars
NUMPY_SCALARS = frozenset(
    {
        "int8", "int16", "int32", "int64", "intc", "intp", "int_", "longlong", "short", "byte",
        "uint8", "uint16", "uint32", "uint64", "uintc", "uintp", "uint", "ulonglong",
        "float16", "float32", "float64", "longdouble", "half", "single", "double",
        "complex64", "complex128", "bool_", "str_", "bytes_",
    }
)  # fmt: skip
_BIGGEST_POWER, _MOST_BITS = 1024, 65536
_NAMED = {
    "nan": math.nan,
    "inf": math.inf,
    "NaN": math.nan,
    "Inf": math.inf,
    "pi": math.pi,
}
_NUMBERS = (int, float, complex, timedelta, Decimal)
_OPERATIONS: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.Pow: operator.pow,
    ast.LShift: operator.lshift,
}


class NotLiteralError(ValueError):
    """An expression whose value only execution could tell."""


@dataclass(frozen=True, slots=True)
class Member:
    """A member of an Enum that the notebook, not nbship, has."""

    #: the class as the notebook names it
    maker: str
    name: str


@dataclass(frozen=True, slots=True)
class NumpyScalar:
    """A scalar of numpy; its value is one of Python's."""

    #: such as ``float32``, or ``datetime64[ns]`` with a whole number as value
    class_name: str
    value: Any


def literal(
    node: ast.expr,
    scope: Scope | None = None,
    names: Mapping[str, Any] | None = None,
) -> Any:  # noqa: ANN401
    """Return the value of an expression.

    Parameters
    ----------
    node
        The expression.
    scope
        What names stand for.
    names
        Values of bare names, such as ``nan`` in a text.

    Raises
    ------
    NotLiteralError
        If only execution could tell the value.
    """
    reader = _Reader(scope or Scope(), names or {})
    try:
        return reader.read(node)
    except NotLiteralError:
        raise
    except (ArithmeticError, LookupError, TypeError, ValueError) as error:
        raise NotLiteralError(ast.unparse(node)) from error


class _Reader:
    def __init__(self, scope: Scope, names: Mapping[str, Any]) -> None:
        self._scope = scope
        self._names = names

    def read(self, node: ast.expr) -> Any:  # noqa: ANN401, C901, PLR0911  # one line a kind of node
        match node:
            case ast.Constant(value=value) if value is not Ellipsis:
                return value
            case ast.UnaryOp():
                return self._signed(node)
            case ast.BinOp():
                return self._computed(node)
            case ast.List(elts=items):
                return [self.read(item) for item in items]
            case ast.Tuple(elts=items):
                return tuple(self.read(item) for item in items)
            case ast.Set(elts=items):
                return {self.read(item) for item in items}
            case ast.Dict():
                return self._mapping(node)
            case ast.Name(id=name) if name in self._names:
                return self._names[name]
            case ast.Attribute():
                return self._attribute(node)
            case ast.Call():
                return self._call(node)
            case _:
                raise NotLiteralError(ast.unparse(node))

    def _signed(self, node: ast.UnaryOp) -> Any:  # noqa: ANN401
        value = self.read(node.operand)
        if isinstance(node.op, ast.Not) and isinstance(value, bool):
            return not value
        if isinstance(value, _NUMBERS) and not isinstance(value, bool):
            if isinstance(node.op, ast.USub):
                return -value
            if isinstance(node.op, ast.UAdd):
                return value
        raise NotLiteralError(ast.unparse(node))

    def _computed(self, node: ast.BinOp) -> Any:  # noqa: ANN401
        left, right = self.read(node.left), self.read(node.right)
        operation = _OPERATIONS.get(type(node.op))
        if operation is None or not _is_cheap(node.op, left, right):
            raise NotLiteralError(ast.unparse(node))
        return operation(left, right)

    def _mapping(self, node: ast.Dict) -> dict[Any, Any]:
        found: dict[Any, Any] = {}
        for key, value in zip(node.keys, node.values, strict=True):
            if key is None:
                raise NotLiteralError(ast.unparse(node))
            found[self.read(key)] = self.read(value)
        return found

    def _attribute(self, node: ast.Attribute) -> Any:  # noqa: ANN401
        owner = ast.unparse(node.value)
        if owner in self._scope.enums:
            if node.attr in self._scope.enums[owner].members:
                return Member(owner, node.attr)
        elif self._scope.origin(node) in {
            "datetime.timezone.utc",
            "datetime.UTC",
            "timezone.utc",
        }:
            return UTC
        elif node.attr in _NAMED:
            return _NAMED[node.attr]
        raise NotLiteralError(ast.unparse(node))

    def _call(self, node: ast.Call) -> Any:  # noqa: ANN401
        arguments = [self.read(argument) for argument in node.args]
        if any(keyword.arg is None for keyword in node.keywords):
            raise NotLiteralError(ast.unparse(node))
        named = {str(k.arg): self.read(k.value) for k in node.keywords}
        word = self._scope.word(node.func)
        maker = node.func
        if (
            isinstance(maker, ast.Attribute)
            and self._scope.word(maker.value) in _FROM_TEXT
        ):
            owner = self._scope.word(maker.value)
            if maker.attr == "fromisoformat":
                return _FROM_TEXT[owner](*arguments, **named)
        origin = self._scope.origin(node.func)
        if word in NUMPY_SCALARS and origin.partition(".")[0] in {"np", "numpy"}:
            return NumpyScalar(word, *arguments, **named)
        if word in _MAKERS:
            return _MAKERS[word](*arguments, **named)
        raise NotLiteralError(ast.unparse(node))


def _is_cheap(operation: ast.operator, left: Any, right: Any) -> bool:  # noqa: ANN401
    """Tell whether an operation is arithmetic, or joins texts, lists and paths."""
    if isinstance(left, _NUMBERS) and isinstance(right, _NUMBERS):
        if isinstance(operation, (ast.Pow, ast.LShift)):
            return _size(left) * max(1, _size(right)) <= _MOST_BITS and _is_small(right)
        return _size(left) + _size(right) <= _MOST_BITS
    if isinstance(operation, ast.Div):
        return isinstance(left, PurePath) and isinstance(right, (str, PurePath))
    if isinstance(operation, ast.Add) and isinstance(left, (str, bytes, list, tuple)):
        return type(left) is type(right)
    is_moment = isinstance(left, date) and isinstance(right, timedelta)
    return is_moment and isinstance(operation, (ast.Add, ast.Sub))


def _size(number: Any) -> int:  # noqa: ANN401
    return number.bit_length() if isinstance(number, int) else 1


def _is_small(power: Any) -> bool:  # noqa: ANN401
    return isinstance(power, (int, float)) and abs(power) <= _BIGGEST_POWER


def _utc_or(*arguments: Any, **named: Any) -> timezone:  # noqa: ANN401
    return timezone(*arguments, **named)


def _zone(key: str) -> Any:  # noqa: ANN401
    from zoneinfo import ZoneInfo

    return ZoneInfo(key)


def _decimal(value: Any) -> Decimal:  # noqa: ANN401
    try:
        return Decimal(value)
    except InvalidOperation as error:
        raise ValueError(f"{value!r} is no Decimal") from error


def _to_bytes(value: Any = b"", encoding: str = "") -> bytes:  # noqa: ANN401
    if isinstance(value, str):
        return value.encode(encoding)
    if isinstance(value, (bytes, list, tuple)):
        return bytes(value)
    raise TypeError("bytes(n) makes n zeros")


#: classes that read ISO 8601
_FROM_TEXT: dict[str, Callable[..., Any]] = {
    "date": date.fromisoformat,
    "datetime": datetime.fromisoformat,
    "time": time.fromisoformat,
}
_MAKERS: dict[str, Callable[..., Any]] = {
    "date": date,
    "datetime": datetime,
    "time": time,
    "timedelta": timedelta,
    "timezone": _utc_or,
    "ZoneInfo": _zone,
    "Path": Path,
    "PosixPath": Path,
    "PurePath": PurePosixPath,
    "PurePosixPath": PurePosixPath,
    "PureWindowsPath": PureWindowsPath,
    "Decimal": _decimal,
    "bytes": _to_bytes,
    **{
        name: getattr(builtins, name)
        for name in ("float", "complex", "int", "bool", "str", "set", "frozenset", "list", "tuple", "dict")
    },
}  # fmt: skip

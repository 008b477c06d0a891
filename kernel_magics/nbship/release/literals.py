"""Values that Python text can stand for: literals, and displays that name other objects."""

from __future__ import annotations

import ast
import dataclasses
import enum
import json
import logging
import math
import re
import types
from collections import Counter, OrderedDict, defaultdict, deque
from functools import partial
from operator import attrgetter, itemgetter
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from nbship.release.cells import Passage, binding_statements, passage_of
from nbship.release.constructions import NotPlainError, made_from_literals
from nbship.resources import shipped_module

if TYPE_CHECKING:
    from collections.abc import Callable

    from nbship.release.cells import Cells

#: a longer value becomes a file of the package instead
MAX_TEXT = 200
#: values that whoever holds them may change
MUTABLE = (list, dict, set, bytearray)
#: a longer statement of the author becomes a file too
MAX_STATEMENT = 4000
_MAX_DEPTH = 20


class NoTextError(Exception):
    """No text stands for the value."""


def literal_text(value: Any) -> str | None:  # noqa: ANN401
    """Write a value as a literal; None where it is no literal or too long."""
    try:
        text = _display(value, _refuse, 0)
    except NoTextError:
        return None
    return text if len(text) <= MAX_TEXT else None


def display_text(value: Any, name_of: Callable[[Any], str]) -> str | None:  # noqa: ANN401
    """Write a value as an expression that may name classes, functions and modules.

    Parameters
    ----------
    value
        A container of functions, a ``functools.partial``, a compiled pattern, an enum
        member, a dataclass instance, a path, a range and the like.
    name_of
        Returns the text that names an object in the module, and sees to it that the
        module has it; raises :class:`NoTextError` where it cannot.
    """
    try:
        text = _display(value, name_of, 0)
    except NoTextError:
        return None
    return text if len(text) <= MAX_STATEMENT else None


def is_equal_value(one: Any, other: Any) -> bool:  # noqa: ANN401
    """Tell whether two values are of the same types and equal, order of dicts included."""
    values = shipped_module("_values")
    try:
        texts = [json.dumps(values.encode(item)) for item in (one, other)]
    except (values.UnsupportedValueError, RecursionError):
        return False
    return texts[0] == texts[1]


def authors_literal(name: str, value: Any, cells: Cells) -> Passage | None:  # noqa: ANN401
    """Find the author's own assignment of a literal that still is the value."""
    for statement, cell in binding_statements(name, cells):
        if not _is_plain_assignment(statement, name):
            continue
        try:
            found = ast.literal_eval(statement.value)  # type: ignore[attr-defined]
        except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
            continue
        if is_equal_value(found, value):
            passage = passage_of(statement, cell)
            return passage if len(passage.text) <= MAX_STATEMENT else None
    return None


def authors_construction(
    name: str,
    value: Any,  # noqa: ANN401
    cells: Cells,
    lookup: Callable[[str], Any],
) -> Passage | None:
    """Find the author's own assignment of calls over literals that still give the value.

    Parameters
    ----------
    name
        The name that is assigned.
    value
        What it is bound to now.
    cells
        The executed cells.
    lookup
        Returns what another name of the notebook is bound to.
    """
    for statement, cell in binding_statements(name, cells):
        if not _is_plain_assignment(statement, name):
            continue
        try:
            found = made_from_literals(statement.value, lookup)  # type: ignore[attr-defined]
        except NotPlainError:
            continue
        is_same = type(found) is type(value) and repr(found) == repr(value)
        if is_equal_value(found, value) or (is_same and bool(found == value)):
            passage = passage_of(statement, cell)
            return passage if len(passage.text) <= MAX_STATEMENT else None
    return None


def authors_type(name: str, value: Any, cells: Cells) -> Passage | None:  # noqa: ANN401
    """Find the author's own statement of a type alias, such as ``Row = dict[str, float]``."""
    kinds = (types.GenericAlias, types.UnionType)
    if not isinstance(value, kinds) and type(value).__module__ != "typing":
        return None
    for statement, cell in binding_statements(name, cells):
        if _is_plain_assignment(statement, name):
            return passage_of(statement, cell)
    return None


def _is_plain_assignment(statement: ast.stmt, name: str) -> bool:
    if isinstance(statement, ast.Assign):
        targets: list[ast.expr] = statement.targets
    elif isinstance(statement, ast.AnnAssign) and statement.value is not None:
        if not isinstance(statement.annotation, ast.Name):
            return False
        targets = [statement.target]
    else:
        return False
    return len(targets) == 1 and getattr(targets[0], "id", None) == name


def _refuse(value: Any) -> str:  # noqa: ANN401
    raise NoTextError(type(value).__name__)


def _display(value: Any, name_of: Callable[[Any], str], depth: int) -> str:  # noqa: ANN401, PLR0911  # one line a type
    if depth > _MAX_DEPTH:
        raise NoTextError("too deep")
    kind = type(value)
    if value is None or value is Ellipsis or kind in (bool, int, str, bytes):
        return repr(value)
    if kind is float:
        return repr(value) if math.isfinite(value) else f'float("{value!r}")'
    if kind is complex:
        return repr(value)
    if kind in (list, tuple, set, frozenset, dict):
        return _container(value, name_of, depth + 1)
    if kind in (range, slice) or kind is types.NoneType:
        return repr(value)
    if isinstance(value, (type, types.FunctionType, types.BuiltinFunctionType)):
        return name_of(value)
    return _instance(value, name_of, depth + 1)


def _container(value: Any, name_of: Callable[[Any], str], depth: int) -> str:  # noqa: ANN401
    if type(value) is dict:
        pairs = [
            f"{_display(k, name_of, depth)}: {_display(v, name_of, depth)}"
            for k, v in value.items()
        ]
        return "{" + ", ".join(pairs) + "}"
    items = [_display(item, name_of, depth) for item in value]
    if type(value) in (set, frozenset):
        body = "{" + ", ".join(sorted(items)) + "}" if items else "set()"
        return body if type(value) is set else f"frozenset({body if items else ''})"
    if type(value) is list:
        return "[" + ", ".join(items) + "]"
    return "(" + ", ".join(items) + ("," if len(items) == 1 else "") + ")"


def _instance(value: Any, name_of: Callable[[Any], str], depth: int) -> str:  # noqa: ANN401, C901, PLR0911
    kind = type(value)

    def call(positional: Any, named: dict[str, Any]) -> str:  # noqa: ANN401
        parts = [_display(item, name_of, depth) for item in positional]
        parts += [f"{key}={_display(v, name_of, depth)}" for key, v in named.items()]
        return f"{name_of(kind)}({', '.join(parts)})"

    if isinstance(value, enum.Enum):
        return f"{name_of(kind)}.{value.name}"
    if kind is partial:
        return call((value.func, *value.args), value.keywords)
    if kind is re.Pattern:
        flags = value.flags & ~re.UNICODE.value
        return call_named(name_of(re.compile), value.pattern, flags)
    if isinstance(value, PurePath):
        return f"{name_of(kind)}({str(value)!r})"
    if kind is logging.Logger:
        return f"{name_of(logging.getLogger)}({value.name!r})"
    arguments = _arguments(value)
    if arguments is not None:
        return call(arguments, {})
    if kind is types.SimpleNamespace:
        return call((), vars(value))
    if dataclasses.is_dataclass(value):
        return _dataclass(value, call)
    if isinstance(value, tuple) and hasattr(kind, "_fields"):
        return call((), value._asdict())  # type: ignore[attr-defined]
    raise NoTextError(kind.__name__)


def _arguments(value: Any) -> tuple[Any, ...] | None:  # noqa: ANN401
    """Return the arguments that make a value again; None where no rule is known."""
    kind = type(value)
    if kind in (itemgetter, attrgetter):
        arguments: tuple[Any, ...] = value.__reduce__()[1]
        return arguments
    if kind not in (Counter, OrderedDict, deque, defaultdict):
        return None
    if isinstance(value, defaultdict):
        return value.default_factory, dict(value)
    if isinstance(value, deque):
        return list(value), value.maxlen
    return (dict(value),)


def call_named(function: str, pattern: Any, flags: int) -> str:  # noqa: ANN401
    """Write the call that compiles a pattern."""
    return f"{function}({pattern!r}{f', {flags}' if flags else ''})"


def _dataclass(value: Any, call: Callable[[Any, dict[str, Any]], str]) -> str:  # noqa: ANN401
    fields = dataclasses.fields(value)
    if not all(field.init for field in fields):
        raise NoTextError("a field is not an argument")
    extra = set(getattr(value, "__dict__", {})) - {field.name for field in fields}
    if extra or hasattr(value, "__post_init__"):
        raise NoTextError("it holds more than its fields")
    return call((), {field.name: getattr(value, field.name) for field in fields})

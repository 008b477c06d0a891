"""Classes of the notebook, in the author's own text."""

from __future__ import annotations

import ast
from types import FunctionType
from typing import TYPE_CHECKING, Any, NoReturn

from nbship.errors import ExportError
from nbship.release import cells as texts
from nbship.release.instructions import (
    codes_of_cell,
    is_postponed,
    is_same_code,
)
from nbship.release.literals import is_equal_value
from nbship.release.naming import named_item

if TYPE_CHECKING:
    from nbship.release.cells import ExecutedCell
    from nbship.release.closure import ClosureWalk
    from nbship.release.items import Item

_UNKNOWN = object()
#: expressions that run nothing of the author's
_HARMLESS = (
    ast.Constant, ast.Name, ast.Load, ast.BinOp, ast.operator, ast.UnaryOp, ast.unaryop,
    ast.List, ast.Tuple, ast.Set, ast.Dict,
)  # fmt: skip
_PLAIN = (int, float, str, bytes, bool, list, dict, tuple, set, frozenset, type(None))


def class_item(walk: ClosureWalk, name: str, cls: type) -> Item:
    """Write the definition of a class.

    Raises
    ------
    ExportError
        If no executed cell holds its text, a base was redefined, or the class was changed
        after its definition.
    """
    if "<locals>" in cls.__qualname__ or "." in cls.__qualname__:
        raise ExportError(
            f"class {cls.__qualname__} is defined inside a function or another class",
            hint="Define it at the top level of a cell.",
            hazard="nested-class",
            name=name,
        )
    found = texts.class_node(cls, walk.cells)
    if found is None:
        return _made_class(walk, name, cls)
    node, cell = found
    codes = tuple(
        code for code in texts.method_codes(cls) if code.co_filename in walk.cells
    )
    _check_methods(cls, cell, codes)
    _check_bases(walk, cls, node)
    _check_attributes(walk, cls, node)
    passage = texts.passage_of(node, cell)
    return named_item(walk, name, node.name, passage, codes=codes)


def _made_class(walk: ClosureWalk, name: str, cls: type) -> Item:
    """Take a class that a call made, such as ``namedtuple("Point", "x y")``.

    Raises
    ------
    ExportError
        If no executed cell holds that call.
    """
    for statement, cell in texts.binding_statements(name, walk.cells):
        targets = getattr(statement, "targets", [])
        is_call = isinstance(getattr(statement, "value", None), ast.Call)
        if is_call and len(targets) == 1 and getattr(targets[0], "id", "") == name:
            passage = texts.passage_of(statement, cell)
            return named_item(walk, name, name, passage, codes=())
    raise ExportError(
        f"class {cls.__name__}: no executed cell holds its text",
        hint="Define it in a cell with class, and run that cell.",
        hazard="no-text",
        name=name,
    )


def _check_methods(cls: type, cell: ExecutedCell, codes: tuple[Any, ...]) -> None:
    is_future = any(is_postponed(code) for code in codes)
    known = codes_of_cell(cell.source, is_future=is_future)
    for code in codes:
        if not any(is_same_code(code, made) for made in known):
            _refuse_change(cls, code.co_name)
    for key, value in vars(cls).items():
        is_foreign = isinstance(
            value, FunctionType
        ) and not value.__qualname__.startswith(f"{cls.__qualname__}.")
        is_wrapper = hasattr(value, "__wrapped__") or key.startswith("__")
        if is_foreign and not is_wrapper and value.__module__ == cls.__module__:
            _refuse_change(cls, key)


def _check_bases(walk: ClosureWalk, cls: type, node: ast.ClassDef) -> None:
    for base in node.bases:
        if not isinstance(base, ast.Name) or not walk.has(base.id):
            continue
        value = walk.value_of(base.id)
        if isinstance(value, type) and value not in cls.__mro__:
            raise ExportError(
                f"class {cls.__name__}: its base {base.id} was redefined after it",
                hint=f"Run the cell that defines {cls.__name__} again.",
                hazard="redefined",
                name=cls.__name__,
            )


def _check_attributes(walk: ClosureWalk, cls: type, node: ast.ClassDef) -> None:
    written = {}
    for statement in node.body:
        for name in texts.bound_names(statement):
            written[name] = getattr(statement, "value", None)
    for name, value in vars(cls).items():
        if name.startswith("_") or not isinstance(value, _PLAIN):
            continue
        expression = written.get(name)
        if name not in written:
            _refuse_change(cls, name)
        found = value if expression is None else _computed(walk, cls, expression)
        if found is not _UNKNOWN and not is_equal_value(found, value):
            _refuse_change(cls, name)


def _computed(walk: ClosureWalk, cls: type, expression: ast.expr) -> Any:  # noqa: ANN401
    """Compute an expression of names, literals and operators as the package will."""
    if not all(isinstance(node, _HARMLESS) for node in ast.walk(expression)):
        return _UNKNOWN
    names = {n.id for n in ast.walk(expression) if isinstance(n, ast.Name)}
    values = {
        name: vars(cls).get(name, walk.value_of(name))
        for name in names
        if name in vars(cls) or walk.has(name)
    }
    if not all(isinstance(value, _PLAIN) for value in values.values()):
        return _UNKNOWN
    code = compile(ast.Expression(expression), "<class body>", "eval")
    try:
        return eval(code, {"__builtins__": {}}, values)  # noqa: S307  # no call is in it
    except Exception:  # noqa: BLE001  # names of a comprehension, or a wrong type
        return _UNKNOWN


def _refuse_change(cls: type, attribute: str) -> NoReturn:
    raise ExportError(
        f"class {cls.__name__}: {attribute!r} was set or changed after the class was defined",
        hint=f"Write {attribute} in the body of class {cls.__name__}, and run its cell again.",
        hazard="changed-class",
        name=cls.__name__,
    )

"""What an annotation promises, read from its syntax tree; nothing is evaluated."""

from __future__ import annotations

import ast
from dataclasses import dataclass, replace
from typing import Any

from nbship.jobs.literals import NotLiteralError, literal
from nbship.records.parameters import ParameterKind

#: last word of a name -> kind, so that ``dt.date`` and ``datetime.date`` read alike
_NAMES = {
    "int": ParameterKind.INT,
    "float": ParameterKind.FLOAT,
    "bool": ParameterKind.BOOL,
    "str": ParameterKind.STR,
    "None": ParameterKind.NONE,
    "list": ParameterKind.LIST,
    "List": ParameterKind.LIST,
    "Sequence": ParameterKind.LIST,
    "dict": ParameterKind.DICT,
    "Dict": ParameterKind.DICT,
    "Mapping": ParameterKind.DICT,
    "date": ParameterKind.DATE,
    "datetime": ParameterKind.DATETIME,
    "Path": ParameterKind.PATH,
    "PosixPath": ParameterKind.PATH,
    "PurePath": ParameterKind.PATH,
}
#: say nothing about the type of the value they wrap
_TRANSPARENT = {"Annotated", "Final", "Required", "ReadOnly"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Annotation:
    """The kind that an annotation stands for."""

    kind: ParameterKind
    is_optional: bool = False
    #: allowed values of a ``Literal``
    choices: tuple[Any, ...] = ()
    #: kind of the items of a list, or of the values of a dict
    item_kind: ParameterKind | None = None
    #: source of the class that makes the value, such as ``dt.date``; "" for JSON types
    maker: str = ""


_ANYTHING = Annotation(kind=ParameterKind.ANY)


def read_annotation(node: ast.expr) -> Annotation:
    """Read one annotation; what is not understood may be anything."""
    if isinstance(node, ast.Constant):
        return _read_constant(node)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
        return _union([node.left, node.right])
    if isinstance(node, ast.Subscript):
        return _read_subscript(node)
    if isinstance(node, (ast.Name, ast.Attribute)):
        return _read_name(node)
    return _ANYTHING


def _read_constant(node: ast.Constant) -> Annotation:
    if node.value is None:
        return Annotation(kind=ParameterKind.NONE)
    if isinstance(node.value, str):
        try:
            inner = read_annotation(ast.parse(node.value, mode="eval").body)
        except SyntaxError:
            return _ANYTHING
        return replace(inner, maker="")  # its names need not exist when the cell runs
    return _ANYTHING


def _read_name(node: ast.Name | ast.Attribute) -> Annotation:
    kind = _NAMES.get(_last_word(node), ParameterKind.ANY)
    made = kind in {ParameterKind.DATE, ParameterKind.DATETIME, ParameterKind.PATH}
    return Annotation(kind=kind, maker=ast.unparse(node) if made else "")


def _last_word(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def _read_subscript(node: ast.Subscript) -> Annotation:  # noqa: PLR0911  # one line a form
    word = _last_word(node.value)
    inside = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
    if word == "Literal":
        return _read_literal(inside)
    if word == "Optional":
        return replace(read_annotation(node.slice), is_optional=True)
    if word == "Union":
        return _union(inside)
    if word in _TRANSPARENT and inside:
        return read_annotation(inside[0])
    kind = _NAMES.get(word)
    if kind is ParameterKind.LIST and len(inside) == 1:
        return _container(kind, inside[0])
    if kind is ParameterKind.DICT and len(inside) == 2:  # noqa: PLR2004  # dict[K, V]
        return _container(kind, inside[1])
    return _ANYTHING


def _container(kind: ParameterKind, item: ast.expr) -> Annotation:
    inner = read_annotation(item)
    simple = not inner.is_optional and not inner.choices and inner.item_kind is None
    item_kind = inner.kind if simple else ParameterKind.ANY
    return Annotation(kind=kind, item_kind=item_kind, maker=inner.maker)


def _read_literal(nodes: list[ast.expr]) -> Annotation:
    try:
        choices = tuple(literal(node) for node in nodes)
    except NotLiteralError:
        return _ANYTHING
    return Annotation(
        kind=ParameterKind.LITERAL,
        choices=tuple(choice for choice in choices if choice is not None),
        is_optional=None in choices,
    )


def _union(nodes: list[ast.expr]) -> Annotation:
    options = [read_annotation(node) for node in nodes]
    is_optional = any(o.kind is ParameterKind.NONE or o.is_optional for o in options)
    solid = [o for o in options if o.kind is not ParameterKind.NONE]
    if len(solid) == 1:
        return replace(solid[0], is_optional=is_optional)
    kinds = {option.kind for option in solid}
    if kinds == {ParameterKind.INT, ParameterKind.FLOAT}:
        return Annotation(kind=ParameterKind.FLOAT, is_optional=is_optional)
    return Annotation(kind=ParameterKind.ANY, is_optional=is_optional)

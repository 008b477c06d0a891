"""What an annotation promises, read from its syntax tree; nothing is evaluated."""

from __future__ import annotations

import ast
from dataclasses import dataclass, fields, replace
from typing import Any

from nbship.jobs.encoding import encode_any
from nbship.jobs.kinds import ANYTHING, NOTHING, is_optional, options, union
from nbship.jobs.literals import NUMPY_SCALARS, NotLiteralError, literal
from nbship.jobs.metadata import bounds_of, read_metadata
from nbship.jobs.scope import EnumClass, Scope
from nbship.records.parameters import Bounds, ParameterType
from nbship.records.parameters import ParameterKind as K

#: last word of a name -> kind, so that ``dt.date`` and ``datetime.date`` read alike
_NAMES = {
    "int": K.INT, "StrictInt": K.INT, "float": K.FLOAT, "StrictFloat": K.FLOAT, "complex": K.COMPLEX,
    "bool": K.BOOL, "StrictBool": K.BOOL, "str": K.STR, "StrictStr": K.STR, "Text": K.STR,
    "LiteralString": K.STR, "bytes": K.BYTES, "StrictBytes": K.BYTES, "None": K.NONE,
    "NoneType": K.NONE, "list": K.LIST, "List": K.LIST, "Sequence": K.LIST, "Iterable": K.LIST,
    "Collection": K.LIST, "MutableSequence": K.LIST, "tuple": K.TUPLE, "Tuple": K.TUPLE,
    "set": K.SET, "Set": K.SET, "AbstractSet": K.SET, "MutableSet": K.SET,
    "frozenset": K.FROZENSET, "FrozenSet": K.FROZENSET, "dict": K.DICT, "Dict": K.DICT,
    "Mapping": K.DICT, "MutableMapping": K.DICT, "date": K.DATE, "datetime": K.DATETIME,
    "AwareDatetime": K.DATETIME, "NaiveDatetime": K.DATETIME, "time": K.TIME,
    "timedelta": K.TIMEDELTA, "Decimal": K.DECIMAL,
    "Path": K.PATH, "PosixPath": K.PATH, "PurePath": K.PATH, "PurePosixPath": K.PATH,
    "PureWindowsPath": K.PATH, "PathLike": K.PATH, "FilePath": K.PATH, "DirectoryPath": K.PATH,
}  # fmt: skip
_BOUNDED: dict[str, tuple[K, dict[str, Any]]] = {
    "PositiveInt": (K.INT, {"gt": 0}), "NonNegativeInt": (K.INT, {"ge": 0}),
    "NegativeInt": (K.INT, {"lt": 0}), "NonPositiveInt": (K.INT, {"le": 0}),
    "PositiveFloat": (K.FLOAT, {"gt": 0}), "NonNegativeFloat": (K.FLOAT, {"ge": 0}),
    "NegativeFloat": (K.FLOAT, {"lt": 0}), "NonPositiveFloat": (K.FLOAT, {"le": 0}),
}  # fmt: skip
_MADE = frozenset({K.DATE, K.DATETIME, K.TIME, K.TIMEDELTA, K.PATH, K.DECIMAL})
_PATHS = frozenset({"PurePath", "PurePosixPath", "PureWindowsPath"})
#: say nothing about the type of the value they wrap
_TRANSPARENT = frozenset({"Final", "Required", "NotRequired", "ReadOnly", "ClassVar"})
_ONE_ITEM = frozenset({K.LIST, K.SET, K.FROZENSET})


@dataclass(frozen=True, kw_only=True, slots=True)
class Meaning:
    """What one annotation says."""

    type: ParameterType
    description: str = ""
    unit: str = ""


def read_annotation(node: ast.expr, scope: Scope | None = None) -> Meaning:
    """Read one annotation; what is not understood may be anything."""
    scope = scope or Scope()
    if isinstance(node, ast.Subscript) and scope.word(node.value) in _TRANSPARENT:
        return read_annotation(node.slice, scope)
    if isinstance(node, ast.Subscript) and scope.word(node.value) == "Annotated":
        inside = _inside(node) or [ast.Constant(value=...)]
        told = read_metadata(inside[1:], scope)
        inner = read_annotation(inside[0], scope)
        return Meaning(
            type=bounded(inner.type, told.bounds),
            description=told.description or inner.description,
            unit=told.unit or inner.unit,
        )
    if isinstance(node, ast.Name) and node.id in scope.aliases:
        return read_annotation(scope.aliases[node.id], _without(scope, node.id))
    return Meaning(type=_read(node, scope))


def bounded(kind: ParameterType, bounds: Bounds | None) -> ParameterType:
    """Return a type with bounds; in ``X | None`` they hold for X."""
    if bounds is None or kind.kind is K.NONE:
        return kind
    if kind.kind is K.UNION:
        return replace(kind, items=tuple(bounded(o, bounds) for o in kind.items))
    return replace(kind, bounds=_both(kind.bounds, bounds))


def _both(inner: Bounds | None, outer: Bounds) -> Bounds:
    if inner is None:
        return outer
    told = {f.name: getattr(outer, f.name) for f in fields(outer)}
    known = {
        name: value for name, value in told.items() if value not in (None, "", False)
    }
    return replace(inner, **known)


def _without(scope: Scope, name: str) -> Scope:
    aliases = {n: t for n, t in scope.aliases.items() if n != name}
    return replace(scope, aliases=aliases)


def _inside(node: ast.Subscript) -> list[ast.expr]:
    return node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]


def _inner(node: ast.expr, scope: Scope) -> ParameterType:
    return read_annotation(node, scope).type


def _read(node: ast.expr, scope: Scope) -> ParameterType:
    match node:
        case ast.Constant():
            return _read_constant(node, scope)
        case ast.BinOp(op=ast.BitOr()):
            return union(_inner(side, scope) for side in (node.left, node.right))
        case ast.Subscript():
            return _read_subscript(node, scope)
        case ast.Name() | ast.Attribute():
            return _read_name(node, scope)
        case ast.Call():
            return _read_call(node, scope)
        case _:
            return ANYTHING


def _read_constant(node: ast.Constant, scope: Scope) -> ParameterType:
    if node.value is None:
        return NOTHING
    if isinstance(node.value, str):
        try:
            tree = ast.parse(node.value.strip(), mode="eval").body
        except (SyntaxError, ValueError):
            return ANYTHING
        return _inner(tree, replace(scope, is_lazy=True))  # its names need not exist
    return ANYTHING


def _read_name(node: ast.Name | ast.Attribute, scope: Scope) -> ParameterType:
    source = ast.unparse(node)
    if source in scope.enums:
        return enum_type(source, scope.enums[source], scope)
    word = scope.word(node)
    maker = source if scope.is_evaluated(node) else ""
    if word in _BOUNDED:
        kind, told = _BOUNDED[word]
        return ParameterType(kind=kind, bounds=bounds_of(told))
    if word in NUMPY_SCALARS and scope.origin(node).partition(".")[0] in {
        "np",
        "numpy",
    }:
        return ParameterType(kind=K.NUMPY, class_name=word, maker=maker)
    kind = _NAMES.get(word, K.ANY)
    if kind is K.PATH:
        is_path = word.endswith("Path") and word not in {"FilePath", "DirectoryPath"}
        name = word if word in _PATHS else "Path"
        return ParameterType(kind=kind, class_name=name, maker=maker if is_path else "")
    if word in {"Real", "Number"}:
        return union([ParameterType(kind=K.INT), ParameterType(kind=K.FLOAT)])
    is_own = kind in _MADE and not word.endswith("Datetime")
    return ParameterType(kind=kind, maker=maker if is_own else "")


def enum_type(source: str, found: EnumClass, scope: Scope) -> ParameterType:
    """Return the type of an Enum that the notebook declares."""
    names = tuple(found.members)
    values = (_member_value(name, found, scope) for name in names)
    return ParameterType(
        kind=K.ENUM,
        choices=names,
        member_values=tuple(values),
        class_name=source.rpartition(".")[2],
        maker=source,
    )


def _member_value(name: str, found: EnumClass, scope: Scope) -> Any:  # noqa: ANN401
    node = found.members[name]
    if node is None:
        return None
    if isinstance(node, ast.Call) and scope.word(node.func) == "auto":
        if found.base == "StrEnum":
            return name.lower()
        is_counted = "Flag" not in found.base
        return list(found.members).index(name) + 1 if is_counted else None
    try:
        return encode_any(literal(node, scope))
    except ValueError:
        return None


def _read_call(node: ast.Call, scope: Scope) -> ParameterType:
    """Read pydantic's ``conint(ge=1)`` and its sisters."""
    word = scope.word(node.func)
    kind = _NAMES.get(word.removeprefix("con")) if word.startswith("con") else None
    if kind is None:
        return ANYTHING
    told = {}
    for keyword in node.keywords:
        try:
            told[str(keyword.arg)] = literal(keyword.value, scope)
        except NotLiteralError:
            continue
    item = (_inner(node.args[0], scope),) if node.args and kind in _ONE_ITEM else ()
    return ParameterType(kind=kind, items=item, bounds=bounds_of(told))


def _read_subscript(node: ast.Subscript, scope: Scope) -> ParameterType:  # noqa: PLR0911  # one line a form
    word, inside = scope.word(node.value), _inside(node)
    if word == "Literal":
        return _read_literal(inside, scope)
    if word == "Optional":
        return union([_inner(node.slice, scope), NOTHING])
    if word == "Union":
        return union(_inner(option, scope) for option in inside)
    kind = _NAMES.get(word)
    if kind in _ONE_ITEM and len(inside) == 1:
        return ParameterType(kind=kind, items=(_inner(inside[0], scope),))
    if kind is K.DICT and len(inside) == 2:  # noqa: PLR2004  # dict[K, V]
        return ParameterType(kind=kind, items=tuple(_inner(i, scope) for i in inside))
    if kind is K.TUPLE:
        return _read_tuple(inside, scope)
    if kind is K.PATH:  # PathLike[str]
        return ParameterType(kind=kind, class_name="Path")
    return ANYTHING


def _read_tuple(inside: list[ast.expr], scope: Scope) -> ParameterType:
    last = inside[-1] if inside else None
    if len(inside) == 2 and isinstance(last, ast.Constant) and last.value is Ellipsis:  # noqa: PLR2004  # X, ...
        item = _inner(inside[0], scope)
        return ParameterType(kind=K.TUPLE, items=(item,), is_open=True)
    if len(inside) == 1 and isinstance(last, ast.Tuple) and not last.elts:  # tuple[()]
        return ParameterType(kind=K.TUPLE, bounds=Bounds(max_length=0))
    return ParameterType(kind=K.TUPLE, items=tuple(_inner(i, scope) for i in inside))


def _read_literal(nodes: list[ast.expr], scope: Scope) -> ParameterType:
    choices: list[Any] = []
    for node in nodes:
        name = ast.unparse(node)
        if isinstance(node, ast.Name) and name in scope.aliases:
            node = scope.aliases[name]  # noqa: PLW2901  # Literal[Modes]
        if isinstance(node, ast.Subscript) and scope.word(node.value) == "Literal":
            inner = _read_literal(_inside(node), scope)
            choices += [c for o in options(inner) for c in o.choices]
            choices += [None] * is_optional(inner)
            continue
        try:
            choices.append(encode_any(literal(node, scope)))
        except ValueError:
            return ANYTHING
    solid = tuple(choice for choice in choices if choice is not None)
    found = ParameterType(kind=K.LITERAL, choices=solid)
    if not solid:
        return NOTHING if choices else ANYTHING
    return union([found, NOTHING]) if None in choices else found

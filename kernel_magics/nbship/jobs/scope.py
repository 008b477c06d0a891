"""The names that code above and in the parameters cell gives to types: imports, aliases, enums."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

#: modules whose names are understood; the last word of a name from elsewhere means nothing
_MODULES = frozenset(
    {
        "typing", "typing_extensions", "datetime", "pathlib", "collections", "collections.abc",
        "decimal", "annotated_types", "pydantic", "pydantic.types", "enum", "numpy", "builtins",
        "numbers", "types", "os", "msgspec", "annotated_doc", "math",
    }
)  # fmt: skip
_ENUM_BASES = frozenset({"Enum", "IntEnum", "StrEnum", "Flag", "IntFlag", "ReprEnum"})
#: words that only types are made of
TYPE_FORMS = frozenset(
    {
        "Annotated", "Literal", "Optional", "Union", "list", "List", "dict", "Dict", "set", "Set",
        "tuple", "Tuple", "frozenset", "FrozenSet", "Sequence", "Mapping", "Iterable", "NewType",
    }
)  # fmt: skip
_TYPE_NAMES = frozenset({"int", "float", "str", "bool", "bytes", "complex"})


@dataclass(frozen=True, kw_only=True, slots=True)
class EnumClass:
    """An Enum as its class statement shows it."""

    #: name of each member and its value; None where only execution could tell
    members: Mapping[str, ast.expr | None]
    #: the last word of the base that makes it an Enum
    base: str = "Enum"


@dataclass(frozen=True, kw_only=True, slots=True)
class Scope:
    """What names mean where the parameters cell runs."""

    #: local name -> where it comes from, such as ``dt`` -> ``datetime``
    imports: Mapping[str, str] = field(default_factory=dict)
    #: names of types
    aliases: Mapping[str, ast.expr] = field(default_factory=dict)
    enums: Mapping[str, EnumClass] = field(default_factory=dict)
    #: classes that are no Enum
    classes: frozenset[str] = frozenset()
    #: True where annotations are never evaluated
    is_lazy: bool = False

    def origin(self, node: ast.expr) -> str:
        """Return the dotted name that a name stands for; "" where it is no name."""
        if isinstance(node, ast.Attribute):
            inner = self.origin(node.value)
            return f"{inner}.{node.attr}" if inner else ""
        if isinstance(node, ast.Name):
            return self.imports.get(node.id, node.id)
        return ""

    def word(self, node: ast.expr) -> str:
        """Return the last word of a name, if its module is known or not told; else ""."""
        origin = self.origin(node)
        module, _, word = origin.rpartition(".")
        head = origin.partition(".")[0]
        is_told = _head(node) in self.imports
        if head in self.classes or head in self.enums or (is_told and not module):
            return ""
        return word if not is_told or module in _MODULES else ""

    def is_evaluated(self, node: ast.expr) -> bool:
        """Tell whether a name in an annotation surely exists when the cell runs."""
        return not self.is_lazy or _head(node) in self.imports


def _head(node: ast.expr) -> str:
    while isinstance(node, ast.Attribute):
        node = node.value
    return node.id if isinstance(node, ast.Name) else ""


def read_scope(trees: Iterable[ast.Module]) -> Scope:
    """Read imports, type aliases and classes at the top level of cells, in their order."""
    scope = Scope(imports={}, aliases={}, enums={})
    for tree in trees:
        for statement in tree.body:
            scope = _with(scope, statement)
    return scope


def _with(scope: Scope, statement: ast.stmt) -> Scope:
    if isinstance(statement, (ast.Import, ast.ImportFrom)):
        return _imported(scope, statement)
    if isinstance(statement, ast.ClassDef):
        return _class(scope, statement)
    alias = alias_of(statement, scope)
    if alias is not None:
        return replace(scope, aliases={**scope.aliases, alias[0]: alias[1]})
    functional = _functional_enum(scope, statement)
    if functional is not None:
        return replace(scope, enums={**scope.enums, functional[0]: functional[1]})
    return scope


def _imported(scope: Scope, statement: ast.Import | ast.ImportFrom) -> Scope:
    found = dict(scope.imports)
    if isinstance(statement, ast.Import):
        for name in statement.names:
            head = name.name.partition(".")[0]
            found[name.asname or head] = name.name if name.asname else head
        return replace(scope, imports=found)
    module = "." * statement.level + (statement.module or "")
    for name in statement.names:
        if name.name != "*":
            found[name.asname or name.name] = f"{module}.{name.name}"
    lazy = module == "__future__" and any(
        n.name == "annotations" for n in statement.names
    )
    return replace(scope, imports=found, is_lazy=scope.is_lazy or lazy)


def _class(scope: Scope, node: ast.ClassDef) -> Scope:
    bases = [scope.word(base) for base in node.bases]
    own = [base.id for base in node.bases if isinstance(base, ast.Name)]
    base = next((b for b in bases if b in _ENUM_BASES), "")
    base = base or next((scope.enums[n].base for n in own if n in scope.enums), "")
    if not base:
        return replace(scope, classes=scope.classes | {node.name})
    found = EnumClass(members=dict(_members(node.body)), base=base)
    return replace(scope, enums={**scope.enums, node.name: found})


def _members(body: list[ast.stmt]) -> list[tuple[str, ast.expr | None]]:
    found: list[tuple[str, ast.expr | None]] = []
    for statement in body:
        if isinstance(statement, ast.Assign):
            names = [t.id for t in statement.targets if isinstance(t, ast.Name)]
            found += [(name, statement.value) for name in names]
            for target in statement.targets:
                if isinstance(target, (ast.Tuple, ast.List)):
                    found += [
                        (t.id, None) for t in target.elts if isinstance(t, ast.Name)
                    ]
        elif isinstance(statement, ast.AnnAssign) and statement.value is not None:
            found += [(ast.unparse(statement.target), statement.value)]
    return [(name, value) for name, value in found if not name.startswith("_")]


def _functional_enum(scope: Scope, node: ast.stmt) -> tuple[str, EnumClass] | None:
    """Read ``Color = Enum("Color", "RED GREEN")`` and its forms with a list or a dict."""
    if not (isinstance(node, ast.Assign) and isinstance(node.value, ast.Call)):
        return None
    call, target = node.value, node.targets[0]
    base = scope.word(call.func)
    if base not in _ENUM_BASES or not isinstance(target, ast.Name) or not call.args:
        return None
    try:
        told = ast.literal_eval(call.args[-1])
    except ValueError:
        return None
    words = told.replace(",", " ").split() if isinstance(told, str) else list(told)
    names = [word if isinstance(word, str) else word[0] for word in words]
    return target.id, EnumClass(members=dict.fromkeys(names), base=base)


def alias_of(statement: ast.stmt, scope: Scope) -> tuple[str, ast.expr] | None:
    """Return name and type where a statement only names a type; else None."""
    if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
        if scope.word(statement.annotation) == "TypeAlias" and statement.value:
            return statement.target.id, statement.value
        return None
    type_alias = getattr(ast, "TypeAlias", None)  # Python 3.12: type X = ...
    if type_alias is not None and isinstance(statement, type_alias):
        return statement.name.id, statement.value
    if not isinstance(statement, ast.Assign) or len(statement.targets) != 1:
        return None
    target, value = statement.targets[0], statement.value
    if isinstance(target, ast.Name) and _is_type(value, scope):
        is_new = isinstance(value, ast.Call)
        return target.id, value.args[1] if isinstance(
            value, ast.Call
        ) and is_new else value
    return None


def _is_type(node: ast.expr, scope: Scope) -> bool:
    match node:
        case ast.Subscript():
            return scope.word(node.value) in TYPE_FORMS
        case ast.BinOp(op=ast.BitOr()):
            return _is_option(node.left, scope) and _is_option(node.right, scope)
        case ast.Name():
            return node.id in _TYPE_NAMES and node.id not in scope.imports
        case ast.Call():
            return scope.word(node.func) == "NewType" and len(node.args) == 2  # noqa: PLR2004  # name, type
        case _:
            return False


def _is_option(node: ast.expr, scope: Scope) -> bool:
    if isinstance(node, ast.Constant):
        return node.value is None
    if isinstance(node, ast.Name):
        return (
            node.id in _TYPE_NAMES or node.id in scope.aliases or node.id in scope.enums
        )
    return _is_type(node, scope)

"""Which expressions of a notebook compute new values from its tables, and which only choose."""

from __future__ import annotations

import ast
import random
from dataclasses import dataclass
from types import ModuleType
from typing import TYPE_CHECKING, Any

from nbship.release.choosing import CHOOSING, REARRANGING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

#: methods of fitted objects whose answer is another table
_FITTED = ("transform", "fit_transform", "inverse_transform")
_MIN_ITEMS = 2


@dataclass(frozen=True, kw_only=True, slots=True)
class Transformation:
    """One expression that computes new values."""

    node: ast.AST
    #: what does it, for people: ``scaler.transform (StandardScaler)``
    by: str
    #: the column that it makes; "" for a whole table
    column: str = ""


class DataNames:
    """Tells which names of a notebook are tables, and what is done to them.

    Parameters
    ----------
    namespace
        The notebook's names.
    adders
        Functions of the notebook that only add columns, and which.
    """

    def __init__(
        self, namespace: Mapping[str, Any], adders: Mapping[str, Collection[str]]
    ) -> None:
        self._namespace = namespace
        self._adders = adders

    def transformation(
        self, node: ast.expr, *, columns: Collection[str] | None
    ) -> Transformation | None:
        """Return what an expression computes itself, those inside it left out.

        Parameters
        ----------
        node
            The expression.
        columns
            Columns that count; all where None.
        """
        if isinstance(node, (ast.BinOp, ast.UnaryOp, ast.Compare)):
            found = self.has_data(node)
            return Transformation(node=node, by="arithmetic") if found else None
        if isinstance(node, (ast.ListComp, ast.GeneratorExp, ast.SetComp)):
            return self._of_comprehension(node)
        if isinstance(node, ast.Call):
            return self._of_call(node, columns)
        return None

    def change_in_place(
        self, statement: ast.stmt, *, columns: Collection[str] | None
    ) -> Transformation | None:
        """Return what a statement such as ``df["x"] = f(df)`` computes; None where nothing."""
        if isinstance(statement, ast.Expr):
            call = statement.value
            name = getattr(getattr(call, "func", None), "attr", "")
            return Transformation(node=statement, by=f".{name}(inplace=True)")
        value: ast.expr | None = getattr(statement, "value", None)
        targets = getattr(statement, "targets", None) or [statement.target]  # type: ignore[attr-defined]
        made = {key for target in targets for key in _keys_of(target)}
        if value is None or (columns is not None and made and not made & set(columns)):
            return None
        found = self._deep(value)
        if isinstance(statement, ast.AugAssign):
            found = Transformation(node=value, by="arithmetic")
        if found is None:
            return None
        column = ", ".join(sorted(made & set(columns) if columns is not None else made))
        return Transformation(node=statement, by=found.by, column=column)

    def has_data(self, node: ast.AST) -> bool:
        """Tell whether an expression reads a table."""
        return any(
            isinstance(part, ast.Name) and self._is_data(part.id)
            for part in ast.walk(node)
        )

    def _deep(self, node: ast.expr) -> Transformation | None:
        found = self.transformation(node, columns=None)
        if found is not None or isinstance(node, ast.Name):
            return found
        return next((f for part in inner_of(node) if (f := self._deep(part))), None)

    def _of_call(
        self, node: ast.Call, columns: Collection[str] | None
    ) -> Transformation | None:
        function = node.func
        given = [*node.args, *(word.value for word in node.keywords)]
        if isinstance(function, ast.Name):
            return self._of_function(node, function.id, columns)
        if not isinstance(function, ast.Attribute):
            return None
        owner, name = function.value, function.attr
        text = f"{ast.unparse(owner)}.{name}"
        if name in _FITTED and any(map(self.has_data, given)):
            kind = self._kind_of(owner)
            return Transformation(node=node, by=f"{text} ({kind})" if kind else text)
        if name == "assign":
            made = {word.arg or "" for word in node.keywords}
            is_asked = columns is None or made & set(columns)
            by, column = f"{text}()", ", ".join(sorted(made))
            return Transformation(node=node, by=by, column=column) if is_asked else None
        if _draws(self._value_of(owner)):  # what was drawn is where rows begin
            return None
        if isinstance(self._value_of(owner), ModuleType):
            is_plain = name in REARRANGING or not any(map(self.has_data, given))
        else:
            is_plain = name in CHOOSING or not self.has_data(node)
        return None if is_plain else Transformation(node=node, by=f"{text}()")

    def _of_function(
        self, node: ast.Call, name: str, columns: Collection[str] | None
    ) -> Transformation | None:
        given = [*node.args, *(word.value for word in node.keywords)]
        if name in REARRANGING or not any(map(self.has_data, given)):
            return None
        added = self._adders.get(name)
        if added is None or columns is None:
            return Transformation(node=node, by=f"{name}()")
        made = set(added) & set(columns)
        column = ", ".join(sorted(made))
        return (
            Transformation(node=node, by=f"{name}()", column=column) if made else None
        )

    def _of_comprehension(
        self, node: ast.ListComp | ast.GeneratorExp | ast.SetComp
    ) -> Transformation | None:
        if not any(self.has_data(part.iter) for part in node.generators):
            return None
        names = {
            part.id
            for generator in node.generators
            for part in ast.walk(generator.target)
            if isinstance(part, ast.Name)
        }
        for part in ast.walk(node.elt):
            reads = {n.id for n in ast.walk(part) if isinstance(n, ast.Name)} & names
            if not reads:
                continue
            if isinstance(part, ast.BinOp):
                return Transformation(node=node, by="arithmetic")
            if isinstance(part, ast.Call):
                called = ast.unparse(part.func)
                if called.rpartition(".")[2] not in CHOOSING | REARRANGING:
                    return Transformation(node=node, by=f"{called}()")
        return None

    def _is_data(self, name: str) -> bool:
        value = self._namespace.get(name)
        if isinstance(value, (list, tuple)):
            return len(value) >= _MIN_ITEMS
        shape = getattr(value, "shape", None)
        return not isinstance(value, type) and bool(shape)

    def _value_of(self, node: ast.expr) -> Any:  # noqa: ANN401  # of ``a.b.c``
        if isinstance(node, ast.Name):
            return self._namespace.get(node.id)
        if isinstance(node, ast.Attribute):
            return getattr(self._value_of(node.value), node.attr, None)
        return None

    def _kind_of(self, node: ast.expr) -> str:
        if isinstance(node, ast.Call):  # made where it is used
            return ""
        value = self._value_of(node)
        return "" if value is None else type(value).__name__


def _draws(value: Any) -> bool:  # noqa: ANN401
    """Tell whether a value is a generator of random numbers."""
    is_pythons = isinstance(value, random.Random)  # noqa: S311  # asked about, not used
    return is_pythons or type(value).__module__.startswith("numpy.random")


def inner_of(node: ast.expr) -> Iterator[ast.expr]:
    """Walk the parts of an expression that its rows may come from."""
    if isinstance(node, ast.Name):
        yield node
    elif isinstance(node, ast.Call):
        if isinstance(node.func, ast.Attribute):
            yield node.func.value
        yield from node.args
        yield from (word.value for word in node.keywords)
    elif isinstance(node, (ast.Subscript, ast.Attribute, ast.Starred)):
        yield node.value
    elif isinstance(node, ast.IfExp):
        yield from (node.body, node.orelse)
    elif isinstance(node, (ast.List, ast.Tuple, ast.Set)):
        yield from node.elts
    elif isinstance(node, ast.Dict):
        yield from node.values
    elif isinstance(node, (ast.ListComp, ast.GeneratorExp, ast.SetComp)):
        yield from (generator.iter for generator in node.generators)


def is_stored(statement: ast.stmt, name: str) -> bool:
    """Tell whether a statement changes the table of a name in place."""
    if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call):
        call = statement.value
        is_in_place = any(
            word.arg == "inplace" and getattr(word.value, "value", False) is True
            for word in call.keywords
        )
        if not is_in_place or not isinstance(call.func, ast.Attribute):
            return False
        return call.func.attr not in CHOOSING and _base_of(call.func.value) == name
    targets: list[ast.expr] = list(getattr(statement, "targets", []))
    if isinstance(statement, (ast.AugAssign, ast.AnnAssign)):
        targets.append(statement.target)
    return any(
        isinstance(target, (ast.Subscript, ast.Attribute)) and _base_of(target) == name
        for target in targets
    )


def _base_of(node: ast.expr) -> str:
    while isinstance(node, (ast.Subscript, ast.Attribute)):
        node = node.value
    return getattr(node, "id", "")


def _keys_of(target: ast.expr) -> Iterator[str]:
    """Walk the column names that a target has as constants; none where they are computed."""
    if isinstance(target, ast.Attribute):
        yield target.attr
    elif isinstance(target, ast.Subscript):
        for part in ast.walk(target.slice):
            if isinstance(part, ast.Constant) and isinstance(part.value, str):
                yield part.value

"""What a root does, where it does no more than ask fitted objects one after another.

A fitted estimator is one step. A function is read where it has the usual form: one parameter,
columns of it, ``transform`` of fitted globals, ``predict`` of another, perhaps ``tolist``:

    def predict(rows):
        return model.predict(scaler.transform(rows))

Anything else is left to the author's code.
"""

from __future__ import annotations

import ast
import sys
from dataclasses import dataclass, field, replace
from types import FunctionType
from typing import TYPE_CHECKING, Any

from .. import _about

if TYPE_CHECKING:
    from collections.abc import Callable

_ARRAYS = ("array", "asarray", "ascontiguousarray")


class UnusualError(ValueError):
    """A root that does something else; the message says what."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Steps:
    """Fitted objects that are asked one after another."""

    #: columns of the data frame that are taken, in order; None for all
    columns: tuple[str, ...] | None = None
    #: objects whose ``transform`` is called
    transforms: tuple[Any, ...] = field(default=())
    #: the object whose ``predict`` is called; None before it was
    model: Any = None
    #: whether the answer is made a list
    is_list: bool = False


def steps_of(predict: Callable[..., Any]) -> Steps:
    """Read what a root does.

    Raises
    ------
    UnusualError
        If it does anything else.
    """
    captured = _about.capture()
    module = sys.modules[f"{_about.PACKAGE}.model"]
    if captured["kind"] == "estimator":
        own = captured["name"] if captured["name"] != "predict" else "fitted"
        model = getattr(module, own, None)
        if not hasattr(model, "predict"):
            raise UnusualError("the root is no estimator that predicts")
        return Steps(model=model)
    if not isinstance(predict, FunctionType) or vars(module) is not predict.__globals__:
        raise UnusualError("the root is a function of another form")
    return _Reader(predict).read()


class _Reader:
    """Follows one function's statements, each a name or the answer."""

    def __init__(self, function: FunctionType) -> None:
        self._globals = function.__globals__
        text = (_about.FOLDER / "model.py").read_text("utf-8")
        found = [
            node
            for node in ast.parse(text).body
            if isinstance(node, ast.FunctionDef)
            and node.lineno == function.__code__.co_firstlineno
            and node.name == function.__code__.co_name
        ]
        if len(found) != 1 or function.__closure__:
            raise UnusualError("the root is a function of another form")
        self._node = found[0]
        arguments = self._node.args
        if len(arguments.args) != 1 or function.__code__.co_argcount != 1:
            raise UnusualError("the root is a function of more than one argument")
        if arguments.vararg or arguments.kwarg or arguments.kwonlyargs:
            raise UnusualError("the root is a function of more than one argument")
        self._known = {arguments.args[0].arg: Steps()}

    def read(self) -> Steps:
        body = list(self._node.body)
        first = body[0]
        if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
            body = body[1:]
        for statement in body:
            if isinstance(statement, ast.Return) and statement is body[-1]:
                if statement.value is not None:
                    return self._answer(self._value(statement.value))
            elif isinstance(statement, ast.Assign) and len(statement.targets) == 1:
                (target,) = statement.targets
                if isinstance(target, ast.Name):
                    self._known[target.id] = self._value(statement.value)
                    continue
            raise self._other(statement)
        raise self._other(self._node)

    def _answer(self, steps: Steps) -> Steps:
        if steps.model is None:
            raise self._other(self._node)
        return steps

    def _value(self, node: ast.expr) -> Steps:
        if isinstance(node, ast.Name) and node.id in self._known:
            return self._known[node.id]
        if isinstance(node, ast.Subscript):
            return self._columns(node)
        if not isinstance(node, ast.Call) or node.keywords:
            raise self._other(node)
        if not isinstance(node.func, ast.Attribute) or len(node.args) > 1:
            raise self._other(node)
        if not node.args:
            given = self._value(node.func.value)
            if node.func.attr != "tolist" or given.model is None or given.is_list:
                raise self._other(node)
            return replace(given, is_list=True)
        return self._asked(node, node.func, self._value(node.args[0]))

    def _asked(self, node: ast.Call, method: ast.Attribute, given: Steps) -> Steps:
        """Add the call of a method of a global to what it is given."""
        owner = self._global(method.value)
        if given.model is not None:
            raise self._other(node)
        if method.attr == "transform":
            return replace(given, transforms=(*given.transforms, owner))
        if method.attr == "predict":
            return replace(given, model=owner)
        # a data frame that becomes an array loses names, and perhaps kinds
        if owner is sys.modules.get("numpy") and method.attr in _ARRAYS:
            return given
        raise self._other(node)

    def _columns(self, node: ast.Subscript) -> Steps:
        given = self._value(node.value)
        if given != Steps():
            raise self._other(node)
        items: Any = (
            [getattr(item, "value", None) for item in node.slice.elts]
            if isinstance(node.slice, ast.List)
            else self._global(node.slice)
        )
        is_list = isinstance(items, list) and bool(items)
        if not is_list or not all(isinstance(item, str) for item in items):
            raise self._other(node)
        return Steps(columns=tuple(items))

    def _global(self, node: ast.expr) -> Any:
        if not isinstance(node, ast.Name) or node.id in self._known:
            raise self._other(node)
        if node.id not in self._globals:
            raise self._other(node)
        return self._globals[node.id]

    def _other(self, node: ast.stmt | ast.expr) -> UnusualError:
        return UnusualError(
            f"model.py, line {node.lineno}: more than transform and predict"
        )

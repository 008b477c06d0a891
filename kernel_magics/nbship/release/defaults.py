"""Defaults of arguments: their text must still give the values that the function has."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any

from nbship.errors import ExportError
from nbship.release.literals import is_equal_value

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FunctionType

    from nbship.release.cells import FunctionNode
    from nbship.release.closure import ClosureWalk

_UNKNOWN = object()


def check_defaults(
    walk: ClosureWalk, name: str, function: FunctionType, node: FunctionNode
) -> None:
    """Compare each default's text with the live value.

    Raises
    ------
    ExportError
        If a default was mutated, or a name in it was bound anew, since the definition.
    """
    for argument, expression, value in defaults_of(function, node):
        found = _evaluate(walk, expression)
        if found is _UNKNOWN:
            walk.note(
                f"{name}: the default of {argument!r} is computed again when the module is "
                "imported"
            )
        elif found is not value and not is_equal_value(found, value):
            raise ExportError(
                f"{name}: the default of {argument!r} ({ast.unparse(expression)}) is no longer "
                "what it was when the function was defined",
                hint=f"Run the cell that defines {name} again, and do not change a default.",
                hazard="changed-default",
                name=name,
            )


def has_changed_default(
    walk: ClosureWalk, function: FunctionType, node: FunctionNode
) -> bool:
    """Tell whether a name in a default means something else now, as after a loop."""
    return any(
        found is not value and not is_equal_value(found, value)
        for _, expression, value in defaults_of(function, node)
        if isinstance(expression, ast.Name)
        and (found := _evaluate(walk, expression)) is not _UNKNOWN
    )


def defaults_of(
    function: FunctionType, node: FunctionNode
) -> Iterator[tuple[str, ast.expr, Any]]:
    """Walk the arguments that have a default: name, expression, live value."""
    positional = [*node.args.posonlyargs, *node.args.args]
    values = function.__defaults__ or ()
    expressions = node.args.defaults
    if len(values) == len(expressions):
        with_default = positional[len(positional) - len(values) :]
        for argument, expression, value in zip(
            with_default, expressions, values, strict=True
        ):
            yield argument.arg, expression, value
    named = function.__kwdefaults__ or {}
    for argument, optional in zip(
        node.args.kwonlyargs, node.args.kw_defaults, strict=True
    ):
        if optional is not None and argument.arg in named:
            yield argument.arg, optional, named[argument.arg]


def _evaluate(walk: ClosureWalk, node: ast.expr) -> Any:  # noqa: ANN401
    if isinstance(node, ast.Name):
        return walk.value_of(node.id) if walk.has(node.id) else _UNKNOWN
    if isinstance(node, ast.Attribute):
        owner = _evaluate(walk, node.value)
        return _UNKNOWN if owner is _UNKNOWN else getattr(owner, node.attr, _UNKNOWN)
    try:
        return ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError):
        return _UNKNOWN

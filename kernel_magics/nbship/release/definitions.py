"""Functions and classes of the notebook, in the author's own text.

A function that closes over values is written as the factory that binds them; decorators
stay where they stand in the text. What is written is compared with what ran when the module
is put together.
"""

from __future__ import annotations

import ast
import builtins
from dataclasses import replace
from functools import partial
from types import (
    BuiltinMethodType,
    FunctionType,
    MethodDescriptorType,
    MethodType,
    ModuleType,
    WrapperDescriptorType,
)
from typing import TYPE_CHECKING, Any

from nbship.errors import ExportError, HazardError
from nbship.release import cells as texts
from nbship.release.classes import class_item
from nbship.release.defaults import check_defaults, has_changed_default
from nbship.release.factories import factory_item
from nbship.release.imports import live_attribute
from nbship.release.instructions import (
    codes_of_cell,
    is_postponed,
    is_same_code,
    nested_code,
    use_of_text,
)
from nbship.release.items import Item, written_item
from nbship.release.naming import named_item
from nbship.release.opening import is_resource, is_resource_decorator
from nbship.release.recording import is_recorder

if TYPE_CHECKING:
    from types import CodeType

    from nbship.release.cells import ExecutedCell
    from nbship.release.closure import ClosureWalk


#: methods of types that are not written in Python
_C_METHODS = (BuiltinMethodType, MethodDescriptorType, WrapperDescriptorType)
#: attributes by which wrappers hold what they wrap
_HOLDERS = ("__wrapped__", "py_func", "pyfunc", "func")


def definition_item(walk: ClosureWalk, name: str, value: Any) -> Item | None:  # noqa: ANN401, PLR0911  # one line a kind
    """Write the definition of a function or class of the notebook.

    Returns
    -------
    Item or None
        None where the value is neither.

    Raises
    ------
    ExportError
        If its text is not to be had, or a default or base changed since.
    HazardError
        If it is a function of a kind that text cannot give back.
    """
    if isinstance(value, type):
        return class_item(walk, name, value)
    if isinstance(value, _C_METHODS):
        return _c_method_item(walk, name, value)
    if isinstance(value, MethodType):
        owner = walk.reference(value.__self__, suggestion=f"{name}__self", reader=name)
        text = f"{name} = {owner}.{value.__func__.__name__}"
        return written_item(name, text, kind="constant", reads=(owner,))
    if hasattr(value, "registry") and hasattr(value, "dispatch"):
        raise HazardError(
            f"{name!r} is a functools.singledispatch: what was registered is not in its text",
            hint="Write the cases as one function with isinstance.",
            hazard="singledispatch",
            name=name,
        )
    if is_resource(value):
        return _resource_item(walk, name, value)
    decorated = _decorated_function(walk, name, value)
    if decorated is not None:
        return _wrapped_item(walk, name, value, decorated)
    if hasattr(value, "cache_parameters"):
        return _cached_item(walk, name, value)
    if isinstance(value, FunctionType):
        return function_item(walk, name, value)
    return None


def function_item(walk: ClosureWalk, name: str, function: FunctionType) -> Item:
    """Write the definition of one function.

    Raises
    ------
    ExportError
        If no executed cell holds its text, or a default changed since.
    HazardError
        If values were hung on it.
    """
    code = function.__code__
    cell = walk.cells.get(code.co_filename)
    if cell is None:
        raise ExportError(
            f"{name}: no executed cell holds its text (it comes from {code.co_filename})",
            hint="Define it in a cell with def, and run that cell.",
            hazard="no-text",
            name=name,
        )
    if vars(function).keys() - {"__wrapped__"}:
        raise HazardError(
            f"{name}: it carries values of its own: {', '.join(vars(function))}",
            hint="Keep them in a global name that the function reads.",
            hazard="function-attributes",
            name=name,
        )
    node = _node_of(function, cell, name)
    is_loop_lambda = isinstance(node, ast.Lambda) and has_changed_default(
        walk, function, node
    )
    if code.co_freevars or is_loop_lambda or _enclosing_scope(node, cell) is not None:
        return factory_item(walk, name, function, node, cell)
    check_defaults(walk, name, function, node)
    if isinstance(node, ast.Lambda):
        return _lambda_item(name, function, node, cell)
    return _def_item(walk, name, function, node, cell)


def check_wrappers(walk: ClosureWalk) -> None:
    """Compare the functions that decorators made with the decorators in the closure.

    Raises
    ------
    ExportError
        If a decorator was redefined after it was applied.
    """
    known = [
        c
        for item in walk.items.values()
        for code in item.codes
        for c in nested_code(code)
    ]
    for name, wrapper in walk.wrappers:
        if not any(is_same_code(wrapper, code) for code in known):
            raise ExportError(
                f"{name}: a decorator was redefined after {name} was defined",
                hint=f"Run the cell that defines {name} again.",
                hazard="redefined",
                name=name,
            )


def _def_item(
    walk: ClosureWalk,
    name: str,
    function: FunctionType,
    node: ast.FunctionDef | ast.AsyncFunctionDef,
    cell: ExecutedCell,
) -> Item:
    passage = texts.passage_of(node, cell, drop=_own_lines(walk, node))
    return named_item(walk, name, node.name, passage, codes=(function.__code__,))


def _lambda_item(
    name: str, function: FunctionType, node: ast.Lambda, cell: ExecutedCell
) -> Item:
    text = ast.get_source_segment(cell.source, node) or ""
    first, last = node.lineno, node.end_lineno or node.lineno
    text = f"{name} = ({text})" if "\n" in text else f"{name} = {text}"
    lines = tuple(range(first, last + 1))
    for statement in texts.parse(cell.source).body:
        targets = getattr(statement, "targets", [getattr(statement, "target", None)])
        is_whole = getattr(statement, "value", None) is node and len(targets) == 1
        if is_whole and getattr(targets[0], "id", None) == name:
            passage = texts.passage_of(statement, cell)
            text, lines = passage.text, passage.lines
    use = use_of_text(text, is_future=is_postponed(function.__code__))
    return Item(
        name=name,
        kind="function",
        text=text,
        cell=cell,
        lines=lines,
        reads=use.reads,
        reads_at_definition=use.reads_at_definition,
        writes=use.writes,
        codes=(function.__code__,),
    )


def _node_of(
    function: FunctionType, cell: ExecutedCell, name: str
) -> texts.FunctionNode:
    code = function.__code__
    for node in texts.function_nodes(code, cell):
        for made in codes_of_cell(cell.source, is_future=is_postponed(code)):
            is_here = made.co_firstlineno == code.co_firstlineno
            if is_here and is_same_code(made, code) and _starts_like(made, node):
                return node
    raise ExportError(
        f"{name}: its text differs from what ran in {cell.place}",
        hint=f"Run the cell that defines {name} again.",
        hazard="edited",
        name=name,
    )


def _starts_like(code: CodeType, node: texts.FunctionNode) -> bool:
    if not isinstance(node, ast.Lambda):
        return True
    columns = [c for _, _, c, _ in code.co_positions() if c is not None]
    body = node.body
    ends = body.end_col_offset or 0
    if body.lineno != body.end_lineno:
        return True
    return any(body.col_offset <= column <= ends for column in columns)


def _enclosing_scope(node: ast.AST, cell: ExecutedCell) -> ast.AST | None:
    for outer in ast.walk(texts.parse(cell.source)):
        is_scope = isinstance(outer, (*texts.SCOPES, *texts.INNER))
        if is_scope and outer is not node and any(n is node for n in ast.walk(outer)):
            return outer
    return None


def _own_lines(
    walk: ClosureWalk, node: ast.FunctionDef | ast.AsyncFunctionDef
) -> set[int]:
    """Lines of nbship's own decorators: they stay in the notebook."""
    lines: set[int] = set()
    for decorator in node.decorator_list:
        called = decorator.func if isinstance(decorator, ast.Call) else decorator
        found = live_attribute(walk, called)
        if is_recorder(found) or is_resource_decorator(found):
            lines |= set(range(decorator.lineno, (decorator.end_lineno or 0) + 1))
    return lines


def _decorated_function(
    walk: ClosureWalk,
    name: str,
    value: Any,  # noqa: ANN401
) -> FunctionType | None:
    """Find the function under decorators whose ``def`` gave the value its name."""
    if isinstance(value, partial) or not callable(value):
        return None
    names = {name, getattr(value, "__name__", name)}
    seen: set[int] = set()
    queue = [value]
    while queue:
        part = queue.pop(0)
        if id(part) in seen:
            continue
        seen.add(id(part))
        is_named = isinstance(part, FunctionType) and part.__code__.co_name in names
        if is_named and part is not value and _is_decorated(walk, part):
            return part  # type: ignore[no-any-return]
        queue += _inside(part)
    return None


def _inside(value: Any) -> list[Any]:  # noqa: ANN401
    parts = [getattr(value, key, None) for key in _HOLDERS]
    if type(value).__module__ == "__main__":  # a decorator that is a class
        parts += list(getattr(value, "__dict__", {}).values())
    for cell in getattr(value, "__closure__", None) or ():
        try:
            parts.append(cell.cell_contents)
        except ValueError:  # a cell that was never filled
            continue
    return [part for part in parts if callable(part) and not isinstance(part, type)]


def _is_decorated(walk: ClosureWalk, function: FunctionType) -> bool:
    cell = walk.cells.get(function.__code__.co_filename)
    nodes = texts.function_nodes(function.__code__, cell) if cell else []
    return any(
        getattr(node, "decorator_list", []) and _enclosing_scope(node, cell) is None  # type: ignore[arg-type]
        for node in nodes
    )


def _wrapped_item(
    walk: ClosureWalk,
    name: str,
    value: Any,  # noqa: ANN401
    function: FunctionType,
) -> Item:
    cell = walk.cells[function.__code__.co_filename]
    node = _node_of(function, cell, name)
    check_defaults(walk, name, function, node)
    if isinstance(value, FunctionType) and value.__code__.co_filename in walk.cells:
        walk.wrappers.append((name, value.__code__))
    return _def_item(walk, name, function, node, cell)  # type: ignore[arg-type]


def _c_method_item(walk: ClosureWalk, name: str, value: Any) -> Item | None:  # noqa: ANN401
    """Write a method such as ``str.upper`` or ``table.get``; None for a module's function."""
    owner = getattr(value, "__self__", getattr(value, "__objclass__", None))
    if owner is None or isinstance(owner, ModuleType):
        return None
    own = getattr(owner, "__name__", "")
    if getattr(builtins, own, None) is not owner:
        own = walk.reference(owner, suggestion=f"{name}__self", reader=name)
    text = f"{name} = {own}.{value.__name__}"
    return written_item(name, text, kind="constant", reads=(own,))


def _resource_item(walk: ClosureWalk, name: str, value: Any) -> Item:  # noqa: ANN401
    item = function_item(walk, name, value.__wrapped__)
    text = f"import functools\n\n\n@functools.cache\n{item.text}"
    return replace(item, text=text, lines=(0, 0, 0, 0, *item.lines), is_resource=True)


def _cached_item(walk: ClosureWalk, name: str, value: Any) -> Item:  # noqa: ANN401
    inner = walk.reference(
        value.__wrapped__, suggestion=f"{name}__wrapped", reader=name
    )
    options = ", ".join(f"{k}={v!r}" for k, v in value.cache_parameters().items())
    text = f"import functools\n\n{name} = functools.lru_cache({options})({inner})"
    return written_item(name, text, kind="function", reads=(inner,))

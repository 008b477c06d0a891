"""Functions that close over values, written as the factory that binds those values.

::

    def _make_predict():
        scale = 2.0
        def predict(x):
            return x * scale
        return predict


    predict = _make_predict()
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any

from nbship.errors import ExportError
from nbship.release import cells as texts
from nbship.release.defaults import defaults_of
from nbship.release.hazards import shared_variable
from nbship.release.instructions import free_writes, is_postponed, use_of_text
from nbship.release.items import Item

if TYPE_CHECKING:
    from types import FunctionType

    from nbship.release.cells import ExecutedCell, FunctionNode
    from nbship.release.closure import ClosureWalk


def factory_item(
    walk: ClosureWalk,
    name: str,
    function: FunctionType,
    node: FunctionNode,
    cell: ExecutedCell,
) -> Item:
    """Write a factory around the author's text of an inner function.

    Raises
    ------
    ExportError
        If a value it closes over was never set, or a default is computed from one.
    """
    _check_shared(walk, name, function)
    own = getattr(node, "name", "")
    body, lines = _body(node, cell)
    indentation = " " * (node.col_offset if own else 4)
    bindings = [
        f"{indentation}{variable} = "
        + walk.reference(value, suggestion=f"{name}__{variable}", reader=name)
        for variable, value in _bound_values(name, function, node).items()
        if variable != own or value is not function
    ]
    # The author's own indentation is kept, so that no string in the text changes.
    text = "\n".join([f"def _make_{name}():", *bindings, body])
    if own:
        text += f"\n{indentation}return {own}"
    text += f"\n\n\n{name} = _make_{name}()"
    after = text.count("\n") + 1 - (1 + len(bindings) + len(lines))
    is_future = is_postponed(function.__code__)
    use = use_of_text(text, is_future=is_future)
    maker = f"_make_{name}"
    return Item(
        name=name,
        kind="function",
        text=text,
        cell=cell,
        lines=(*(0,) * (1 + len(bindings)), *lines, *(0,) * after),
        reads=tuple(read for read in use.reads if read != maker),
        # the factory runs while the module is imported
        reads_at_definition=frozenset(use.reads) - {maker},
        also_binds=frozenset({maker}),
        writes=use.writes,
        imports=use.imports,
        is_future=is_future,
        codes=(function.__code__,),
    )


def _check_shared(walk: ClosureWalk, name: str, function: FunctionType) -> None:
    """Refuse a variable that two functions close over and one of them sets."""
    written = free_writes(function.__code__)
    cells = zip(function.__code__.co_freevars, function.__closure__ or (), strict=True)
    for variable, cell in cells:
        other, is_set = walk.closed_over.get(id(cell), (name, False))
        is_set = is_set or variable in written
        walk.closed_over[id(cell)] = (other, is_set)
        if is_set and other != name:
            error = shared_variable(name, other, variable)
            raise error
        if is_set:
            walk.note(f"{name} keeps {variable!r} from one call to the next")


def _body(node: FunctionNode, cell: ExecutedCell) -> tuple[str, tuple[int, ...]]:
    if isinstance(node, ast.Lambda):
        text = ast.get_source_segment(cell.source, node) or ""
        last = node.end_lineno or node.lineno
        return f"    return ({text})", tuple(range(node.lineno, last + 1))
    passage = texts.passage_of(node, cell)
    return passage.text, passage.lines


def _bound_values(
    name: str, function: FunctionType, node: FunctionNode
) -> dict[str, Any]:
    bound: dict[str, Any] = {}
    code = function.__code__
    for variable, part in zip(
        code.co_freevars, function.__closure__ or (), strict=True
    ):
        try:
            bound[variable] = part.cell_contents
        except ValueError as error:
            raise ExportError(
                f"{name} closes over {variable!r}, which was never set",
                hint=f"Set {variable} before {name} is made.",
                hazard="closure",
                name=name,
            ) from error
    for argument, expression, value in defaults_of(function, node):
        if isinstance(expression, ast.Name):
            bound.setdefault(expression.id, value)
        elif any(isinstance(part, ast.Name) for part in ast.walk(expression)):
            raise ExportError(
                f"{name}: the default of {argument!r} ({ast.unparse(expression)}) is computed "
                "inside another function",
                hint="Give it a name first, and use that name as the default.",
                hazard="closure",
                name=name,
            )
    return bound

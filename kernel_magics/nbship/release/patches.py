"""Monkey patches: attributes of imported modules and classes that cells set.

A package imports the module as its distribution has it, so that a patch would be lost and the
answers be others.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass
from types import FunctionType, ModuleType
from typing import TYPE_CHECKING, Any

from nbship.errors import HazardError
from nbship.release.cells import parse
from nbship.release.imports import live_attribute
from nbship.release.instructions import compiled, nested_code

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nbship.release.cells import ExecutedCell
    from nbship.release.closure import ClosureWalk

_SET_ATTRIBUTE_ARGUMENTS = 3


@dataclass(frozen=True, kw_only=True, slots=True)
class Patch:
    """An attribute of an imported module or class that a cell sets."""

    #: such as ``pandas.DataFrame.shout``
    path: str
    module: str
    attribute: str
    value: Any
    cell: ExecutedCell


def patch_hazards(walk: ClosureWalk) -> dict[str, HazardError]:
    """Refuse patches that the closure calls; note settings that the package will not have.

    Returns
    -------
    dict
        Path of the attribute -> the error.
    """
    used = {module.partition(".")[0] for module in walk.modules}
    called: set[str] | None = None
    found: dict[str, HazardError] = {}
    for patch in _patches(walk):
        if patch.module not in used:
            continue
        if not _is_of_notebook(patch.value, walk):
            walk.note(f"{patch.path} is set in {patch.cell.place}, not in the package")
            continue
        called = _attributes(walk) if called is None else called
        if patch.attribute in called:
            found[patch.path] = HazardError(
                f"{patch.path} is replaced in {patch.cell.place} by a function of the "
                "notebook; a package imports the original",
                hint="Write it as a function of its own, and call that.",
                hazard="monkey-patch",
                name=patch.path,
            )
    return found


def _patches(walk: ClosureWalk) -> Iterator[Patch]:
    for cell in walk.cells.values():
        for node in ast.walk(parse(cell.source)):
            for target, attribute in _set_attributes(node):
                owner = live_attribute(walk, target)
                path = _path(owner)
                if path:
                    yield Patch(
                        path=f"{path}.{attribute}",
                        module=path.partition(".")[0],
                        attribute=attribute,
                        value=getattr(owner, attribute, None),
                        cell=cell,
                    )


def _set_attributes(node: ast.AST) -> Iterator[tuple[ast.expr, str]]:
    targets: list[ast.expr] = []
    if isinstance(node, ast.Assign):
        targets = node.targets
    elif isinstance(node, (ast.AugAssign, ast.AnnAssign)):
        targets = [node.target]
    elif isinstance(node, ast.Call) and getattr(node.func, "id", "") == "setattr":
        name = node.args[1] if len(node.args) == _SET_ATTRIBUTE_ARGUMENTS else None
        if isinstance(name, ast.Constant) and isinstance(name.value, str):
            yield node.args[0], name.value
    for target in targets:
        for part in ast.walk(target):
            if isinstance(part, ast.Attribute) and isinstance(part.ctx, ast.Store):
                yield part.value, part.attr


def _path(owner: Any) -> str:  # noqa: ANN401
    """Name an imported module or class; "" for everything else."""
    if isinstance(owner, ModuleType):
        return owner.__name__
    if isinstance(owner, type) and owner.__module__ not in {"__main__", "builtins"}:
        return f"{owner.__module__}.{owner.__qualname__}"
    return ""


def _is_of_notebook(value: Any, walk: ClosureWalk) -> bool:  # noqa: ANN401
    value = getattr(value, "fget", None) or getattr(value, "__func__", None) or value
    if isinstance(value, FunctionType):
        return value.__code__.co_filename in walk.cells
    return isinstance(value, type) and value.__module__ == "__main__"


def _attributes(walk: ClosureWalk) -> set[str]:
    return {
        name
        for item in walk.items.values()
        if item.kind != "import"
        for code in nested_code(compiled(item.text, is_future=item.is_future))
        for name in code.co_names
    }

"""What a reader should know of a statement of the package although it is no refusal."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from nbship.release import devices, environ
from nbship.release.imports import live_attribute

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nbship.release.closure import ClosureWalk
    from nbship.release.items import Item

_BUILTINS = {
    **dict.fromkeys(
        ("eval", "exec", "globals", "locals", "vars", "__import__"),
        "names in strings are not followed",
    ),
    "print": "a server has nobody who reads it",
    "open": "the file must be where the package runs",
}
#: modules whose functions answer differently from call to call
_UNSTEADY = ("random", "secrets", "uuid", "numpy.random", "time")
_UNSTEADY_METHODS = ("datetime.now", "datetime.utcnow", "datetime.today", "date.today")
_STEADY = {"seed", "sleep", "default_rng", "RandomState", "Generator", "Random"}


def remarks_of(item: Item, walk: ClosureWalk) -> Iterator[str]:
    """Walk what is worth a remark in one statement."""
    if item.kind == "import":
        return
    for name, why in _BUILTINS.items():
        if name in item.reads and not walk.has(name):
            yield f"{item.name} calls {name}(): {why}"
    for name in sorted(item.writes):
        yield f"{item.name} changes the global {name!r} when it is called"
    if "__name__" in item.text:  # every class body reads it
        yield f"{item.name} reads __name__, which is not '__main__' in a package"
    if environ.COMPUTED in environ.variables_of(item.text, walk):
        yield f"{item.name} reads an environment variable whose name is computed"
    for word in devices.named_in(item):
        yield (
            f"{item.name} names the device {word!r} in its text, which stays: a global name, "
            f"such as device = {word!r}, would be a choice of run time"
        )
    for called in sorted(_unsteady_calls(item.text, walk)):
        yield f"{item.name} calls {called}(): its answers may differ from call to call"


def _unsteady_calls(text: str, walk: ClosureWalk) -> set[str]:
    return {
        ast.unparse(node.func)
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Call) and _is_unsteady(node.func, walk)
    }


def _is_unsteady(node: ast.expr, walk: ClosureWalk) -> bool:
    if isinstance(node, ast.Attribute):
        owner = live_attribute(walk, node.value)
        name = getattr(owner, "__name__", "")
        if f"{name}.{node.attr}" in _UNSTEADY_METHODS:
            return True
        return name in _UNSTEADY and node.attr not in _STEADY
    value = live_attribute(walk, node)
    module = getattr(value, "__module__", None)
    module = module or type(getattr(value, "__self__", None)).__module__
    return (
        isinstance(node, ast.Name)
        and module in _UNSTEADY
        and callable(value)
        and node.id not in _STEADY
    )

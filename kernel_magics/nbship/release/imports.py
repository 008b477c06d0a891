"""Import statements for modules and for objects that modules offer.

The author's own import statement is preferred where it still gives the same object; a star
import becomes the one name that is needed.
"""

from __future__ import annotations

import ast
import sys
from types import BuiltinFunctionType, FunctionType, ModuleType
from typing import TYPE_CHECKING, Any

from nbship.release.cells import by_age, parse
from nbship.release.items import Item

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nbship.release.cells import Cells
    from nbship.release.closure import ClosureWalk

#: folder of the package that holds modules of files beside the notebook
FOLDER = "_local"
#: packages that load their submodules, at once or when first asked
_WHOLE = {"numpy", "os", "pandas", "scipy", "torch"}
_CALLABLES = (type, FunctionType, BuiltinFunctionType)


def import_item(walk: ClosureWalk, name: str, value: Any) -> Item | None:  # noqa: ANN401
    """Write the import that binds ``name`` to ``value``; None where no module offers it."""
    if isinstance(value, ModuleType):
        return module_item(walk, name, value)
    place = authors_place(name, value, walk.cells) or importable(value)
    return None if place is None else from_item(walk, name, *place)


def module_item(walk: ClosureWalk, name: str, module: ModuleType) -> Item:
    """Write ``import module as name``, the author's alias kept."""
    path = module.__name__
    walk.use_module(path)
    parent, _, leaf = path.rpartition(".")
    if walk.is_local(path):
        alias = "" if leaf == name else f" as {name}"
        place = f".{FOLDER}.{parent}" if parent else f".{FOLDER}"
        return _item(name, f"from {place} import {leaf}{alias}")
    if path == name:
        text = f"import {path}"
    elif leaf == name:
        text = f"from {parent} import {leaf}"
    else:
        text = f"import {path} as {name}"
    return _item(name, text)


def from_item(walk: ClosureWalk, name: str, module: str, attribute: str) -> Item:
    """Write ``from module import attribute as name``."""
    walk.use_module(module)
    alias = "" if attribute == name else f" as {name}"
    place = f".{FOLDER}.{module}" if walk.is_local(module) else module
    return _item(name, f"from {place} import {attribute}{alias}")


def submodule_item(walk: ClosureWalk, path: str) -> Item:
    """Write ``import package.sub`` for a chain of attributes that needs it loaded."""
    walk.use_module(path)
    if walk.is_local(path):
        parent, _, leaf = path.rpartition(".")
        alias = "_" + path.replace(".", "_")
        return _item(path, f"from .{FOLDER}.{parent} import {leaf} as {alias}")
    return _item(path, f"import {path}")


def importable(value: Any) -> tuple[str, str] | None:  # noqa: ANN401
    """Return the module and the name under which an object can be imported."""
    name = getattr(value, "__qualname__", None) or getattr(value, "__name__", None)
    if not isinstance(name, str) or "." in name or not name.isidentifier():
        return None
    module = getattr(value, "__module__", None)
    if module == "__main__":
        return None
    if isinstance(module, str) and offers(module, name, value):
        return _public(module, name, value), name
    if isinstance(value, _CALLABLES) or not callable(value):
        return None
    root = type(value).__module__.partition(".")[0]  # such as NumPy's ufuncs
    return (root, name) if root != "__main__" and offers(root, name, value) else None


def authors_place(name: str, value: Any, cells: Cells) -> tuple[str, str] | None:  # noqa: ANN401
    """Find an executed import statement that binds ``name`` to this very object."""
    for node in _from_imports(cells):
        for alias in node.names:
            if alias.name == "*" and offers(node.module or "", name, value):
                return node.module or "", name
            is_named = (alias.asname or alias.name) == name
            if is_named and offers(node.module or "", alias.name, value):
                return node.module or "", alias.name
    return None


def offers(module: str, name: str, value: Any) -> bool:  # noqa: ANN401
    """Tell whether a module that is already loaded offers this very object."""
    if module in {"", "__main__", "builtins"} or module not in sys.modules:
        return False
    found = sys.modules[module]
    try:
        # what is None in the notebook is not what the module lacks
        return hasattr(found, name) and getattr(found, name) is value
    except Exception:  # noqa: BLE001  # a lazy module may raise anything
        return False


def is_guarded_open(name: str, value: Any) -> bool:  # noqa: ANN401
    """Tell whether it is the ``open`` that IPython puts into every notebook."""
    home = str(getattr(value, "__globals__", {}).get("__name__", ""))
    return name == "open" and home.startswith("IPython.")


def live_attribute(walk: ClosureWalk, node: ast.expr) -> Any:  # noqa: ANN401
    """Return the live object of ``a.b.c``, following modules and classes alone.

    Other objects may run code when they are asked for an attribute; None stands for them.
    """
    if isinstance(node, ast.Name):
        return walk.namespace.get(node.id)
    if not isinstance(node, ast.Attribute):
        return None
    owner = live_attribute(walk, node.value)
    if not isinstance(owner, (ModuleType, type)):
        return None
    try:
        return getattr(owner, node.attr, None)
    except Exception:  # noqa: BLE001  # a lazy module may raise anything
        return None


def submodules_of(text: str, walk: ClosureWalk) -> Iterator[str]:
    """Walk the submodules that chains such as ``scipy.stats.norm`` need imported."""
    for node in ast.walk(ast.parse(text)):
        chain = _chain(node)
        if len(chain) < 2 or not walk.has(chain[0]):  # noqa: PLR2004  # a name and an attribute
            continue
        module = walk.value_of(chain[0])
        for part in chain[1:]:
            child = (
                getattr(module, part, None) if isinstance(module, ModuleType) else None
            )
            if not isinstance(child, ModuleType) or not isinstance(module, ModuleType):
                break
            path = f"{module.__name__}.{part}"
            if sys.modules.get(path) is child and module.__name__ not in _WHOLE:
                yield path
            module = child


def _chain(node: ast.AST) -> list[str]:
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.insert(0, node.attr)
        node = node.value
    return [node.id, *parts] if isinstance(node, ast.Name) else []


def _from_imports(cells: Cells) -> Iterator[ast.ImportFrom]:
    for cell in by_age(cells):
        for node in ast.walk(parse(cell.source)):
            if isinstance(node, ast.ImportFrom) and not node.level:
                yield node


def _public(module: str, name: str, value: Any) -> str:  # noqa: ANN401
    """Prefer ``pandas`` to ``pandas.core.frame`` where both offer the object."""
    parts = module.split(".")
    for length in range(1, len(parts)):
        shorter = ".".join(parts[:length])
        if offers(shorter, name, value):
            return shorter
    return module


def _item(name: str, text: str) -> Item:
    return Item(name=name, kind="import", text=text, lines=(0,))

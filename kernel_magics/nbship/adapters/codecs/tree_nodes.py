"""From live objects to the nodes that ``_tree.py`` of the exported package reads."""

from __future__ import annotations

import collections
import enum
import functools
import math
import pathlib
import re
import sys
from types import BuiltinFunctionType, FunctionType, MethodType, ModuleType
from typing import Any, NoReturn

from nbship.adapters.codecs.tree_forms import (
    CannotWriteError,
    fix_for,
    home_of,
    is_torch,
    module_fix,
    owner_of,
    reduced_parts,
)
from nbship.adapters.codecs.tree_parts import PartWriter
from nbship.errors import HazardError
from nbship.release import hazards
from nbship.release.imports import importable
from nbship.resources import shipped_module

Node = Any
_SIMPLE = frozenset({type(None), bool, int, str})
_DICTS: dict[type, str] = {dict: "dict", collections.OrderedDict: "OrderedDict",
          collections.Counter: "Counter", collections.defaultdict: "defaultdict"}  # fmt: skip
_STANDARD = {"collections", "datetime", "decimal", "fractions", "uuid", "zoneinfo",
             "builtins", "math", "operator", "statistics", "string", "types", "enum"}  # fmt: skip
#: builtins that run text, read files, or reach what was not named
_FORBIDDEN = {"eval", "exec", "compile", "open", "__import__", "getattr", "setattr",
              "globals", "input", "breakpoint", "vars", "delattr"}  # fmt: skip
#: words of PyTorch: values that only stand for themselves
_TORCH_WORDS = {"dtype", "layout", "memory_format"}


class TreeWriter:
    """Writes one composite value; every object once."""

    def __init__(self) -> None:
        self.trusted: set[str] = set()
        #: classes and functions of the notebook, by name
        self.objects: dict[str, Any] = {}
        self._parts = PartWriter()
        self._ids: dict[int, int] = {}
        self._alive: list[Any] = []
        #: immutable containers whose items are being written
        self._open: set[int] = set()

    @property
    def modules(self) -> set[str]:
        """Import names that the reader needs."""
        roots = {path.partition(".")[0] for path in self.trusted}
        own = {shipped_module("_tree").NOTEBOOK, *sys.stdlib_module_names}
        return (self._parts.modules | roots) - own

    def finished_files(self) -> dict[str, bytes]:
        """Return the files of all parts; nothing can be added afterwards."""
        files = self._parts.finished_files()
        self.trusted |= self._parts.trusted
        self.objects |= self._parts.objects
        return files

    def node(self, value: Any, path: str) -> Node:  # noqa: ANN401
        """Write a value.

        Raises
        ------
        CannotWriteError
            If it, or something in it, has no codec.
        HazardError
            If something in it has no place in a package.
        """
        if type(value) in _SIMPLE:
            return value
        if type(value) is float and math.isfinite(value):
            return value
        if id(value) in self._ids and id(value) not in self._open:
            return {"kind": "same", "of": self._ids[id(value)]}
        if id(value) in self._open:
            raise CannotWriteError(path, "something that holds itself")
        scalar = self._parts.scalar(value)
        if scalar is not None:
            return scalar
        self._ids[id(value)] = number = len(self._ids)
        self._alive.append(value)  # so that its id is not given to another
        node = self._shared_node(value, path)
        return {**node, "id": number}

    def _shared_node(self, value: Any, path: str) -> dict[str, Any]:  # noqa: ANN401
        for write in (
            self._container,
            self._reference,
            self._parts.part,
            self._plain,
            self._own_form,
            self._object,
        ):
            node: dict[str, Any] | None = write(value, path)
            if node is not None:
                return node
        is_builtin = type(value).__module__ == "builtins"
        opaque = None if is_builtin else self._parts.opaque(value)
        if opaque is None:
            what = hazards.type_name(value)
            raise CannotWriteError(path, f"a {what}", fix_for(value))
        return opaque

    def _container(self, value: Any, path: str) -> dict[str, Any] | None:  # noqa: ANN401
        kind = type(value)
        if kind in (tuple, frozenset):
            self._open.add(id(value))
            node = {"kind": kind.__name__, "items": self._items(value, path)}
            self._open.discard(id(value))
            return node
        if kind in (list, set):
            return {"kind": kind.__name__, "items": self._items(value, path)}
        if kind is collections.deque:
            items = self._items(value, path)
            return {"kind": "deque", "maxlen": value.maxlen, "items": items}
        if kind not in _DICTS:
            return self._objects(value, path)
        node = {"kind": "dict", "type": _DICTS[kind]}
        if kind is collections.defaultdict:
            node["factory"] = self.node(
                value.default_factory, f"{path}.default_factory"
            )
        return {**node, "pairs": self._pairs(value, path)}

    def _objects(self, value: Any, path: str) -> dict[str, Any] | None:  # noqa: ANN401
        """Write an array of objects item by item."""
        np = sys.modules.get("numpy")
        if np is None or type(value) is not np.ndarray or value.dtype != object:
            return None
        self._parts.modules.add("numpy")
        items = self._items(list(value.flat), path)
        return {"kind": "objects", "shape": list(value.shape), "items": items}

    def _items(self, value: Any, path: str) -> list[Node]:  # noqa: ANN401
        if isinstance(value, (set, frozenset)):
            value = sorted(value, key=lambda item: (type(item).__name__, repr(item)))
        return [self.node(item, f"{path}[{i}]") for i, item in enumerate(value)]

    def _pairs(self, value: Any, path: str) -> list[Node]:  # noqa: ANN401
        return [
            [self.node(key, f"{path} key"), self.node(item, _below(path, key))]
            for key, item in value.items()
        ]

    def _reference(self, value: Any, path: str) -> dict[str, Any] | None:  # noqa: ANN401
        """Name a class, a function or a member of an enumeration.

        Raises
        ------
        CannotWriteError
            If it is a module, a combined flag, or a function without a name.
        """
        if isinstance(value, enum.Enum):
            if value.name not in type(value).__members__:
                raise CannotWriteError(path, f"the combined member {value!r}")
            return {
                "kind": "member",
                "of": self.node(type(value), path),
                "name": value.name,
            }
        if isinstance(value, MethodType):
            owner = self.node(value.__self__, f"{path}.__self__")
            return {"kind": "member", "of": owner, "name": value.__name__}
        if isinstance(value, ModuleType):
            raise CannotWriteError(
                path, f"the module {value.__name__}", module_fix(value)
            )
        is_named = isinstance(value, (type, FunctionType, BuiltinFunctionType))
        is_ufunc = type(value).__name__ in {"ufunc", "_ArrayFunctionDispatcher"}
        if not is_named and not is_ufunc and not is_torch(value, _TORCH_WORDS):
            return None
        if getattr(value, "__module__", "") == "__main__":
            self.objects[value.__qualname__] = value
            self.trusted.add(f"{shipped_module('_tree').NOTEBOOK}.{value.__qualname__}")
            return {"kind": "name", "name": value.__qualname__}
        place = importable(value) or home_of(value)
        owner = owner_of(value) if place is None else None
        if owner is not None:
            return {
                "kind": "member",
                "of": self.node(owner, path),
                "name": value.__name__,
            }
        if place is None:
            self._refuse_unnamed(value, path)
        return self._import(*place, path)

    def _refuse_unnamed(self, value: Any, path: str) -> NoReturn:  # noqa: ANN401
        what = f"the function {getattr(value, '__qualname__', value)}"
        fix = "Write it as a def at the top level of a cell, and make the object again."
        raise CannotWriteError(path, what, fix)

    def _import(self, module: str, name: str, path: str) -> dict[str, Any]:
        root = module.partition(".")[0]
        is_standard = root in sys.stdlib_module_names and root not in _STANDARD
        if is_standard or (root == "builtins" and name in _FORBIDDEN):
            raise HazardError(
                f"it holds {module}.{name} at {path or 'its top'}, which a package must "
                "not trust",
                hint="Write a function in a cell that does what is needed, and use that.",
            )
        self.trusted.add(f"{module}.{name}")
        return {"kind": "import", "module": module, "name": name}

    def _plain(self, value: Any, path: str) -> dict[str, Any] | None:  # noqa: ANN401
        if isinstance(value, functools.partial) and type(value) is functools.partial:
            return {
                "kind": "partial",
                "function": self.node(value.func, f"{path}.func"),
                "arguments": self._items(value.args, f"{path}.args"),
                "keywords": [
                    [key, self.node(item, f"{path}.keywords[{key!r}]")]
                    for key, item in value.keywords.items()
                ],
            }
        arguments: list[Any] | None = None
        kind = type(value).__name__
        if type(value) in (range, slice):
            arguments = [value.start, value.stop, value.step]
        elif isinstance(value, re.Pattern):
            kind, arguments = (
                "pattern",
                [value.pattern, value.flags & ~re.UNICODE.value],
            )
        elif isinstance(value, (pathlib.PosixPath, pathlib.PurePosixPath)):
            arguments = [str(value)]
        elif type(value) is bytearray:
            arguments = [bytes(value)]
        if arguments is None:
            return None
        return {
            "kind": "plain",
            "type": kind,
            "arguments": self._items(arguments, path),
        }

    def _own_form(self, value: Any, path: str) -> dict[str, Any] | None:  # noqa: ANN401
        """Let an object say by itself what to keep of it.

        Raises
        ------
        CannotWriteError
            If its class cannot make it again.
        """
        cls = type(value)
        if not hasattr(cls, "__mlops_save__"):
            return None
        if not hasattr(cls, "__mlops_load__"):
            raise CannotWriteError(
                path,
                f"a {cls.__qualname__} with __mlops_save__ and no __mlops_load__",
                f"Give {cls.__qualname__} a classmethod __mlops_load__(cls, saved).",
            )
        named = self.node(cls, path)
        self._open.add(id(value))
        saved = self.node(value.__mlops_save__(), f"{path}.__mlops_save__()")
        self._open.discard(id(value))
        return {"kind": "loaded", "class": named, "saved": saved}

    def _object(self, value: Any, path: str) -> dict[str, Any] | None:  # noqa: ANN401
        """Write an object that its class, without arguments of ``__init__``, and state make."""
        parts = reduced_parts(value, path)
        if parts is None:
            return None
        (cls, *arguments), state, items, pairs = parts
        if cls.__module__ != "__main__" and importable(cls) is None:
            return None
        node: dict[str, Any] = {
            "kind": "object",
            "class": self.node(cls, path),
            "arguments": self._items(arguments, f"{path}.__new__"),
        }
        if items is not None:
            node["items"] = self.node(list(items), path)
        if pairs is not None:
            node["pairs"] = self._pairs(dict(pairs), path)
        if state is not None:
            node["state"] = self._state(state, path)
        return node

    def _state(self, state: Any, path: str) -> Node:  # noqa: ANN401
        """Write attributes so that messages name them as the author does."""
        if type(state) is dict and all(type(key) is str for key in state):
            pairs = [[key, self.node(v, f"{path}.{key}")] for key, v in state.items()]
            return {"kind": "dict", "type": "dict", "pairs": pairs}
        return self.node(state, path)


def _below(path: str, key: Any) -> str:  # noqa: ANN401
    return f"{path}[{key!r}]" if path or not isinstance(key, str) else key

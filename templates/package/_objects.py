"""Describe objects that JSON has no kind for, so that two of them can be compared.

Ships verbatim inside every exported package. A description says all that a copy would be made
from (``__reduce_ex__``): the class, what is handed to it, the attributes, the items. It is for
comparing answers and for arguments that a call changed; nothing is ever built from one.
"""

from __future__ import annotations

import contextlib
import copyreg
import operator
from types import (
    BuiltinFunctionType,
    FunctionType,
    GeneratorType,
    MethodType,
    ModuleType,
)
from typing import TYPE_CHECKING, Any

from . import _values
from ._values import UnsupportedValueError

if TYPE_CHECKING:
    from collections.abc import Iterator

#: objects that one description may hold
MAX_OBJECTS = 20_000
#: the notebook's own module, whatever it is called in this process
NOTEBOOK = "__notebook__"
#: libraries whose objects are shown, not compared
_SHOWN = ("matplotlib", "plotly", "ipywidgets", "anywidget", "IPython", "PIL")
_PROTOCOL = 4
_PARTS = 5
_REFERRED = (type, FunctionType, BuiltinFunctionType, ModuleType)


def encode(value: Any, path: str = "") -> Any:
    """Turn a value into JSON as ``_values.encode`` does, objects described.

    Raises
    ------
    UnsupportedValueError
        If something in it can neither be written nor described.
    """
    with _describing():
        return _values.encode(value, path)


def type_path(kind: type) -> str:
    """Name a class, the same in the notebook and in the package."""
    return f"{_module_of(kind)}.{kind.__qualname__}"


class _Description:
    """Describes the objects of one value, each once."""

    def __init__(self) -> None:
        self._seen: dict[int, int] = {}
        #: keeps what was made on the way alive, so that no identity is used twice
        self._kept: list[Any] = []

    def __call__(self, value: Any, path: str) -> Any:
        if isinstance(value, _REFERRED) or _is_word(value):
            return {"$name": _name_of(value, path)}
        if isinstance(value, MethodType):
            owner = _values.encode(value.__self__, f"{path}.__self__")
            return {"$method": [owner, value.__name__]}
        if id(value) in self._seen:
            return {"$again": self._seen[id(value)]}
        if len(self._seen) == MAX_OBJECTS:
            raise UnsupportedValueError(f"more than {MAX_OBJECTS} objects")
        _refuse(value, path)
        self._seen[id(value)] = len(self._seen)
        self._kept.append(value)
        if getattr(getattr(value, "dtype", None), "names", None):
            return _records(value, path)
        if type(value).__module__.startswith("numpy.random"):
            return _random(value, path)
        return self._object(value, path)

    def _object(self, value: Any, path: str) -> Any:
        kind = type(value)
        reduced = _reduced(value, path)
        if isinstance(reduced, str):
            return {"$name": f"{_module_of(kind)}.{reduced}"}
        self._kept.append(reduced)
        make, arguments, state, items, pairs = (*reduced, *[None] * _PARTS)[:_PARTS]
        body: dict[str, Any] = {"type": type_path(kind)}
        if make is not copyreg.__newobj__ or arguments != (kind,):  # type: ignore[attr-defined]
            body["made"] = [
                _name_of(make, path),
                _values.encode(list(arguments), f"{path}.__new__"),
            ]
        if state is not None:
            body["state"] = _state(state, path)
        if items is not None:
            body["items"] = _values.encode(list(items), path)
        if pairs is not None:
            body["pairs"] = _values.encode([list(pair) for pair in pairs], path)
        return {"$object": body}


def _random(value: Any, path: str) -> Any:
    """Describe where a generator stands; what it was seeded from is no part of that."""
    if hasattr(value, "get_state"):  # it keeps half of a pair of normal numbers
        found = value.get_state(legacy=False)
    else:
        found = getattr(value, "bit_generator", value).state
    state = _values.encode(found, path)
    return {"$object": {"type": type_path(type(value)), "state": state}}


def _records(value: Any, path: str) -> Any:
    """Describe NumPy's records field by field; what lies between the fields is no value."""
    names = value.dtype.names
    columns = [[name, _values.encode(value[name], f"{path}.{name}")] for name in names]
    shape = list(value.shape)
    body = {"type": type_path(type(value)), "made": shape, "state": {"$dict": columns}}
    return {"$object": body}


@contextlib.contextmanager
def _describing() -> Iterator[None]:
    token = _values.fallback.set(_Description())
    try:
        yield
    finally:
        _values.fallback.reset(token)


def _reduced(value: Any, path: str) -> Any:
    maker = copyreg.dispatch_table.get(type(value))
    try:
        return maker(value) if maker else value.__reduce_ex__(_PROTOCOL)
    except Exception as error:
        raise _unsupported(value, path) from error


def _refuse(value: Any, path: str) -> None:
    library = type(value).__module__.partition(".")[0]
    if library in _SHOWN:
        raise UnsupportedValueError(
            f"{_at(path)}a {type_path(type(value))} is shown, not compared"
        )
    if isinstance(value, GeneratorType):
        raise _unsupported(value, path)


def _state(state: Any, path: str) -> Any:
    """Describe attributes so that differences name them as the author does."""
    if type(state) is dict and all(type(key) is str for key in state):
        return {
            "$dict": [
                [key, _values.encode(item, f"{path}.{key}")]
                for key, item in sorted(state.items(), key=operator.itemgetter(0))
            ]
        }
    return _values.encode(state, path)


def _name_of(value: Any, path: str) -> str:
    if isinstance(value, ModuleType):
        return value.__name__
    name = getattr(value, "__qualname__", None) or getattr(value, "__name__", "")
    if not name or "<" in name:
        raise UnsupportedValueError(
            f"{_at(path)}a function made inside another cannot be compared"
        )
    return f"{_module_of(value)}.{name}"


def _module_of(value: Any) -> str:
    """Name the module, as the notebook did where it is one of this package's own."""
    name = str(getattr(value, "__module__", None) or "builtins")
    if name in {"__main__", f"{__package__}.model"}:
        return NOTEBOOK
    return name.removeprefix(f"{__package__}._local.")


def _is_word(value: Any) -> bool:
    """Tell whether a value is a function of C that says its name, such as a ufunc of NumPy."""
    return type(value).__name__ in {"ufunc", "_ArrayFunctionDispatcher"}


def _unsupported(value: Any, path: str) -> UnsupportedValueError:
    kind = type(value)
    return UnsupportedValueError(
        f"{_at(path)}a value of type {kind.__module__}.{kind.__qualname__} cannot be recorded"
    )


def _at(path: str) -> str:
    return f"{path}: " if path else ""

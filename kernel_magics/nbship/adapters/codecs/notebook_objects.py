"""The notebook's own classes and functions that an object holds."""

from __future__ import annotations

import sys
from types import FunctionType, MethodType
from typing import Any


def notebook_objects(value: object) -> dict[str, Any]:
    """Walk an object's attributes and items for what was defined in ``__main__``.

    Returns
    -------
    dict
        Qualified name -> the very class or function that the object holds.
    """
    found: dict[str, Any] = {}
    seen: set[int] = set()
    queue = [value]
    while queue:
        part = queue.pop()
        if id(part) in seen:
            continue
        seen.add(id(part))
        kind = part if isinstance(part, (type, FunctionType)) else type(part)
        if getattr(kind, "__module__", None) == "__main__":
            found[kind.__qualname__] = kind
        queue += _parts_of(part)
    return found


def _parts_of(value: Any) -> list[Any]:  # noqa: ANN401
    np = sys.modules.get("numpy")
    if isinstance(value, (type, FunctionType, str, bytes, int, float)):
        return []
    if isinstance(value, dict):
        return [*value.keys(), *value.values()]
    if isinstance(value, (list, tuple, set, frozenset)):
        return list(value)
    if isinstance(value, MethodType):
        return [value.__self__, value.__func__]
    if np is not None and isinstance(value, np.ndarray):
        return list(value.flat) if value.dtype == object else []
    parts = list(getattr(value, "__dict__", {}).values())
    for name in ("func", "args", "keywords"):  # functools.partial keeps them in slots
        parts += [getattr(value, name)] if hasattr(value, name) else []
    return parts

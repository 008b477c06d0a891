"""The notebook's own classes and functions that an object holds."""

from __future__ import annotations

from types import FunctionType
from typing import Any

from nbship.adapters.codecs.sharing import parts_of


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
        queue += parts_of(part)
    return found

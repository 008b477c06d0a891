"""Which captured values hold the same objects."""

from __future__ import annotations

import datetime as dt
import decimal
import enum
import functools
import pathlib
import sys
from types import BuiltinFunctionType, FunctionType, MethodType, ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_ATOMS = frozenset({
    type(None), bool, int, float, complex, str, bytes, range, slice, type(Ellipsis),
})  # fmt: skip
_NAMED = (
    type,
    FunctionType,
    BuiltinFunctionType,
    ModuleType,
    enum.Enum,
    pathlib.PurePath,
)


def groups(values: Mapping[str, Any]) -> list[tuple[str, ...]]:
    """Group names whose values have a changeable object in common.

    Parameters
    ----------
    values
        Values by name.

    Returns
    -------
    list of tuple of str
        Groups of two names or more, in the order of the first.
    """
    owner: dict[int, str] = {}
    leader = {name: name for name in values}

    def lead(name: str) -> str:
        while leader[name] != name:
            name = leader[name]
        return name

    for name, value in values.items():
        for part in changeable_parts(value):
            first = owner.setdefault(id(part), name)
            leader[lead(name)] = lead(first)
    found: dict[str, list[str]] = {}
    for name in values:
        found.setdefault(lead(name), []).append(name)
    return [tuple(names) for names in found.values() if len(names) > 1]


def changeable_parts(value: Any) -> Iterator[Any]:  # noqa: ANN401
    """Walk everything in a value that one holder could change under another's eyes."""
    return (part for part, is_again in _walk(value) if not is_again)


def is_knotted(value: Any) -> bool:  # noqa: ANN401
    """Tell whether a value holds a changeable object at two places, or holds itself."""
    return any(is_again for _, is_again in _walk(value))


def libraries_of(value: Any) -> set[str]:  # noqa: ANN401
    """Name the libraries, by their import names, whose objects a value holds."""
    return {type(part).__module__.partition(".")[0] for part, _ in _walk(value)}


def _walk(value: Any) -> Iterator[tuple[Any, bool]]:  # noqa: ANN401
    """Walk changeable parts, each with whether it was met before."""
    seen: set[int] = set()
    queue = [value]
    while queue:
        part = queue.pop()
        if type(part) in _ATOMS or isinstance(part, _NAMED):
            continue
        is_changeable = not (
            isinstance(part, (tuple, frozenset, MethodType)) or _is_fixed(part)
        )
        is_again = id(part) in seen
        if is_changeable:
            yield part, is_again
        if is_again:
            continue
        seen.add(id(part))
        queue += [item for item in parts_of(part) if type(item) not in _ATOMS]


def parts_of(value: Any) -> list[Any]:  # noqa: ANN401
    """List what a value holds: items, attributes, what a partial or method is bound to."""
    np = sys.modules.get("numpy")
    if isinstance(value, (type, FunctionType, str, bytes, int, float)):
        return []
    if np is not None and isinstance(value, np.ndarray):
        return list(value.flat) if value.dtype == object else []
    pd = sys.modules.get("pandas")
    if pd is not None and hasattr(pd, "Index") and isinstance(value, pd.Index):
        return list(value) if value.dtype == object else []  # no caches of its own
    held: list[Any] = []
    if isinstance(value, dict):
        held = [*value.keys(), *value.values()]
    elif isinstance(value, (list, tuple, set, frozenset)):
        held = list(value)
    elif isinstance(value, MethodType):
        return [value.__self__, value.__func__]
    held += list(getattr(value, "__dict__", {}).values())
    if isinstance(value, functools.partial):  # keeps them in slots
        held += [value.func, value.args, value.keywords]
    return held


def _is_fixed(value: Any) -> bool:  # noqa: ANN401
    """Tell whether a library's value never changes: scalars, indexes, types of data."""
    kind = type(value)
    np, pd = sys.modules.get("numpy"), sys.modules.get("pandas")
    fixed: tuple[type, ...] = ()
    fixed += () if np is None else (np.generic, np.dtype, np.ufunc)
    fixed += () if pd is None or not hasattr(pd, "Index") else (pd.Index,)
    fixed += (dt.date, dt.time, dt.timedelta, decimal.Decimal)
    is_plain = kind.__module__ in {"re", "datetime", "fractions", "uuid", "zoneinfo"}
    return isinstance(value, fixed) or is_plain

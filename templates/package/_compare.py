"""Where two encoded values differ; see ``_values.compare``.

Ships verbatim inside every exported package.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

#: the difference as a reader wants it: found first, then what was recorded
_TEXT = "{found} where {recorded} was recorded"
_MAX_TEXT = 80
#: relative tolerance of floats that nobody gave another one
_RTOL = 1e-9
#: of all floats, or by name of column, key or field
Tolerance = float | dict[str, float]


def differences_of(recorded: Any, found: Any, rtol: Tolerance) -> list[str]:
    """List how one encoded value differs from another, each with its path.

    Parameters
    ----------
    recorded, found
        JSON values as ``_values.encode`` writes them.
    rtol : float, >= 0, or a dict
        Relative tolerance of floats; a dict has one by name of column, key or field.

    Returns
    -------
    list of str
        Empty where they agree.
    """
    return list(_walk(recorded, found, "", rtol))


def _walk(  # noqa: PLR0911  # one line a kind
    recorded: Any, found: Any, path: str, rtol: Tolerance
) -> list[str]:
    if is_equal_number(recorded, found, rtol):
        return []
    if type(recorded) is not type(found):
        return [_say(path, recorded, found)]
    if isinstance(recorded, list):
        return _walk_list(recorded, found, path, rtol)
    if not isinstance(recorded, dict):
        return [] if recorded == found else [_say(path, recorded, found)]
    kind = _kind(recorded)
    if kind != _kind(found):
        return [_say(path, recorded, found)]
    if not kind:
        return _walk_dict(recorded, found, path, rtol)
    return _walk_kind(kind, recorded, found, path, rtol)


def _walk_kind(
    kind: str, recorded: Any, found: Any, path: str, rtol: Tolerance
) -> list[str]:
    walker = _WALKERS.get(kind)
    if walker is not None:
        return walker(recorded[kind], found[kind], path, rtol)
    return [] if recorded == found else [_say(path, recorded, found)]


def is_equal_number(recorded: Any, found: Any, rtol: Tolerance) -> bool:
    """Tell whether two encoded floats agree within ``rtol`` of the larger one."""
    if type(recorded) is not float or type(found) is not float:
        return False
    tolerance = _RTOL if isinstance(rtol, dict) else rtol
    return math.isclose(recorded, found, rel_tol=tolerance, abs_tol=0.0)


def _named(rtol: Tolerance, name: Any) -> Tolerance:
    """Return what holds for the part of that name."""
    return rtol.get(name, rtol) if isinstance(rtol, dict) else rtol


def _kind(value: dict[str, Any]) -> str:
    name = next(iter(value), "")
    return name if len(value) == 1 and name.startswith("$") else ""


def _walk_list(recorded: Any, found: Any, path: str, rtol: Tolerance) -> list[str]:
    if len(recorded) != len(found):
        text = f"{len(found)} items where {len(recorded)} were recorded"
        return [_at(path, text)]
    return [
        difference
        for i, (old, new) in enumerate(zip(recorded, found, strict=True))
        for difference in _walk(old, new, f"{path}[{i}]", rtol)
    ]


def _walk_dict(
    recorded: dict[str, Any], found: dict[str, Any], path: str, rtol: Tolerance
) -> list[str]:
    if list(recorded) != list(found) and set(recorded) != set(found):
        text = f"keys {list(found)} where {list(recorded)} were recorded"
        return [_at(path, text)]
    return [
        difference
        for key, old in recorded.items()
        for difference in _walk(old, found[key], f"{path}[{key!r}]", _named(rtol, key))
    ]


def _walk_record(
    recorded: dict[str, Any], found: dict[str, Any], path: str, rtol: Tolerance
) -> list[str]:
    if recorded["type"] != found["type"]:
        return [_at(path, f"a {found['type']} where a {recorded['type']} was recorded")]
    old, new = recorded["fields"], found["fields"]
    if set(old) != set(new):
        return [_at(path, f"fields {list(new)} where {list(old)} were recorded")]
    return [
        difference
        for name, value in old.items()
        for difference in _walk(value, new[name], f"{path}.{name}", _named(rtol, name))
    ]


def _walk_object(
    recorded: dict[str, Any], found: dict[str, Any], path: str, rtol: Tolerance
) -> list[str]:
    if recorded["type"] != found["type"]:
        return [_at(path, f"a {found['type']} where a {recorded['type']} was recorded")]
    if set(recorded) != set(found):
        return [_at(path, f"another {recorded['type']} than the one recorded")]
    differences = []
    for part in ("made", "state", "items", "pairs"):
        if part in recorded:
            differences += _walk(recorded[part], found[part], path, rtol)
    return differences


def _walk_pairs(recorded: Any, found: Any, path: str, rtol: Tolerance) -> list[str]:
    """Compare the entries of a dict; where the keys are the same texts, by name."""
    keys = [pair[0] for pair in recorded]
    is_named = all(isinstance(key, str) for key in keys)
    if not is_named or keys != [pair[0] for pair in found]:
        return _walk_list(recorded, found, path, rtol)
    return [
        difference
        for old, new in zip(recorded, found, strict=True)
        for difference in _walk(
            old[1], new[1], f"{path}.{old[0]}", _named(rtol, old[0])
        )
    ]


def _walk_scalar(
    recorded: dict[str, Any], found: dict[str, Any], path: str, rtol: Tolerance
) -> list[str]:
    if recorded["dtype"] != found["dtype"]:
        text = f"dtype {found['dtype']} where {recorded['dtype']} was recorded"
        return [_at(path, text)]
    return _walk(recorded["value"], found["value"], path, rtol)


def _walk_array(recorded: Any, found: Any, path: str, rtol: Tolerance) -> list[str]:
    if recorded["shape"] != found["shape"]:
        text = f"shape {found['shape']} where {recorded['shape']} was recorded"
        return [_at(path, text)]
    places = [_place(i, recorded["shape"]) for i in range(len(recorded["values"]))]
    return _walk_column(recorded, found, path, rtol, places)


def _walk_sparse(
    recorded: dict[str, Any], found: dict[str, Any], path: str, rtol: Tolerance
) -> list[str]:
    for aspect in ("form", "shape", "dtype", "indices", "starts"):
        if recorded[aspect] != found[aspect]:
            text = f"{aspect} {_text(found[aspect])} where {_text(recorded[aspect])} was recorded"
            return [_at(path, text)]
    return _walk_list(recorded["values"], found["values"], path, rtol)


def _walk_series(recorded: Any, found: Any, path: str, rtol: Tolerance) -> list[str]:
    differences = _walk_column(recorded, found, path, rtol, None)
    if recorded.get("name") != found.get("name"):
        old, new = _text(recorded["name"]), _text(found["name"])
        differences.append(_at(path, f"name {new} where {old} was recorded"))
    if "index" in recorded:
        differences += _walk_index(recorded["index"], found["index"], path, rtol)
    return differences


def _walk_frame(
    recorded: dict[str, Any], found: dict[str, Any], path: str, rtol: Tolerance
) -> list[str]:
    old = [column["name"] for column in recorded["columns"]]
    new = [column["name"] for column in found["columns"]]
    if old != new or recorded.get("column_names") != found.get("column_names"):
        return [_at(path, f"columns {_text(new)} where {_text(old)} were recorded")]
    differences = []
    for before, after in zip(recorded["columns"], found["columns"], strict=True):
        name = f"column {_text(before['name'])}"
        own = _named(rtol, before["name"]) if isinstance(before["name"], str) else rtol
        differences += _walk_column(before, after, path, own, None, name)
    return differences + _walk_index(recorded["index"], found["index"], path, rtol)


def _walk_column(  # noqa: PLR0913, PLR0917
    recorded: dict[str, Any],
    found: dict[str, Any],
    path: str,
    rtol: Tolerance,
    places: list[str] | None,
    name: str = "",
) -> list[str]:
    for aspect in ("dtype", "categories", "ordered"):
        if recorded.get(aspect) != found.get(aspect):
            text = f"{aspect} {_text(found.get(aspect))} where {_text(recorded.get(aspect))} was recorded"
            return [_at(_join(path, name), text)]
    old, new = recorded["values"], found["values"]
    if len(old) != len(new):
        text = f"{len(new)} rows where {len(old)} were recorded"
        return [_at(_join(path, name), text)]
    differences = []
    for i, (before, after) in enumerate(zip(old, new, strict=True)):
        place = places[i] if places is not None else f"row {i}"
        where = _join(path, f"{place}, {name}" if name else place)
        differences += [_at(where, text) for text in _walk(before, after, "", rtol)]
    return differences


def _walk_index(recorded: Any, found: Any, path: str, rtol: Tolerance) -> list[str]:
    where = _join(path, "index")
    if recorded == found:
        return []
    if recorded is None or found is None or set(recorded) != set(found):
        return [_say(where, recorded, found)]
    if "levels" in recorded and len(recorded["levels"]) == len(found["levels"]):
        pairs = zip(recorded["levels"], found["levels"], strict=True)
        return [d for old, new in pairs for d in _walk_index(old, new, path, rtol)]
    if "values" not in recorded or recorded["name"] != found["name"]:
        return [_say(where, recorded, found)]
    return _walk_column(recorded, found, where, rtol, None)


def _place(position: int, shape: list[int]) -> str:
    if len(shape) == 1:
        return f"row {position}"
    indexes: list[int] = []
    for size in reversed(shape):
        indexes.insert(0, position % size)
        position //= size
    if len(shape) == 2:  # noqa: PLR2004  # rows and columns
        return f"row {indexes[0]}, column {indexes[1]}"
    return f"item {tuple(indexes)}" if indexes else ""


def _join(path: str, place: str) -> str:
    return ": ".join(part for part in (path, place) if part)


def _at(path: str, text: str) -> str:
    return _join(path, text)


def _say(path: str, recorded: Any, found: Any) -> str:
    text = _TEXT.format(found=_text(found), recorded=_text(recorded))
    return _at(path, text)


def _text(value: Any) -> str:
    if isinstance(value, dict) and _kind(value) in (
        "$float",
        "$decimal",
        "$date",
        "$datetime",
    ):
        text = str(next(iter(value.values())))
    elif isinstance(value, dict) and _kind(value) == "$object":
        text = f"a {value['$object']['type']}"
    else:
        text = repr(value)
    return text if len(text) <= _MAX_TEXT else text[: _MAX_TEXT - 1] + "…"


_WALKERS: dict[str, Callable[[Any, Any, str, Tolerance], list[str]]] = {
    "$tuple": _walk_list,
    "$set": _walk_list,
    "$frozenset": _walk_list,
    "$dict": _walk_pairs,
    "$object": _walk_object,
    "$method": _walk_list,
    "$complex": _walk_list,
    "$record": _walk_record,
    "$scalar": _walk_scalar,
    "$array": _walk_array,
    "$tensor": _walk_array,
    "$sparse": _walk_sparse,
    "$frame": _walk_frame,
    "$series": _walk_series,
    "$index": _walk_index,
    "$categorical": _walk_series,
}

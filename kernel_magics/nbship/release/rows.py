"""Recorded inputs and answers, row by row: for comparing two packages, and for showing rows."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from nbship.release.columns import kind_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from nbship.records.signature import Signature

_ARRAYS = ("$array", "$tensor")
#: larger whole numbers are no doubles
_LARGEST = 1 << 1000


def output_rows(answer: Any, signature: Signature) -> dict[str, list[Any]]:  # noqa: ANN401  # an encoded value
    """Turn an answer into its outputs, each with one value a row.

    Parameters
    ----------
    answer
        As golden cases write it.
    signature
        Names the output of an answer that has no names of its own.
    """
    names = [column.name for column in signature.outputs]
    return _table(answer, names[0] if len(names) == 1 else "output")


def input_rows(case: Mapping[str, Any], signature: Signature) -> dict[str, list[Any]]:
    """Turn the arguments of a golden case into inputs, each with one value a row.

    The arguments of one call are one row.
    """
    given = [*case["args"], *case["kwargs"].values()]
    if signature.input_form != "arguments" and len(given) == 1:
        names = [column.name for column in signature.inputs]
        return _table(given[0], names[0] if len(names) == 1 else "input")
    names = [column.name for column in signature.inputs]
    named = dict(zip(names, case["args"], strict=False)) | dict(case["kwargs"])
    extra = case["args"][len(names) :]
    named |= {f"argument {len(names) + i}": item for i, item in enumerate(extra)}
    return {name: [value] for name, value in named.items()}


def number_of(value: Any) -> float | None:  # noqa: ANN401  # an encoded value
    """Return a number, NaN and infinities too; None where it is none."""
    if isinstance(value, bool):
        return None
    if isinstance(value, (int, float)):
        is_float = isinstance(value, float) or abs(value) < _LARGEST
        return float(value) if is_float else None
    kind = kind_of(value)
    if kind == "$float":
        return float(value[kind])
    return number_of(value[kind].get("value")) if kind == "$scalar" else None


def value_text(value: Any) -> str:  # noqa: ANN401  # an encoded value
    """Write a value for people, short."""
    kind = kind_of(value)
    if kind in {"$float", "$decimal", "$date", "$time", "$datetime", "$timestamp"}:
        body = value[kind]
        return str(body.get("text", body) if isinstance(body, dict) else body)
    if kind == "$scalar":
        return value_text(value[kind].get("value"))
    if kind == "$missing":
        return "missing"
    if isinstance(value, float) and math.isfinite(value):
        return f"{value:.10g}"
    if kind in _ARRAYS:
        text = f"{kind[1:]} of shape {tuple(value[kind]['shape'])}"
    elif kind == "$frame":
        text = f"frame of {len(value[kind]['columns'])} columns"
    elif isinstance(value, list):
        text = "[" + ", ".join(value_text(item) for item in value[:9]) + "]"
    else:
        text = repr(value)
    return text if len(text) <= 60 else text[:59] + "…"  # noqa: PLR2004


def _table(  # noqa: PLR0911  # one line a kind
    value: Any,  # noqa: ANN401
    name: str,
) -> dict[str, list[Any]]:
    kind = kind_of(value)
    if kind == "$frame":
        return {_name(column): _items(column) for column in value[kind]["columns"]}
    if kind in _ARRAYS:
        return {name: _slices(value[kind])}
    if kind in {"$series", "$categorical", "$index"} and "values" in value[kind]:
        return {name: _items(value[kind])}
    if kind == "$tuple":
        return {f"{name}[{i}]": [item] for i, item in enumerate(value[kind])}
    if isinstance(value, list):
        return {name: list(value)}
    if isinstance(value, dict) and not kind:
        return {str(key): [item] for key, item in value.items()}
    return {name: [value]}


def _name(column: Mapping[str, Any]) -> str:
    name = column["name"]
    return name if isinstance(name, str) else value_text(name)


def _items(body: Mapping[str, Any]) -> list[Any]:
    if "categories" in body:
        known: Sequence[Any] = body["categories"]["values"]
        return [known[code] if code >= 0 else None for code in body["values"]]
    return list(body["values"])


def _slices(body: Mapping[str, Any]) -> list[Any]:
    """Return the rows of an array: numbers, or lists of all numbers of one row."""
    shape, values = body["shape"], body["values"]
    if not shape:
        return list(values)
    if len(shape) == 1:
        return list(values)
    width = math.prod(shape[1:])
    return [values[i * width : (i + 1) * width] for i in range(shape[0])]

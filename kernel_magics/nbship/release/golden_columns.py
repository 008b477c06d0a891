"""Golden cases by column: what each input and output was, one value a row."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from nbship.records.release import Column, Signature
    from nbship.release.golden import Case

#: columns of one array that are told apart
MAX_WIDTH = 256
_MATRIX = 2
_FLOATS = {"nan": None, "inf": float("inf"), "-inf": float("-inf")}


def golden_columns(
    cases: Iterable[Case], signature: Signature
) -> tuple[dict[str, list[Any]], dict[str, list[Any]]]:
    """Turn golden cases into the columns of their inputs and of their outputs.

    Parameters
    ----------
    cases
        As ``golden.jsonl`` has them.
    signature
        Names of the columns. A matrix ``x`` has the columns ``x[0]``, ``x[1]`` …; a column
        whose values are no scalars is left out.

    Returns
    -------
    tuple
        name -> values, ``None`` where one is missing.
    """
    inputs: dict[str, list[Any]] = {}
    outputs: dict[str, list[Any]] = {}
    for case in cases:
        _add(inputs, _inputs(case, signature))
        _add(outputs, _table(case["output"], signature.outputs))
    return inputs, outputs


def _inputs(case: Case, signature: Signature) -> dict[str, list[Any]]:
    given = [*case["args"], *case["kwargs"].values()]
    if signature.input_form != "arguments" and given:
        return _table(given[0], signature.inputs)
    columns = {column.name: column for column in signature.inputs}
    named = {**dict(zip(columns, case["args"], strict=False)), **case["kwargs"]}
    found: dict[str, list[Any]] = {}
    for name, value in named.items():
        if (
            name in columns
        ):  # a frame or an object among arguments has columns of its own
            table = _table(value, [columns[name]])
            found |= {k: v for k, v in table.items() if k.partition("[")[0] == name}
    return found


def _table(value: Any, columns: Sequence[Column]) -> dict[str, list[Any]]:  # noqa: ANN401  # a recorded value
    """Read a frame, an array, an object or one value as columns."""
    names = [column.name for column in columns]
    if not isinstance(value, dict):
        rows = value if isinstance(value, list) else [value]
        return {names[0]: [_scalar(item) for item in rows]} if len(names) == 1 else {}
    if "$frame" in value:
        return {
            str(column["name"]): _values(column)
            for column in value["$frame"]["columns"]
        }
    body = value.get("$array") or value.get("$series") or value.get("$scalar")
    if body is None:
        is_plain = not next(iter(value), "").startswith("$")
        return {k: [_scalar(v)] for k, v in value.items()} if is_plain else {}
    items = _values(body) if "values" in body else [_scalar(body.get("value"))]
    if len(names) != 1:
        return {}
    shape = body.get("shape", [len(items)])
    if len(shape) == _MATRIX and 0 < shape[1] <= MAX_WIDTH:
        width = shape[1]
        return {f"{names[0]}[{i}]": items[i::width] for i in range(width)}
    return {names[0]: items} if len(shape) < _MATRIX else {}


def _values(body: dict[str, Any]) -> list[Any]:
    if "categories" in body:
        known = body["categories"]["values"]
        return [known[code] if code >= 0 else None for code in body["values"]]
    return [_scalar(item) for item in body["values"]]


def _scalar(value: Any) -> Any:  # noqa: ANN401  # a recorded value
    """Return a number, text or truth value; None where it is missing, ``...`` for anything else."""
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, dict) and len(value) == 1:
        kind, body = next(iter(value.items()))
        if kind == "$float":
            return _FLOATS.get(body)
        if kind == "$missing":
            return None
        if kind == "$scalar":
            return _scalar(body.get("value"))
    return ...


def _add(columns: dict[str, list[Any]], more: dict[str, list[Any]]) -> None:
    for name, values in more.items():
        if ... not in values:
            columns.setdefault(name, []).extend(values)

"""The signature of a root: what its golden cases show of inputs and outputs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nbship.records.release import Column, Signature

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from nbship.release.golden import Case

_MAX_CATEGORIES = 50
_TABLES = {"$frame": "frame", "$array": "array"}


def signature_of(cases: Sequence[Case], *, parameters: Sequence[str]) -> Signature:
    """Join what all cases show.

    Parameters
    ----------
    cases
        At least one golden case.
    parameters
        Names of the function's parameters, in order.
    """
    inputs = [_named(case, parameters) for case in cases]
    form = _form(inputs)
    if form == "arguments":
        names = list(dict.fromkeys(name for case in inputs for name in case))
        columns = [
            column
            for name in names
            for column in _columns(
                [case[name] for case in inputs if name in case], name, nest=False
            )
        ]
    else:
        only = [next(iter(case.items())) for case in inputs]
        columns = _columns([value for _, value in only], only[0][0], nest=True)
    outputs = _columns([case["output"] for case in cases], "output", nest=True)
    return Signature(inputs=tuple(columns), outputs=tuple(outputs), input_form=form)


def _named(case: Case, parameters: Sequence[str]) -> dict[str, Any]:
    positional = {
        (parameters[i] if i < len(parameters) else f"argument_{i + 1}"): value
        for i, value in enumerate(case["args"])
    }
    return {**positional, **case["kwargs"]}


def _form(inputs: Iterable[dict[str, Any]]) -> str:
    forms = set()
    for case in inputs:
        kinds = {_kind(value) for value in case.values()}
        is_one_table = len(case) == 1 and kinds <= set(_TABLES)
        forms.add(_TABLES[kinds.pop()] if is_one_table else "arguments")
    return forms.pop() if len(forms) == 1 else "arguments"


def _columns(values: list[Any], name: str, *, nest: bool) -> list[Column]:
    kinds = {_kind(value) for value in values}
    if kinds == {"$frame"}:
        frames = [value["$frame"]["columns"] for value in values]
        return [_frame_column(frames, position) for position in range(len(frames[0]))]
    if nest and kinds == {""} and all(isinstance(v, dict) and v for v in values):
        keys = list(dict.fromkeys(key for value in values for key in value))
        return [_column(key, [v[key] for v in values if key in v]) for key in keys]
    return [_column(name, values)]


def _frame_column(frames: list[list[dict[str, Any]]], position: int) -> Column:
    first = frames[0][position]
    name = first["name"] if isinstance(first["name"], str) else str(first["name"])
    same = [
        f[position]
        for f in frames
        if position < len(f) and f[position]["name"] == first["name"]
    ]
    if first["dtype"] == "category":
        known = first["categories"]["values"][:_MAX_CATEGORIES]
        is_nullable = any(code == -1 for column in same for code in column["values"])
        return Column(
            name=name,
            dtype="category",
            categories=tuple(known),
            is_nullable=is_nullable,
        )
    return _summary(
        name, _plain_dtype(first["dtype"]), [v for c in same for v in c["values"]]
    )


def _column(name: str, values: list[Any]) -> Column:
    kinds = {_kind(value) for value in values}
    if kinds <= {"$array", "$series", "$scalar"} and kinds:
        bodies = [next(iter(value.values())) for value in values]
        shapes = {tuple(body.get("shape", [0])[1:]) for body in bodies}
        items = [v for b in bodies for v in b.get("values", [b.get("value")])]
        dtype = _numpy_dtype(bodies[0]["dtype"])
        shape = shapes.pop() if len(shapes) == 1 else ()
        if "categories" in bodies[0]:
            items = [
                bodies[0]["categories"]["values"][code] if code >= 0 else None
                for code in items
            ]
        return _summary(name, dtype, items, shape=shape)
    types = {
        type(value)
        for value in values
        if value is not None and _kind(value) != "$float"
    }
    types |= {float for value in values if _kind(value) == "$float"}
    named = {bool: "bool", int: "int64", float: "float64", str: "string"}
    if types <= {int, float} and types:
        return _summary(name, "float64" if float in types else "int64", values)
    dtype = named.get(types.pop(), "json") if len(types) == 1 else "json"
    if kinds & {"$datetime", "$timestamp", "$date"}:
        dtype = "datetime64"
    return _summary(name, dtype, values)


def _summary(
    name: str, dtype: str, items: list[Any], *, shape: tuple[int, ...] = ()
) -> Column:
    numbers = [
        v for v in items if isinstance(v, (int, float)) and not isinstance(v, bool)
    ]
    is_number = dtype.startswith(("int", "uint", "float"))
    return Column(
        name=name,
        dtype=dtype,
        is_nullable=any(_is_missing(item) for item in items),
        shape=shape,
        minimum=float(min(numbers)) if numbers and is_number else None,
        maximum=float(max(numbers)) if numbers and is_number else None,
    )


def _is_missing(item: Any) -> bool:  # noqa: ANN401
    return item is None or item == {"$float": "nan"} or _kind(item) == "$missing"


def _plain_dtype(dtype: str) -> str:
    if dtype in {"str", "string"}:
        return "string"
    if dtype == "boolean":
        return "bool"
    if dtype.startswith("datetime64"):
        return "datetime64"
    return dtype.lower() if dtype[:1].isupper() else dtype


def _numpy_dtype(dtype: str) -> str:
    letter, size = dtype.lstrip("<>|=")[:1], dtype.lstrip("<>|=")[1:]
    kinds = {"i": "int", "u": "uint", "f": "float", "c": "complex"}
    if letter in kinds and size.isdigit():
        return f"{kinds[letter]}{int(size) * 8}"
    if letter == "M":
        return "datetime64"
    return {"b": "bool", "U": "string", "O": "object", "S": "bytes"}.get(
        letter, _plain_dtype(dtype)
    )


def _kind(value: Any) -> str:  # noqa: ANN401
    if isinstance(value, dict) and len(value) == 1:
        name = next(iter(value))
        return name if isinstance(name, str) and name.startswith("$") else ""
    return ""

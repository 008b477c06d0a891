"""What recorded values show of one input or output."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nbship.records.signature import Column
from nbship.resources import shipped_module

if TYPE_CHECKING:
    from collections.abc import Sequence

MAX_CATEGORIES = 50
#: a text is one of few values where it has at most so many, each seen so often
_FEW, _OFTEN = 20, 5
#: an object with more keys is a table by key, not a record
_MAX_KEYS = 200
_SCALARS = {bool: "bool", int: "int64", float: "float64", str: "string"}
_DATES = {"$date": "date", "$datetime": "datetime", "$timestamp": "timestamp"}
#: what JSON cannot hold: a file of a golden case, a described answer, a function's name
_OPAQUE = {"$file", "$object", "$name", "$method"}
_BODIES = {"$array": "array", "$tensor": "tensor", "$series": "series", "$scalar": ""}


def column_of(  # noqa: PLR0911  # one line a kind
    name: str, values: list[Any], *, is_required: bool = True
) -> Column:
    """Describe what all values of one name have in common.

    Parameters
    ----------
    name
        Of the argument, key or column.
    values
        As ``_values.encode`` writes them; at least one.
    is_required
        Whether no call was seen without it.
    """
    given = [value for value in values if value is not None]
    kinds = {kind_of(value) for value in given}
    shared: dict[str, Any] = {
        "name": name,
        "is_nullable": len(given) < len(values),
        "is_required": is_required,
    }
    if kinds & _OPAQUE:
        return Column(dtype="opaque", form=_class_of(given), **shared)
    if kinds == {"$frame"}:
        fields = tuple(frame_columns(given))
        return Column(dtype="object", form="frame", fields=fields, **shared)
    if len(kinds) == 1 and kinds <= set(_BODIES):
        return _of_bodies(given, shared)
    if kinds == {"$tuple"}:
        return _of_items([value["$tuple"] for value in given], "tuple", shared)
    if kinds == {""} and all(isinstance(value, list) for value in given):
        return _of_items(given, "list", shared)
    if kinds == {""} and all(isinstance(value, dict) for value in given):
        return _of_objects(given, shared)
    return _of_scalars(values, shared)


def frame_columns(frames: Sequence[Any]) -> list[Column]:
    """Describe the columns of recorded frames, those of the first."""
    bodies = [frame["$frame"]["columns"] for frame in frames]
    return [_frame_column(bodies, place) for place in range(len(bodies[0]))]


def kind_of(value: Any) -> str:  # noqa: ANN401  # an encoded value
    """Return the mark of an encoded value, such as ``$array``; "" for plain JSON."""
    if isinstance(value, dict) and len(value) == 1:
        name = next(iter(value))
        return name if isinstance(name, str) and name.startswith("$") else ""
    return ""


def few_values(items: Sequence[Any]) -> tuple[Any, ...]:
    """Return the distinct texts where they are few and each was seen often; else none."""
    texts = [item for item in items if isinstance(item, str)]
    known = sorted(set(texts))
    is_few = 0 < len(known) <= _FEW and len(texts) >= _OFTEN * len(known)
    return tuple(known) if is_few else ()


def _class_of(given: list[Any]) -> str:
    """Name the class that all values are of; "" where they are of several."""
    bodies = [next(iter(value.values())) for value in given if kind_of(value)]
    kinds = {body.get("type", "") if isinstance(body, dict) else "" for body in bodies}
    is_one = len(kinds) == 1 and len(bodies) == len(given)
    return str(kinds.pop()) if is_one else ""


def _of_bodies(given: list[Any], shared: dict[str, Any]) -> Column:
    kind = kind_of(given[0])
    bodies = [next(iter(value.values())) for value in given]
    items = [v for b in bodies for v in b.get("values", [b.get("value")])]
    if "categories" in bodies[0]:
        known = bodies[0]["categories"]["values"]
        items = [known[code] if code >= 0 else None for code in items]
    shapes = [tuple(body.get("shape", [0])[1:]) for body in bodies]
    labels = _labels_of(given)
    parts = {"form": _BODIES[kind], "shape": _joined(shapes), "fields": labels}
    return _summary(_numpy_dtype(bodies[0]["dtype"]), items, {**shared, **parts})


def _labels_of(given: list[Any]) -> tuple[Column, ...]:
    """Describe the labels of series that a list of their values would lose, such as dates."""
    if not all(map(shipped_module("inputs._labels").is_labelled, given)):
        return ()
    indexes = [value["$series"]["index"] for value in given]
    kinds = {_plain_dtype(index["dtype"]) for index in indexes}
    if len(kinds) != 1:
        return ()
    is_text = kinds <= {"object", "string"}
    texts = [item for index in indexes for item in index["values"]]
    if is_text and not all(isinstance(item, str) for item in texts):
        return ()
    (kind,) = kinds
    return (Column(name="label", dtype="string" if is_text else kind),)


def _joined(shapes: Sequence[tuple[int, ...]]) -> tuple[int, ...]:
    """Join shapes; -1 stands where they differ."""
    if len({len(shape) for shape in shapes}) != 1:
        return ()
    axes = [set(sizes) for sizes in zip(*shapes, strict=True)]
    return tuple(sizes.pop() if len(sizes) == 1 else -1 for sizes in axes)


def _of_items(lists: list[list[Any]], form: str, shared: dict[str, Any]) -> Column:
    items = [item for part in lists for item in part]
    item = column_of("item", items) if items else None
    if item is None or (item.dtype == "json" and not item.form):
        return Column(dtype="json", form=form, **shared)
    if item.form:
        return Column(dtype="object", form=form, fields=(item,), **shared)
    return Column(
        dtype=item.dtype,
        form=form,
        minimum=item.minimum,
        maximum=item.maximum,
        categories=item.categories,
        **{**shared, "is_nullable": shared["is_nullable"] or item.is_nullable},
    )


def _of_objects(given: list[dict[str, Any]], shared: dict[str, Any]) -> Column:
    keys = list(dict.fromkeys(key for value in given for key in value))
    is_record = 0 < len(keys) <= _MAX_KEYS and all(
        2 * len(value) >= len(keys) for value in given
    )
    if not is_record:
        return Column(dtype="json", **shared)
    fields = [
        column_of(
            key,
            [value[key] for value in given if key in value],
            is_required=all(key in value for value in given),
        )
        for key in keys
    ]
    return Column(dtype="object", form="object", fields=tuple(fields), **shared)


def _of_scalars(values: list[Any], shared: dict[str, Any]) -> Column:
    values = [
        value["$scalar"]["value"] if kind_of(value) == "$scalar" else value
        for value in values
    ]
    kinds = {kind_of(value) for value in values if value is not None} - {""}
    if kinds and kinds <= set(_DATES):
        form = _DATES[kinds.pop()] if len(kinds) == 1 else ""
        dtype = "datetime64" if form else "json"
        return _summary(dtype, values, {**shared, "form": form})
    types = {
        type(value)
        for value in values
        if value is not None and kind_of(value) != "$float"
    }
    types |= {float for value in values if kind_of(value) == "$float"}
    if types == {int, float}:
        return _summary("float64", values, {**shared, "form": "number"})
    dtype = _SCALARS.get(types.pop(), "json") if len(types) == 1 else "json"
    return _summary(dtype, values, shared)


def _frame_column(frames: list[list[dict[str, Any]]], place: int) -> Column:
    first = frames[0][place]
    name = str(shipped_module("_values").decode(first["name"]))
    same = [
        f[place] for f in frames if place < len(f) and f[place]["name"] == first["name"]
    ]
    if first["dtype"] == "category":
        known = first["categories"]["values"][:MAX_CATEGORIES]
        is_nullable = any(code == -1 for column in same for code in column["values"])
        return Column(
            name=name,
            dtype="category",
            categories=tuple(known),
            is_nullable=is_nullable,
        )
    items = [item for column in same for item in column["values"]]
    return _summary(_plain_dtype(first["dtype"]), items, {"name": name})


def _summary(dtype: str, items: list[Any], shared: dict[str, Any]) -> Column:
    numbers = [
        v for v in items if isinstance(v, (int, float)) and not isinstance(v, bool)
    ]
    is_number = dtype.startswith(("int", "uint", "float"))
    is_nullable = any(_is_missing(item) for item in items)
    return Column(
        dtype=dtype,
        minimum=float(min(numbers)) if numbers and is_number else None,
        maximum=float(max(numbers)) if numbers and is_number else None,
        categories=few_values(items) if dtype == "string" else (),
        **{**shared, "is_nullable": shared.get("is_nullable", False) or is_nullable},
    )


def _is_missing(item: Any) -> bool:  # noqa: ANN401
    return item is None or item == {"$float": "nan"} or kind_of(item) == "$missing"


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

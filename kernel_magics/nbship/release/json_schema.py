"""A signature as JSON Schema (draft 2020-12): what a client may send, and what it gets.

Ranges and values that were only seen stand as ``x-seen``: a value outside of them is told,
not refused. Those that the author declared are ``minimum``, ``maximum`` and ``enum``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nbship.release.columns import MAX_CATEGORIES

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from nbship.records.signature import Column, Signature

DRAFT = "https://json-schema.org/draft/2020-12/schema"
#: names of the files, in the package and below ``schema/`` in a bundle
INPUT, OUTPUT = "input.schema.json", "output.schema.json"
_INTEGERS = {
    f"{sign}int{bits}": (
        0 if sign else -(2 ** (bits - 1)),
        2 ** (bits if sign else bits - 1) - 1,
    )
    for sign in ("", "u")
    for bits in (8, 16, 32, 64)
}
_TIMES = {"date": "date", "datetime": "date-time", "timestamp": "date-time"}
_LISTS = ("list", "tuple", "array", "tensor", "series")
_ARRAYS = ("array", "tensor", "series")
Schema = dict[str, Any]


def input_schema(signature: Signature, *, title: str = "") -> Schema:
    """Describe one row of a table, or the arguments of one call by name."""
    if signature.input_form == "array":
        (column,) = signature.inputs
        body = _nested(column, column.shape)
    else:
        body = object_schema(signature.inputs, allows_more=signature.takes_any_name)
    return {"$schema": DRAFT, "title": title or "input", **body}


def item_schema(columns: Sequence[Column], *, is_answer: bool = False) -> Schema:
    """Describe one item of the one list or series that a root takes, or of its answer."""
    if len(columns) != 1:
        return object_schema(columns, is_answer=is_answer)
    (column,) = columns
    if column.fields:
        return column_schema(column.fields[0], is_answer=is_answer)
    return _scalar(column, is_answer=is_answer)


def output_schema(signature: Signature, *, title: str = "") -> Schema:
    """Describe the answer to one row of a table, or to one call."""
    is_row = signature.input_form != "arguments"
    if signature.output_form != "value" or len(signature.outputs) != 1:
        body = object_schema(signature.outputs, is_answer=True)
        if signature.output_form == "frame" and not is_row:
            body = {"type": "array", "items": body}
    else:
        (column,) = signature.outputs
        is_many = is_row and column.form in (*_ARRAYS, "list")
        body = (
            _nested(column, column.shape, is_answer=True)
            if is_many and (column.form == "series" or not column.fields)
            else column_schema(column, is_answer=True)
        )
    return {"$schema": DRAFT, "title": title or "output", **body}


def object_schema(
    columns: Iterable[Column], *, allows_more: bool = False, is_answer: bool = False
) -> Schema:
    """Describe an object by its keys."""
    listed = list(columns)
    return {
        "type": "object",
        "properties": {c.name: column_schema(c, is_answer=is_answer) for c in listed},
        "required": [c.name for c in listed if c.is_required],
        "additionalProperties": allows_more or is_answer,
    }


def column_schema(column: Column, *, is_answer: bool = False) -> Schema:
    """Describe one column, argument or part of an answer."""
    if column.dtype == "opaque":
        body = _opaque(column, is_answer=is_answer)
    elif column.form in _LISTS:
        body = _list(column, is_answer=is_answer)
    elif column.form == "object":
        body = _or_null(object_schema(column.fields, is_answer=is_answer), column)
    elif column.form == "frame":
        rows = object_schema(column.fields, is_answer=is_answer)
        body = _or_null({"type": "array", "items": rows}, column)
    else:
        body = _scalar(column, is_answer=is_answer)
    if column.unit:
        body["x-unit"] = column.unit
    return body


def _opaque(column: Column, *, is_answer: bool) -> Schema:
    """Describe what JSON cannot hold: nothing fits but null, where that was seen."""
    text = f"an object of class {column.form or 'several'}; call the function in Python"
    if is_answer:
        return {"description": text}
    nothing: Schema = {"type": "null"} if column.is_nullable else {"not": {}}
    return {**nothing, "description": text}


def _list(column: Column, *, is_answer: bool) -> Schema:
    if column.form == "series" and column.fields:
        return _or_null(_labelled(column, is_answer=is_answer), column)
    if column.fields:
        item = column_schema(column.fields[0], is_answer=is_answer)
        return _or_null({"type": "array", "items": item}, column)
    shape = (-1, *column.shape) if column.form in _ARRAYS else (-1,)
    return _or_null(_nested(column, shape, is_answer=is_answer), column)


def _labelled(column: Column, *, is_answer: bool) -> Schema:
    """Describe a series by its labels; an answer is the list of its values."""
    values = _scalar(column, is_answer=is_answer)
    if is_answer:
        return {"type": "array", "items": values}
    names = {k: v for k, v in _typed(column.fields[0]).items() if k != "type"}
    return {
        "type": "object",
        "additionalProperties": values,
        **({"propertyNames": names} if names else {}),
    }


def _nested(column: Column, shape: Sequence[int], *, is_answer: bool = False) -> Schema:
    """Describe nested lists; -1 stands for any length."""
    if not shape:
        return _scalar(column, is_answer=is_answer)
    body: Schema = {
        "type": "array",
        "items": _nested(column, shape[1:], is_answer=is_answer),
    }
    if shape[0] >= 0 and not is_answer:
        body |= {"minItems": shape[0], "maxItems": shape[0]}
    return body


def _scalar(column: Column, *, is_answer: bool) -> Schema:
    body = dict(_typed(column))
    if not is_answer:
        body |= _bounds(column)
    elif column.categories and column.dtype == "category":
        body = {"enum": list(column.categories)}
    if column.dtype.startswith("float") and is_answer:
        return {**body, "type": ["number", "null"]}  # NaN and infinities are null
    return _or_null(body, column)


def _typed(column: Column) -> Mapping[str, Any]:
    dtype = column.dtype.lower()
    if dtype.startswith("float"):
        return {"type": "number"}
    if dtype in _INTEGERS:
        low, high = _INTEGERS[dtype]
        if dtype.endswith("64"):  # Python's own have no width
            low = min(low, int(column.minimum if column.minimum is not None else low))
            high = max(
                high, int(column.maximum if column.maximum is not None else high)
            )
        return {"type": "integer", "minimum": low, "maximum": high}
    if dtype.startswith("bool"):
        return {"type": "boolean"}
    if dtype == "string":
        return {"type": "string"}
    if dtype.startswith("datetime64"):
        known = _TIMES.get(column.form)
        return {"type": "string", **({"format": known} if known else {})}
    return {}


def _bounds(column: Column) -> Schema:
    is_closed = column.is_strict or column.dtype == "category"
    values = list(column.categories)
    if is_closed and values and (len(values) < MAX_CATEGORIES or column.is_strict):
        return {"enum": values}
    limits = {"minimum": column.minimum, "maximum": column.maximum}
    limits = {name: value for name, value in limits.items() if value is not None}
    if column.is_strict:
        return limits
    seen: Schema = {**limits, **({"values": values} if values else {})}
    return {"x-seen": seen} if seen else {}


def _or_null(body: Schema, column: Column) -> Schema:
    if not column.is_nullable:
        return body
    if "enum" in body:
        return {**body, "enum": [*body["enum"], None], **_type_or_null(body)}
    return {**body, **_type_or_null(body)}


def _type_or_null(body: Schema) -> Schema:
    return {"type": [body["type"], "null"]} if "type" in body else {}

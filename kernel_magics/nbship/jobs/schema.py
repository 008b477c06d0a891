"""JSON Schema (draft 2020-12) of the values that a notebook takes.

The schema describes values as they stand in JSON (:mod:`nbship.jobs.encoding`). What JSON Schema
cannot say is checked by nbship alone: bounds of dates, whole numbers beyond 4000 digits.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nbship.jobs.encoding import KEY_KINDS, decode_any
from nbship.jobs.kinds import options
from nbship.jobs.typed import type_of
from nbship.records.parameters import ParameterKind as K

if TYPE_CHECKING:
    from nbship.records.parameters import (
        Bounds,
        Parameter,
        ParameterContract,
        ParameterType,
    )

DRAFT = "https://json-schema.org/draft/2020-12/schema"
_DATE = "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"
_CLOCK = r"[0-9]{2}(:?[0-9]{2}(:?[0-9]{2}([.,][0-9]+)?)?)?"
_ZONE = r"(Z|[+-][0-9]{2}(:?[0-9]{2}(:?[0-9]{2}(\.[0-9]+)?)?)?)?(\[[^\[\]]+\])*$"
_TEXTS: dict[K, dict[str, Any]] = {
    K.DATE: {"format": "date", "pattern": _DATE},
    K.DATETIME: {"pattern": rf"^[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}([T ]{_CLOCK}{_ZONE}|$)"},
    K.TIME: {"pattern": rf"^T?{_CLOCK}{_ZONE}"},
    K.TIMEDELTA: {"pattern": r"^[+-]?(P|[0-9])"},
    K.PATH: {"minLength": 1},
    K.BYTES: {
        "contentEncoding": "base64",
        "pattern": "^([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$",
    },
    K.COMPLEX: {"pattern": "[0-9njf]"},
    K.DECIMAL: {"pattern": r"^\s*[+-]?([0-9._]+([eE][+-]?[0-9]+)?|[sSnNiI][a-zA-Z]+[0-9]*)\s*$"},
}  # fmt: skip
#: what JSON lacks, where the type leaves a choice
_MARKS = {
    K.DATE: "$date", K.DATETIME: "$datetime", K.TIME: "$time", K.TIMEDELTA: "$timedelta",
    K.BYTES: "$bytes", K.COMPLEX: "$complex", K.DECIMAL: "$Decimal",
}  # fmt: skip
_GROUP_MARKS = {K.TUPLE: "$tuple", K.SET: "$set", K.FROZENSET: "$frozenset"}


def contract_schema(contract: ParameterContract, *, title: str) -> dict[str, Any]:
    """Write the schema of a notebook's values: an object, one property a parameter.

    Parameters
    ----------
    contract
        What the notebook declares.
    title
        The notebook, for people.
    """
    schema: dict[str, Any] = {
        "$schema": DRAFT,
        "title": title,
        "type": "object",
        "properties": {p.name: parameter_schema(p) for p in contract.parameters},
        "additionalProperties": False,
    }
    required = [p.name for p in contract.parameters if p.is_required]
    return schema | ({"required": required} if required else {})


def parameter_schema(parameter: Parameter) -> dict[str, Any]:
    """Write the schema of one parameter, with its words, its default and its unit."""
    schema = type_schema(type_of(parameter))
    if parameter.description:
        schema["description"] = parameter.description
    is_read = parameter.default is not None or parameter.default_text == "None"
    if is_read and not parameter.is_required:
        schema["default"] = parameter.default
    if parameter.unit:
        schema["x-unit"] = parameter.unit
    if parameter.is_inferred:
        schema["x-inferred"] = True
    return schema


def type_schema(kind: ParameterType) -> dict[str, Any]:
    """Write the schema of one type."""
    schema = _schema(kind)
    return schema | _bounds(kind.bounds, kind) if kind.bounds else schema


def _schema(kind: ParameterType) -> dict[str, Any]:  # noqa: C901, PLR0911, PLR0912  # one line a kind
    match kind.kind:
        case K.UNION:
            return _union(kind)
        case K.ANY:
            return {}
        case K.NONE:
            return {"type": "null"}
        case K.BOOL:
            return {"type": "boolean"}
        case K.INT:
            return {"type": "integer"}
        case K.STR:
            return {"type": "string"}
        case K.FLOAT:
            return _real(kind.bounds)
        case K.LITERAL:
            return {"enum": list(kind.choices)}
        case K.ENUM:
            return _enum(kind)
        case K.NUMPY:
            return _numpy(kind)
        case K.LIST | K.SET | K.FROZENSET | K.TUPLE:
            return _array(kind)
        case K.DICT:
            return _object(kind)
        case _:
            return {"type": "string", **_TEXTS[kind.kind]}


def _real(bounds: Bounds | None) -> dict[str, Any]:
    texts = ["nan", "inf", "-inf"]
    if bounds and (bounds.low is not None or bounds.high is not None):
        texts = ["inf"] * (bounds.high is None) + ["-inf"] * (bounds.low is None)
    if bounds and bounds.multiple_of is not None:
        texts = []
    number: dict[str, Any] = {"type": "number"}
    return {"anyOf": [number, {"enum": texts}]} if texts else number


def _enum(kind: ParameterType) -> dict[str, Any]:
    if kind.is_open:
        return {"type": "string", "examples": list(kind.choices)}
    values = [v for v in kind.member_values if isinstance(v, (str, int, float))]
    names = [*kind.choices, *(f"{kind.class_name}.{name}" for name in kind.choices)]
    return {"enum": list(dict.fromkeys([*names, *values]))}


def _numpy(kind: ParameterType) -> dict[str, Any]:
    name = kind.class_name
    if name == "bool_":
        return {"type": "boolean"}
    if name.startswith(("float", "double", "half", "single")):
        return _real(None)
    if name.startswith(("complex", "str", "bytes", "longdouble")):
        return {"type": ["string", "number"] if name == "longdouble" else "string"}
    return {"type": "integer"}


def _array(kind: ParameterType) -> dict[str, Any]:
    if not kind.items:
        return {"type": "array"}
    if kind.kind is K.TUPLE and not kind.is_open:
        each = [type_schema(item) for item in kind.items]
        count = {"minItems": len(each), "maxItems": len(each)}
        return {"type": "array", "prefixItems": each, **count}
    return {"type": "array", "items": type_schema(kind.items[0])}


def _object(kind: ParameterType) -> dict[str, Any]:
    if not kind.items:
        return {"type": "object"}
    key, item = kind.items
    found: dict[str, Any] = {
        "type": "object",
        "additionalProperties": type_schema(item),
    }
    names = _key_names(key)
    if names:
        found["propertyNames"] = names
    pair = {
        "type": "array",
        "prefixItems": [type_schema(key), type_schema(item)],
        "minItems": 2,
        "maxItems": 2,
    }
    pairs = {"type": "array", "items": pair}
    return found if key.kind in KEY_KINDS else {"anyOf": [pairs, found]}


def _key_names(key: ParameterType) -> dict[str, Any]:
    match key.kind:
        case K.INT:
            return {
                "pattern": r"^[+-]?([0-9][0-9_]*|0[xX][0-9a-fA-F]+|0[oO][0-7]+|0[bB][01]+)$"
            }
        case K.STR:
            return {k: v for k, v in type_schema(key).items() if k != "type"}
        case K.ENUM if not key.is_open:
            return {"enum": [v for v in _enum(key)["enum"] if isinstance(v, str)]}
        case kind if kind in _TEXTS:
            return dict(_TEXTS[kind])
        case _:
            return {}


def _union(kind: ParameterType) -> dict[str, Any]:
    solid = options(kind)
    found = [type_schema(option) for option in solid]
    if len(solid) > 1:
        found += [marked for option in solid for marked in _marked(option)]
    if any(option.kind is K.NONE for option in kind.items):
        found.append({"type": "null"})
    distinct = [s for n, s in enumerate(found) if s not in found[:n]]
    return {"anyOf": distinct} if {} not in distinct else {}


def _marked(kind: ParameterType) -> list[dict[str, Any]]:
    """Write the form of a type that says what it is; none where JSON has it."""
    mark = _MARKS.get(kind.kind) or _GROUP_MARKS.get(kind.kind)
    if kind.kind is K.PATH:
        mark = f"${kind.class_name or 'Path'}"
    if kind.kind is K.ENUM:
        mark = "$enum"
    if kind.kind is K.NUMPY:
        mark = "$numpy"
    if kind.kind is K.FLOAT:
        mark = "$float"
    if kind.kind in {K.LIST, K.DICT}:  # their items may say what they are
        return [{"type": "array" if kind.kind is K.LIST else "object"}]
    if mark is None:
        return []
    inner = {"type": "array"} if kind.kind in _GROUP_MARKS else {}
    return [
        {
            "type": "object",
            "properties": {mark: inner},
            "required": [mark],
            "additionalProperties": False,
        }
    ]


def _bounds(bounds: Bounds, kind: ParameterType) -> dict[str, Any]:
    """Write the bounds that JSON Schema can say."""
    found: dict[str, Any] = {}
    if kind.kind in {K.INT, K.FLOAT, K.NUMPY}:
        low, high = decode_any(bounds.low), decode_any(bounds.high)
        if low is not None:
            found["exclusiveMinimum" if bounds.excludes_low else "minimum"] = low
        if high is not None:
            found["exclusiveMaximum" if bounds.excludes_high else "maximum"] = high
        if bounds.multiple_of is not None:
            found["multipleOf"] = bounds.multiple_of
    elif kind.kind is K.STR:
        found |= _length("Length", bounds)
        if bounds.pattern:
            found["pattern"] = bounds.pattern
    elif kind.kind in {K.LIST, K.TUPLE, K.SET, K.FROZENSET}:
        found |= _length("Items", bounds)
    elif kind.kind is K.DICT:
        found |= _length("Properties", bounds)
    return found


def _length(word: str, bounds: Bounds) -> dict[str, int]:
    limits = {f"min{word}": bounds.min_length, f"max{word}": bounds.max_length}
    return {name: limit for name, limit in limits.items() if limit is not None}

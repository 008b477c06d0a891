"""What ``predict`` takes and gives, read off the signature and the golden cases.

The signature names columns and their kinds; the golden cases hold the exact dtypes, and
whether ``predict`` answers a table row by row. A *table* is a data frame, an array, or one
list or series with an answer for each of its items; all else is the arguments of one call.
"""

from __future__ import annotations

import inspect
import json
import math
from dataclasses import dataclass, replace
from typing import Any

from .. import _about, _values
from ..inputs._checks import Spec
from ..inputs._labels import is_labelled
from ..parity import _replay

#: forms whose rows are answered one by one
TABLES = ("frame", "array", "list", "series")
_KINDS = {"$frame": "frame", "$array": "array", "$series": "series"}
_NESTED = ("list", "tuple", "object")
_SIZES = ("8", "16", "32", "64")
_OIP = {
    "bool": "BOOL",
    **{f"int{size}": f"INT{size}" for size in _SIZES},
    **{f"uint{size}": f"UINT{size}" for size in _SIZES},
    **{f"float{size}": f"FP{size}" for size in _SIZES[1:]},
}


class ContractError(RuntimeError):
    """A package that cannot be asked over a protocol; the message says why."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Field:
    """One column of a table, one argument of a call, or one part of an answer."""

    name: str
    #: as the signature says it: ``float64``, ``string``, ``category``, ``json`` …
    dtype: str
    is_nullable: bool = False
    categories: tuple[Any, ...] = ()
    #: shape of one value; -1 where it varies
    shape: tuple[int, ...] = ()
    #: whether a call may leave it out
    is_optional: bool = False
    #: the argument of the first golden case that has it, encoded
    recorded: Any = None
    #: what checks a list, a tuple or an object; None for any other value
    spec: Spec | None = None

    @property
    def datatype(self) -> str:
        """Its tensor type in the Open Inference Protocol; ``BYTES`` holds text or JSON."""
        return "BYTES" if self.spec is not None else _OIP.get(self.dtype, "BYTES")


@dataclass(frozen=True, kw_only=True, slots=True)
class Contract:
    """What this package takes and gives."""

    #: the model's name and version in every protocol
    name: str
    version: str
    #: ``frame``, ``array``, ``list``, ``series`` or ``arguments``
    form: str
    inputs: tuple[Field, ...]
    outputs: tuple[Field, ...]
    #: name under which the table is handed over; "" by position
    keyword: str = ""
    #: the table of the first golden case
    example: Any = None
    #: whether ``predict`` takes arguments of any name
    takes_any_name: bool = False
    #: whether the signature says more than the types of a request, which is held value by value
    is_strict: bool = False
    #: arguments that are handed over by position
    positional: tuple[str, ...] = ()

    @property
    def is_table(self) -> bool:
        """Whether one call answers many rows."""
        return self.form in TABLES


def contract_of(predict: Any) -> Contract:
    """Read what this package takes and gives.

    Parameters
    ----------
    predict
        The function, for the names and defaults of its arguments.

    Raises
    ------
    ContractError
        If there is no golden case, or two columns have one name.
    """
    cases = list(_replay.golden_cases())
    if not cases:
        raise ContractError("no golden case was recorded")
    signature = _about.capture()["signature"]
    origin = _about.origin()
    form = form_of(signature["input_form"], cases)
    is_table = form in TABLES
    parameters = _parameters(predict)
    example = _values.decode(_only(cases[0])) if is_table else None
    fields = (
        _table_fields(signature, form, example)
        if is_table
        else _argument_fields(signature, cases, parameters)
    )
    names = [field.name for field in fields]
    if len(set(names)) != len(names):
        raise ContractError(f"two inputs have one name: {', '.join(sorted(names))}")
    return Contract(
        name=str(origin["name"]),
        version=str(origin["version"]),
        form=form,
        inputs=fields,
        outputs=_outputs(signature, form),
        keyword=next(iter(cases[0]["kwargs"]), "") if is_table else "",
        example=example,
        is_strict=form in {"arguments", "list"}
        or '"is_strict": true' in json.dumps(signature["inputs"]),
        takes_any_name=any(p.kind is p.VAR_KEYWORD for p in parameters.values()),
        positional=() if is_table else _positional(fields, parameters),
    )


def not_served(contract: Contract) -> str:
    """Say why no request can be answered; "" where requests can."""
    for field in contract.inputs:
        if field.dtype == "opaque" and not (field.is_optional or field.is_nullable):
            return f"{field.name!r} takes an object that JSON cannot hold"
    for field in contract.outputs:
        if field.dtype == "opaque":
            return "the answer is an object that JSON cannot hold"
    return ""


def kind_of(encoded: Any) -> str:
    """Return the mark of an encoded value, such as ``$array``; "" for plain JSON."""
    if isinstance(encoded, dict) and len(encoded) == 1:
        name = next(iter(encoded))
        return name if isinstance(name, str) and name.startswith("$") else ""
    return ""


def form_of(said: str, cases: list[dict[str, Any]]) -> str:
    """Say what the function takes: as the signature says it, or one list or series by item.

    Parameters
    ----------
    said
        The form that the signature says.
    cases
        The golden cases.
    """
    if said != "arguments":
        return said
    inputs = [[*case["args"], *case["kwargs"].values()] for case in cases]
    if any(len(values) != 1 for values in inputs):
        return said
    for name, mark in (("list", ""), ("series", "$series")):
        if all(
            kind_of(values[0]) == mark
            and not is_labelled(values[0])
            and (mark or isinstance(values[0], list))
            and length_of(values[0]) == length_of(case["output"])
            for values, case in zip(inputs, cases, strict=True)
        ) and any(length_of(values[0]) != 1 for values in inputs):
            return name
    return said


def instance_of(form: str, case: dict[str, Any], names: list[str]) -> Any:
    """Return the first row or call of a golden case, as a client writes it; None for others.

    Parameters
    ----------
    form
        As :func:`form_of` says it.
    case
        The golden case.
    names
        The arguments, in their order.
    """
    if form == "arguments":
        call = {**dict(zip(names, case["args"], strict=False)), **case["kwargs"]}
        is_plain = len(case["args"]) <= len(names) and not any(
            map(kind_of, call.values())
        )
        return call if is_plain else None
    table = _values.decode(_only(case))
    if form == "list":
        return table[0] if table and not isinstance(table[0], float) else None
    if form == "frame":
        row = {str(n): table[n].iloc[0] for n in table.columns} if len(table) else {}
    else:
        row = {"": table[0] if form == "array" else table.iloc[0]}
    found = {name: _plain(value) for name, value in row.items()}
    return found if form == "frame" else found[""]


def _plain(value: Any) -> Any:
    value = value.tolist() if hasattr(value, "tolist") else value
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, (bool, int, str)):
        return value
    is_number = isinstance(value, float) and math.isfinite(value)
    if is_number or not hasattr(value, "isoformat"):
        return value if is_number else None
    return value.isoformat()


def length_of(encoded: Any) -> int | None:
    """Return the number of rows of an encoded table; None where it is none."""
    if isinstance(encoded, list):
        return len(encoded)
    kind = kind_of(encoded)
    if kind == "$frame":
        columns = encoded[kind]["columns"]
        return len(columns[0]["values"]) if columns else None
    if kind == "$array":
        shape = encoded[kind]["shape"]
        return int(shape[0]) if shape else None
    return len(encoded[kind]["values"]) if kind == "$series" else None


def _outputs(signature: dict[str, Any], form: str) -> tuple[Field, ...]:
    """Return the parts of an answer; a table for each call is one part."""
    if form == "arguments" and signature.get("output_form") == "frame":
        return (Field(name="output", dtype="json"),)
    return tuple(_field(column) for column in signature["outputs"])


def _only(case: dict[str, Any]) -> Any:
    return [*case["args"], *case["kwargs"].values()][0]


def _table_fields(
    signature: dict[str, Any], form: str, example: Any
) -> tuple[Field, ...]:
    columns = [_field(column) for column in signature["inputs"]]
    first = columns[0]
    if form == "frame":
        # the signature lists fifty categories at most, the dtype has them all
        return tuple(
            replace(field, categories=tuple(dtype.categories.tolist()))
            if field.dtype == "category" and hasattr(dtype, "categories")
            else field
            for field, dtype in zip(columns, example.dtypes, strict=True)
        )
    if form == "list":
        is_text = all(isinstance(item, str) for item in example)
        return (Field(name=first.name, dtype="string" if is_text else "json"),)
    if form == "series":
        return (first,)
    length = example.ndim - 1
    shape = first.shape if len(first.shape) == length else (-1,) * length
    return (replace(first, shape=shape),)


def _parameters(predict: Any) -> dict[str, inspect.Parameter]:
    try:
        return dict(inspect.signature(predict).parameters)
    except (TypeError, ValueError):
        return {}


def _positional(
    fields: tuple[Field, ...], parameters: dict[str, inspect.Parameter]
) -> tuple[str, ...]:
    return tuple(
        field.name
        for field in fields
        if (
            parameters[field.name].kind is inspect.Parameter.POSITIONAL_ONLY
            if field.name in parameters
            else field.name.startswith("argument_")
        )
    )


def _argument_fields(
    signature: dict[str, Any],
    cases: list[dict[str, Any]],
    parameters: dict[str, inspect.Parameter],
) -> tuple[Field, ...]:
    said = {column["name"]: _field(column) for column in signature["inputs"]}
    specs = {c["name"]: Spec(c) for c in signature["inputs"] if _is_nested(c)}
    recorded: dict[str, Any] = {}
    names = [
        name
        for name, parameter in parameters.items()
        if parameter.kind not in {parameter.VAR_KEYWORD, parameter.VAR_POSITIONAL}
    ]
    for case in cases:
        for place, value in enumerate(case["args"]):
            name = names[place] if place < len(names) else f"argument_{place + 1}"
            recorded.setdefault(name, value)
        for name, value in case["kwargs"].items():
            recorded.setdefault(name, value)
    fields = []
    for name in dict.fromkeys([*names, *recorded]):
        parameter = parameters.get(name)
        column = said.get(name)
        plain = column is not None and kind_of(recorded.get(name)) != "$frame"
        fields.append(
            Field(
                name=name,
                dtype=column.dtype if column is not None and plain else "json",
                is_nullable=column.is_nullable if column is not None else True,
                shape=column.shape if column is not None else (),
                is_optional=name not in recorded
                or (parameter is not None and parameter.default is not parameter.empty),
                recorded=recorded.get(name),
                spec=specs.get(name),
            )
        )
    return tuple(fields)


def _is_nested(column: dict[str, Any]) -> bool:
    """Tell whether an argument is plain JSON with parts, or a series by its labels."""
    form = column.get("form")
    return form in _NESTED or (form == "series" and bool(column.get("fields")))


def _field(column: dict[str, Any]) -> Field:
    return Field(
        name=str(column["name"]),
        dtype=column["dtype"],
        is_nullable=column.get("is_nullable", False),
        categories=tuple(column.get("categories") or ()),
        shape=tuple(column.get("shape") or ()),
    )

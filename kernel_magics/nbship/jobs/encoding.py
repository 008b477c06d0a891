"""Python values as JSON, exact in type and value.

Where the type is declared, the value stands as JSON has it: a date is ``"2024-01-02"``, a tuple
a list, bytes are base64, a float without a JSON number is ``"nan"``, ``"inf"`` or ``"-inf"``.
Where the type leaves a choice (``Any``, unions, parameters without a declared type) what JSON
lacks says what it is: ``{"$date": "2024-01-02"}``, ``{"$tuple": [1, 2]}``,
``{"$dict": [[1, "a"]]}``. A dict one of whose keys begins with ``$`` is written as ``$dict``.
"""

from __future__ import annotations

import json
import math
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from functools import partial
from pathlib import PurePath, PurePosixPath, PureWindowsPath
from typing import TYPE_CHECKING, Any

from nbship.jobs.kinds import options
from nbship.jobs.literals import Member, NumpyScalar
from nbship.jobs.scalars import (
    bytes_text,
    duration_text,
    read_base64,
    read_datetime,
    read_duration,
    read_time,
    time_text,
)
from nbship.records.parameters import ParameterKind as K

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from nbship.records.parameters import ParameterType

#: whole numbers with more bits are written in base 16: Python reads no more than 4300 digits
_PLAIN_BITS = 14_000
#: kinds of keys that are written as a text in a JSON object
KEY_KINDS = frozenset(
    {K.STR, K.INT, K.FLOAT, K.BOOL, K.ENUM, K.DATE, K.DATETIME, K.TIME, K.TIMEDELTA, K.PATH, K.DECIMAL}
)  # fmt: skip
_PATHS = {
    "$Path": PurePath,
    "$PurePosixPath": PurePosixPath,
    "$PureWindowsPath": PureWindowsPath,
}


def encode(kind: ParameterType, value: Any) -> Any:  # noqa: ANN401, PLR0911  # one line a kind
    """Write a value that fits a type as JSON.

    Parameters
    ----------
    kind
        The type.
    value
        What :func:`nbship.jobs.fitting.fit` returned for it.
    """
    match kind.kind:
        case K.UNION:
            return _encode_option(kind, value)
        case K.ANY | K.LITERAL | K.NONE | K.BOOL | K.STR:
            return encode_any(value)
        case K.ENUM:
            return value.name
        case K.NUMPY:
            return _bare(value.value)
        case K.LIST | K.TUPLE:
            return _encode_items(kind, value)
        case K.SET | K.FROZENSET:
            return in_order(_encode_items(kind, value))
        case K.DICT:
            return _encode_dict(kind, value)
        case _:
            return _bare(value)


def _encode_option(kind: ParameterType, value: Any) -> Any:  # noqa: ANN401
    solid = options(kind)
    if value is None or len(solid) == 1:
        return None if value is None else encode(solid[0], value)
    is_number = {option.kind for option in solid} == {K.INT, K.FLOAT}
    return _bare(value) if is_number else encode_any(value)


def _encode_items(kind: ParameterType, values: Any) -> list[Any]:  # noqa: ANN401
    if not kind.items:
        return [encode_any(value) for value in values]
    if kind.kind is K.TUPLE and not kind.is_open:
        return [encode(k, v) for k, v in zip(kind.items, values, strict=True)]
    return [encode(kind.items[0], value) for value in values]


def _encode_dict(kind: ParameterType, value: Mapping[Any, Any]) -> Any:  # noqa: ANN401
    if not kind.items:
        return encode_any(value)
    key_kind, item_kind = kind.items
    if key_kind.kind in KEY_KINDS:
        return {key_text(key_kind, k): encode(item_kind, v) for k, v in value.items()}
    return [[encode(key_kind, k), encode(item_kind, v)] for k, v in value.items()]


def key_text(kind: ParameterType, key: Any) -> str:  # noqa: ANN401
    """Write a key of a JSON object."""
    found = encode(kind, key)
    return found if isinstance(found, str) else json.dumps(found)


def in_order(found: list[Any]) -> list[Any]:
    """Order the JSON values of a set, which has no order of its own."""
    return sorted(found, key=canonical)


def canonical(value: Any) -> str:  # noqa: ANN401
    """Write a JSON value so that equal ones are equal texts; 1 and 1.0 are not."""
    return json.dumps(value, sort_keys=True)


def _bare(value: Any) -> Any:  # noqa: ANN401
    """Write a scalar whose type the contract tells."""
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return value if value.bit_length() <= _PLAIN_BITS else hex(value)
    return _scalar_text(value)


def _scalar_text(value: Any) -> Any:  # noqa: ANN401, PLR0911  # one line a kind
    match value:
        case bytes():
            return bytes_text(value)
        case complex():
            return repr(value).strip("()")
        case datetime() | time():
            return time_text(value)
        case date():
            return value.isoformat()
        case timedelta():
            return duration_text(value)
        case PurePath() | Decimal():
            return str(value)
        case _:
            return value


def encode_any(value: Any) -> Any:  # noqa: ANN401, C901, PLR0911, PLR0912  # one line a kind
    """Write a value of any type; what JSON lacks says what it is.

    Raises
    ------
    ValueError
        If it is of no type that can be written.
    """
    match value:
        case None | bool():
            return value
        case str():
            _check_text(value)
            return str(value)
        case int() | float():
            found = _bare(value)
            is_plain = type(found) is not str
            return found if is_plain else {f"${type(value).__name__}": found}
        case list():
            return [encode_any(item) for item in value]
        case tuple():
            return {"$tuple": [encode_any(item) for item in value]}
        case set() | frozenset():
            found = in_order([encode_any(item) for item in value])
            return {f"${type(value).__name__}": found}
        case dict():
            return _encode_any_dict(value)
        case Member():
            return {"$enum": f"{value.maker}.{value.name}"}
        case NumpyScalar():
            return {"$numpy": [value.class_name, _bare(value.value)]}
        case PurePath():
            name = type(value).__name__
            return {f"${name}" if f"${name}" in _PATHS else "$Path": str(value)}
        case _:
            pass
    for kind in (bytes, complex, datetime, date, time, timedelta, Decimal):
        if isinstance(value, kind):
            return {f"${kind.__name__}": _scalar_text(value)}
    raise ValueError("a value that can be written was expected")


def _encode_any_dict(value: dict[Any, Any]) -> dict[str, Any]:
    is_plain = all(type(key) is str and not key.startswith("$") for key in value)
    pairs = [[encode_any(k), encode_any(v)] for k, v in value.items()]
    return dict(pairs) if is_plain else {"$dict": pairs}


def _check_text(text: str) -> None:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        raise ValueError("text that UTF-8 can hold was expected") from None


def decode_any(data: Any) -> Any:  # noqa: ANN401
    """Read what :func:`encode_any` writes; JSON without marks is what it is.

    Raises
    ------
    ValueError
        If a mark is followed by something else than it promises.
    """
    if isinstance(data, list):
        return [decode_any(item) for item in data]
    if not isinstance(data, dict):
        return data
    if len(data) == 1:
        ((mark, inner),) = data.items()
        if mark in _READERS:
            try:
                return _READERS[mark](inner)
            except (TypeError, AttributeError, ArithmeticError) as error:
                raise ValueError(f"{mark} is followed by {inner!r}") from error
    return {key: decode_any(item) for key, item in data.items()}


def read_decimal(text: str) -> Decimal:
    """Read a decimal number.

    Raises
    ------
    ValueError
        If it is none.
    """
    try:
        return Decimal(text)
    except ArithmeticError:
        raise ValueError("a decimal number was expected") from None


def read_path(text: str, class_name: str) -> PurePath:
    """Make a path of the flavour that a class has.

    Raises
    ------
    ValueError
        If the text is none.
    """
    if not text or "\0" in text:
        raise ValueError("a path was expected")
    _check_text(text)
    return (PureWindowsPath if "Windows" in class_name else PurePosixPath)(text)


def _member(text: str) -> Member:
    maker, _, name = text.rpartition(".")
    return Member(maker, name)


def _numpy(pair: list[Any]) -> NumpyScalar:
    name, value = pair
    return NumpyScalar(name, read_numpy(name, value))


def read_numpy(class_name: str, value: Any) -> Any:  # noqa: ANN401
    """Read the value of a scalar of numpy, as :func:`encode` wrote it."""
    if class_name.startswith(("float", "double", "half", "single")):
        return float(value)
    if class_name.startswith("complex"):
        return complex(value)
    return read_base64(value) if class_name == "bytes_" else value


def read_any_path(mark: str, text: str) -> PurePath:
    """Read a path whose class a mark tells."""
    read_path(text, mark)
    if mark == "$Path":
        from pathlib import Path

        return Path(text)
    return _PATHS[mark](text)


_READERS: dict[str, Callable[[Any], Any]] = {
    "$int": lambda text: int(text, 16),
    "$float": float,
    "$complex": complex,
    "$bytes": read_base64,
    "$tuple": lambda items: tuple(map(decode_any, items)),
    "$set": lambda items: set(map(decode_any, items)),
    "$frozenset": lambda items: frozenset(map(decode_any, items)),
    "$dict": lambda pairs: {decode_any(k): decode_any(v) for k, v in pairs},
    "$date": date.fromisoformat,
    "$datetime": read_datetime,
    "$time": read_time,
    "$timedelta": read_duration,
    "$Decimal": read_decimal,
    "$enum": _member,
    "$numpy": _numpy,
    **{mark: partial(read_any_path, mark) for mark in _PATHS},
}

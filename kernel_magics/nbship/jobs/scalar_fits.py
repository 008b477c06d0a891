"""Whether one scalar fits its kind, and the value that then reaches the notebook."""

from __future__ import annotations

import enum
import re
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from nbship.jobs.encoding import encode_any, read_any_path, read_decimal, read_path
from nbship.jobs.kinds import type_text
from nbship.jobs.literals import Member, NumpyScalar
from nbship.jobs.scalars import read_base64, read_datetime, read_duration, read_time
from nbship.records.parameters import ParameterKind as K

if TYPE_CHECKING:
    from collections.abc import Callable

    from nbship.records.parameters import ParameterType

    Fits = Callable[[ParameterType, Any, bool], Any]

#: in mistakes that say more than what was expected
_TOLD = ("no time zone", "too long")
#: JSON texts of the floats that JSON has no numbers for
NOT_FINITE = ("nan", "inf", "-inf")
EXPECTED = {
    K.INT: "a whole number",
    K.FLOAT: "a number",
    K.COMPLEX: "a complex number such as 1+2j",
    K.BOOL: "true or false",
    K.STR: "text",
    K.BYTES: "bytes such as b'ab', hex:6162 or base64:YWI=",
    K.NONE: "None",
    K.LIST: "a list such as [1, 2]",
    K.TUPLE: "a tuple such as (1, 2)",
    K.SET: "a set such as {1, 2}",
    K.FROZENSET: "a set such as {1, 2}",
    K.DICT: 'a dict such as {"a": 1}',
    K.DATE: "a date such as 2024-12-31",
    K.DATETIME: "a time such as 2024-12-31T23:59:00",
    K.TIME: "a time of day such as 23:59:00",
    K.TIMEDELTA: "a duration such as 90s, 1:30:00 or P1DT12H",
    K.PATH: "a path",
    K.DECIMAL: "a decimal number",
}


def own(value: Any) -> Any:  # noqa: ANN401
    """Turn values of numpy, pandas and the user's Enum classes into ours."""
    if isinstance(value, enum.Enum):
        return Member(type(value).__name__, value.name or str(value))
    kind = type(value)
    if (
        kind.__module__ == "numpy"
        and hasattr(value, "dtype")
        and not getattr(value, "ndim", 1)
    ):
        return _numpy_scalar(value)
    if isinstance(value, datetime) and hasattr(value, "to_pydatetime"):
        return value.to_pydatetime()
    return value


def _numpy_scalar(value: Any) -> NumpyScalar:  # noqa: ANN401
    name = type(value).__name__
    if name in {"datetime64", "timedelta64"}:
        return NumpyScalar(value.dtype.str.lstrip("<>="), int(value.astype("int64")))
    if "longdouble" in name:
        return NumpyScalar("longdouble", str(value))
    return NumpyScalar("bool_" if name == "bool" else name, value.item())


def expected(kind: ParameterType) -> ValueError:
    """Return the mistake of a value that is of another kind."""
    return ValueError(f"{EXPECTED.get(kind.kind, type_text(kind))} was expected")


def bare(value: Any) -> Any:  # noqa: ANN401
    """Return the Python value of a scalar of numpy."""
    return value.value if isinstance(value, NumpyScalar) else value


def _int(kind: ParameterType, value: Any, is_json: bool) -> int:  # noqa: ANN401, FBT001
    value = bare(value)
    if is_json and isinstance(value, str) and value.lstrip("-").startswith("0x"):
        return int(value, 16)
    if is_json and isinstance(value, float) and value.is_integer():
        return int(value)
    if type(value) is not int:
        raise expected(kind)
    return value


def _float(kind: ParameterType, value: Any, _: bool) -> float:  # noqa: ANN401, FBT001
    value = bare(value)
    if value in NOT_FINITE and isinstance(value, str):
        return float(value)
    if type(value) not in {int, float}:
        raise expected(kind)
    try:
        return float(value)
    except OverflowError:
        raise ValueError("the number is too large for a float") from None


def _complex(kind: ParameterType, value: Any, _: bool) -> complex:  # noqa: ANN401, FBT001
    value = bare(value)
    if type(value) not in {int, float, complex, str}:
        raise expected(kind)
    try:
        return complex(value.replace(" ", "") if isinstance(value, str) else value)
    except (ValueError, OverflowError):
        raise expected(kind) from None


def _exactly(*types: type) -> Callable[[ParameterType, Any, bool], Any]:
    def fits(kind: ParameterType, value: Any, _: bool) -> Any:  # noqa: ANN401, FBT001
        value = bare(value)
        if type(value) not in types:
            raise expected(kind)
        if isinstance(value, str):
            encode_any(value)
        return value

    return fits


def _bytes(kind: ParameterType, value: Any, is_json: bool) -> bytes:  # noqa: ANN401, FBT001
    value = bare(value)
    if is_json and isinstance(value, str):
        return read_base64(value)
    if not isinstance(value, (bytes, bytearray)):
        raise expected(kind)
    return bytes(value)


def _moment(
    type_: type, read: Callable[[str], Any]
) -> Callable[[ParameterType, Any, bool], Any]:
    def fits(kind: ParameterType, value: Any, _: bool) -> Any:  # noqa: ANN401, FBT001
        value = bare(value)
        is_other = type_ is date and isinstance(value, datetime)
        if isinstance(value, str):
            try:
                return read(value.strip())
            except ValueError as error:
                is_told = any(word in str(error) for word in _TOLD)
                raise (error if is_told else expected(kind)) from None
        if is_other or not isinstance(value, type_):
            raise expected(kind)
        return value

    return fits


def _path(kind: ParameterType, value: Any, _: bool) -> PurePath:  # noqa: ANN401, FBT001
    value = bare(value)
    if not isinstance(value, (str, PurePath)):
        raise expected(kind)
    read_path(str(value), kind.class_name)
    mark = f"${kind.class_name}" if kind.class_name.startswith("PureWin") else "$Path"
    if kind.class_name in {"PurePath", "PurePosixPath"}:
        mark = "$PurePosixPath"
    return read_any_path(mark, str(value))


def _decimal(kind: ParameterType, value: Any, is_json: bool) -> Decimal:  # noqa: ANN401, FBT001
    value = bare(value)
    if isinstance(value, Decimal):
        return value
    if type(value) in {int, str} or (is_json and type(value) is float):
        return read_decimal(str(value))
    raise expected(kind)


def _numpy(kind: ParameterType, value: Any, is_json: bool) -> NumpyScalar:  # noqa: ANN401, FBT001
    if isinstance(value, NumpyScalar):
        if value.class_name != kind.class_name:
            value = value.value
        else:
            return value
    name = kind.class_name
    if name == "longdouble" and isinstance(value, str):
        return NumpyScalar(
            name, str(_float(kind, value, is_json)) if value in NOT_FINITE else value
        )
    family = next(f for words, f in _FAMILIES if name.startswith(words))
    found = SCALAR_FITS[family](kind, value, is_json)
    if family is K.INT and (match := re.search(r"(8|16|32|64)$", name)):
        bits = int(match[1])
        low, high = (
            (0, 2**bits - 1)
            if name[0] == "u"
            else (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)
        )
        if not low <= found <= high:
            raise ValueError(f"a whole number from {low} to {high} was expected")
    return NumpyScalar(name, found)


_FAMILIES: tuple[tuple[tuple[str, ...], K], ...] = (
    (("float", "double", "half", "single", "longdouble"), K.FLOAT),
    (("complex",), K.COMPLEX),
    (("bool",), K.BOOL),
    (("str",), K.STR),
    (("bytes",), K.BYTES),
    (("",), K.INT),
)


SCALAR_FITS: dict[K, Fits] = {
    K.INT: _int,
    K.FLOAT: _float,
    K.COMPLEX: _complex,
    K.BOOL: _exactly(bool),
    K.STR: _exactly(str),
    K.BYTES: _bytes,
    K.NONE: _exactly(type(None)),
    K.DATE: _moment(date, date.fromisoformat),
    K.DATETIME: _moment(datetime, read_datetime),
    K.TIME: _moment(time, read_time),
    K.TIMEDELTA: _moment(timedelta, read_duration),
    K.PATH: _path,
    K.DECIMAL: _decimal,
    K.NUMPY: _numpy,
}

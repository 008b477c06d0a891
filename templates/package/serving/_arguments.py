"""The arguments of one call, given the kinds that the golden cases recorded."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from .. import _values
from ..answering import _tables
from ..answering._contract import kind_of
from ..inputs._checks import Findings, convert
from ..inputs._labels import EXPECTED, like

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..answering._contract import Contract, Field
    from ..inputs._checks import Spec

BAD_REQUEST, UNPROCESSABLE = 400, 422
_TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "bool": (bool,),
    "float64": (float, int),
    "int64": (int,),
}


class WrongInputError(ValueError):
    """What a client sent and may mend; the message names the field."""

    def __init__(
        self, message: str, *, field: str = "", status: int = UNPROCESSABLE
    ) -> None:
        super().__init__(message)
        #: path of the wrong part, such as ``instances[0].km``
        self.field = field
        #: the HTTP status to answer with
        self.status = status
        #: all mistakes, where more than the first is known
        self.problems: list[dict[str, str]] = []


def read(contract: Contract, given: Any, path: str) -> dict[str, Any]:
    """Read one call's arguments, by name.

    Parameters
    ----------
    contract
        What the function takes.
    given
        An object by name.
    path
        Where it lies in the request, for messages.

    Raises
    ------
    WrongInputError
        If one is missing, not known, or of another type.
    """
    known = {field.name: field for field in contract.inputs}
    if not contract.takes_any_name:
        for name in given:
            if name not in known:
                raise WrongInputError(
                    f"{path}.{name}: not known; known are {', '.join(known)}",
                    field=f"{path}.{name}",
                )
    for name, field in known.items():
        if name not in given and not field.is_optional:
            raise WrongInputError(f"{path}.{name}: missing", field=f"{path}.{name}")
    return {
        name: value_of(known.get(name), value, f"{path}.{name}")
        for name, value in given.items()
    }


def value_of(  # one line a kind
    field: Field | None, given: Any, path: str
) -> Any:
    """Turn JSON into the kind of value that the golden cases recorded.

    Raises
    ------
    WrongInputError
        If it cannot be.
    """
    if field is None:
        return decoded(given, path)
    if given is None and (field.is_nullable or field.is_optional):
        return None
    kind = kind_of(field.recorded)
    if field.dtype == "opaque":
        raise WrongInputError(
            f"{path}: an object of the notebook was recorded, which JSON cannot hold; call the "
            "function in Python",
            field=path,
        )
    if _is_marked(field, given, kind):
        return decoded(given, path)
    if field.spec is not None:
        return _with_parts(field, field.spec, given, path)
    if kind in _CONVERTERS:
        try:
            return _CONVERTERS[kind](field, given)
        except (AttributeError, TypeError, ValueError, OverflowError) as error:
            raise WrongInputError(
                f"{path}: {error}; {_WANTED[kind]} was expected", field=path
            ) from error
    return _plain(field, given, path)


def _plain(field: Field, given: Any, path: str) -> Any:
    """Check a value that JSON has a kind for.

    Raises
    ------
    WrongInputError
        If it is of another kind.
    """
    wanted = _TYPES.get(field.dtype)
    if field.dtype == "int64" and isinstance(given, float) and given.is_integer():
        given = int(given)
    is_truth = isinstance(given, bool) and wanted is not None and bool not in wanted
    if wanted is not None and (is_truth or not isinstance(given, wanted)):
        raise WrongInputError(
            f"{path}: {given!r} where {field.dtype} was expected", field=path
        )
    if field.dtype == "float64" and isinstance(given, int):
        recorded = field.recorded
        return given if isinstance(recorded, int) else _as_float(given, path)
    return decoded(given, path)


def _with_parts(field: Field, spec: Spec, given: Any, path: str) -> Any:
    """Check a list, a tuple, an object or a series by its labels, part by part.

    Raises
    ------
    WrongInputError
        If a part does not fit.
    """
    findings = Findings()
    found = convert(spec, given, path, findings)
    if findings.problems:
        first = findings.problems[0]
        raise WrongInputError(first.message, field=first.path)
    if kind_of(field.recorded) != "$series":
        return found
    try:
        return like(found, _values.decode(field.recorded))
    except (AttributeError, TypeError, ValueError, OverflowError) as error:
        raise WrongInputError(
            f"{path}: {error}; {EXPECTED} was expected", field=path
        ) from error


def _is_marked(field: Field, given: Any, recorded: str) -> bool:
    """Return whether a value is written as golden cases write it, and may be so here."""
    mark = kind_of(given)
    is_number = mark == "$float" and field.dtype == "float64"
    return bool(mark) and (is_number or mark == recorded or field.dtype not in _TYPES)


def decoded(value: Any, path: str) -> Any:
    """Read a value as golden cases write it: plain JSON, or an object such as ``{"$date": …}``.

    Raises
    ------
    WrongInputError
        If it is of a kind that cannot be rebuilt, or malformed.
    """
    try:
        return _values.decode(value)
    except Exception as error:
        raise WrongInputError(f"{path}: {error}", field=path) from error


def _as_float(given: int, path: str) -> float:
    try:
        return float(given)
    except OverflowError as error:
        raise WrongInputError(f"{path}: {error}", field=path) from error


def _scalar(field: Field, given: Any) -> Any:
    import numpy as np

    dtype = np.dtype(field.recorded["$scalar"]["dtype"])
    is_number = isinstance(given, (int, float)) and not isinstance(given, bool)
    if dtype.kind in "iuf" and not is_number:
        raise TypeError(f"{given!r}")
    if dtype.kind in "iu" and int(given) != given:
        raise ValueError(f"{given!r}")
    return np.array([given], dtype=dtype)[0]


def _array(field: Field, given: Any) -> Any:
    import numpy as np

    recorded = field.recorded["$array"]
    array = _tables.array_of(given, np.dtype(recorded["dtype"]))
    if array.ndim != len(recorded["shape"]):
        raise ValueError(f"{array.ndim} dimensions")
    return array


def _series(field: Field, given: Any) -> Any:
    import pandas as pd

    example = _values.decode(field.recorded)
    if not isinstance(given, list):
        raise TypeError(f"{given!r}")
    column = _tables.column_of(given, example.name, example.dtype)
    return pd.Series(column, name=example.name)


def _frame(field: Field, given: Any) -> Any:
    example = _values.decode(field.recorded)
    names = [str(name) for name in example.columns]
    for number, row in enumerate(given):
        for name in names:
            if name not in row:
                raise ValueError(f"[{number}].{name}: missing")
    if not given:
        raise ValueError("no row")
    return _tables.frame_of(
        example, [tuple(row[name] for name in names) for row in given]
    )


def _timestamp(_field: Field, given: Any) -> Any:
    import pandas as pd

    if not isinstance(given, str):
        raise TypeError(f"{given!r}")
    return pd.Timestamp(given)


_CONVERTERS: dict[str, Callable[[Field, Any], Any]] = {
    "$scalar": _scalar,
    "$array": _array,
    "$series": _series,
    "$frame": _frame,
    "$timestamp": _timestamp,
    "$datetime": lambda _field, given: dt.datetime.fromisoformat(given),
    "$date": lambda _field, given: dt.date.fromisoformat(given),
    "$time": lambda _field, given: dt.time.fromisoformat(given),
}
_WANTED = {
    "$scalar": "a number or text",
    "$array": "a list, nested as the array is",
    "$series": "a list",
    "$frame": "a list of objects by column",
    "$timestamp": "a time in ISO 8601",
    "$datetime": "a time in ISO 8601",
    "$date": "a date in ISO 8601",
    "$time": "a time of day in ISO 8601",
}

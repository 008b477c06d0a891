"""Write the values of golden cases as JSON, read them back, compare them.

Ships verbatim inside every exported package: plain Python 3.11, numpy and pandas are
imported only where a value needs them. Plain JSON stands for itself; everything else is an
object with one key that begins with ``$``, such as ``{"$tuple": [1, 2]}``.

>>> recorded = encode((1, float("nan")))
>>> decode(recorded)
(1, nan)
>>> compare(recorded, (2, float("nan")))
['[0]: 2 where 1 was recorded']
"""

from __future__ import annotations

import base64
import contextvars
import dataclasses
import datetime as dt
import decimal
import json
import math
import sys
from typing import Any

#: what an encoder answers to a value of another library
NOT_MINE = object()
#: relative tolerance of floats unless the caller says otherwise
RTOL = 1e-9
#: differences listed by one comparison; the rest is counted
MAX_DIFFERENCES = 20

#: what is asked about values of no kind that is known here; see ``_objects``
fallback: contextvars.ContextVar[Any] = contextvars.ContextVar("fallback", default=None)

_TEXT_TYPES: dict[str, Any] = {
    "$date": dt.date,
    "$time": dt.time,
    "$datetime": dt.datetime,
}


class UnsupportedValueError(TypeError):
    """A value that has no place in a golden case; the message names its path and type."""


def encode(value: Any, path: str = "") -> Any:
    """Turn a value into JSON.

    Parameters
    ----------
    value
        Python scalars, lists, tuples, sets, dicts, dates, dataclasses, named tuples, NumPy
        scalars and arrays, pandas frames, series and indexes, tensors, sparse matrices.
    path
        Where the value lies, for the message.

    Raises
    ------
    UnsupportedValueError
        If the value, or one inside it, is of another type.
    """
    for encoder in _ENCODERS:
        found = encoder(value, path)
        if found is not NOT_MINE:
            return found
    describe = fallback.get()
    if describe is not None:
        return describe(value, path)
    kind = type(value)
    where = f"{path}: " if path else ""
    raise UnsupportedValueError(
        f"{where}a value of type {kind.__module__}.{kind.__qualname__} cannot be recorded"
    )


def decode(data: Any) -> Any:
    """Read what :func:`encode` wrote.

    Raises
    ------
    UnsupportedValueError
        If ``data`` is a record of a class that only its author's module has, an object, or
        is of a kind that this reader does not know.
    """
    if isinstance(data, list):
        return [decode(item) for item in data]
    if not isinstance(data, dict):
        return data
    kind = next(iter(data), "")
    if len(data) != 1 or not kind.startswith("$"):
        return {key: decode(item) for key, item in data.items()}
    if kind in _DECODERS:
        return _DECODERS[kind](data[kind])
    if kind in {"$file", "$object"}:
        raise UnsupportedValueError(
            f"an object of {_said_type(data[kind])}, which JSON cannot hold: call predict in Python"
        )
    if kind in {"$tensor", "$sparse"}:
        from ._foreign import DECODERS
    else:
        from ._frames import DECODERS
    if kind not in DECODERS:
        raise UnsupportedValueError(f"values of kind {kind!r} cannot be rebuilt")
    return DECODERS[kind](data[kind])


def compare(recorded: Any, found: Any, rtol: Any = RTOL) -> list[str]:
    """List how a value differs from the recorded one.

    Labels, whole numbers, strings, booleans, dtypes, shapes and names must be equal;
    floats may differ by ``rtol`` of the larger one; NaN equals NaN.

    Parameters
    ----------
    recorded
        The encoded value, as a line of ``golden.jsonl`` has it.
    found
        The live value.
    rtol : float, >= 0, or a dict
        Relative tolerance of floats; a dict has one by name of column, key or field.

    Returns
    -------
    list of str
        Such as ``row 1, column 'p': 0.25 where 0.5 was recorded``; empty where they agree.
    """
    from ._compare import differences_of
    from ._objects import encode as encode_any

    try:
        encoded = encode_any(found)
    except UnsupportedValueError as error:
        return [str(error)]

    differences = differences_of(recorded, json.loads(json.dumps(encoded)), rtol)
    if len(differences) > MAX_DIFFERENCES:
        more = len(differences) - MAX_DIFFERENCES
        return [*differences[:MAX_DIFFERENCES], f"and {more} more differences"]
    return differences


def _said_type(body: Any) -> str:
    return str(body.get("type", "?")) if isinstance(body, dict) else "?"


def number(value: float) -> Any:
    """Write a float: JSON has neither NaN nor infinities."""
    return value if math.isfinite(value) else {"$float": repr(value)}


def _encode_plain(value: Any, _path: str) -> Any:  # noqa: PLR0911  # one line a type
    kind = type(value)
    if value is None or kind in (bool, int, str):
        return value
    if kind is float:
        return number(value)
    if kind is complex:
        return {"$complex": [number(value.real), number(value.imag)]}
    if kind in (bytes, bytearray):
        name = "$bytes" if kind is bytes else "$bytearray"
        return {name: base64.b64encode(value).decode("ascii")}
    if kind is decimal.Decimal:
        return {"$decimal": str(value)}
    if kind is dt.timedelta:
        return {"$timedelta": [value.days, value.seconds, value.microseconds]}
    for name, type_ in _TEXT_TYPES.items():
        if kind is type_:
            return {name: value.isoformat()}
    return NOT_MINE


def _encode_container(value: Any, path: str) -> Any:  # noqa: PLR0911
    kind = type(value)
    if kind in (list, tuple):
        items = [encode(item, f"{path}[{i}]") for i, item in enumerate(value)]
        return items if kind is list else {"$tuple": items}
    if kind in (set, frozenset):
        items = sorted((encode(item, path) for item in value), key=json.dumps)
        return {"$set" if kind is set else "$frozenset": items}
    if kind is dict:
        pairs = [(key, encode(item, f"{path}[{key!r}]")) for key, item in value.items()]
        if all(type(key) is str and not key.startswith("$") for key in value):
            return dict(pairs)
        return {"$dict": [[encode(key, path), item] for key, item in pairs]}
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = {f.name: getattr(value, f.name) for f in dataclasses.fields(value)}
        return _encode_record(kind, fields, path)
    if isinstance(value, tuple) and hasattr(kind, "_fields"):
        return _encode_record(kind, value._asdict(), path)  # type: ignore[attr-defined]
    return NOT_MINE


def _encode_record(kind: type, fields: dict[str, Any], path: str) -> Any:
    encoded = {name: encode(item, f"{path}.{name}") for name, item in fields.items()}
    return {"$record": {"type": kind.__qualname__, "fields": encoded}}


def _encode_numpy(value: Any, path: str) -> Any:
    np = sys.modules.get("numpy")
    if np is None or getattr(getattr(value, "dtype", None), "names", None):
        return NOT_MINE  # an array of records has no kind of its own
    if isinstance(value, np.generic):
        items = _array_values(value.reshape(1), path)
        return {"$scalar": {"dtype": value.dtype.str, "value": items[0]}}
    if type(value) is np.ndarray:
        shape = list(value.shape)
        values = _array_values(value.reshape(-1), path)
        return {"$array": {"dtype": value.dtype.str, "shape": shape, "values": values}}
    return NOT_MINE


def _encode_pandas(value: Any, path: str) -> Any:
    if not hasattr(sys.modules.get("pandas"), "DataFrame"):
        return NOT_MINE
    from ._frames import encode_pandas

    return encode_pandas(value, path)


def _encode_foreign(value: Any, path: str) -> Any:
    if not {"torch", "scipy.sparse"} & sys.modules.keys():
        return NOT_MINE
    from ._foreign import encode_foreign

    return encode_foreign(value, path)


def _array_values(flat: Any, path: str) -> list[Any]:
    kind = flat.dtype.kind
    if kind in "biuU":
        return list(flat.tolist())
    if kind == "f" and flat.dtype.itemsize <= 8:  # noqa: PLR2004  # a double's bytes
        return [number(item) for item in flat.tolist()]
    if kind in "SO" or str(flat.dtype) in {"complex128", "complex64"}:
        return [encode(item, f"{path}[{i}]") for i, item in enumerate(flat.tolist())]
    if kind in "mM":
        numbers = flat.astype("int64").tolist()
        return [
            None if is_missing else number
            for number, is_missing in zip(numbers, flat != flat, strict=True)  # noqa: PLR0124
        ]
    raise UnsupportedValueError(
        f"{path + ': ' if path else ''}an array of dtype {flat.dtype} cannot be recorded"
    )


def _decode_array(body: dict[str, Any]) -> Any:
    import numpy as np

    dtype = np.dtype(body["dtype"])
    return flat_array(body["values"], dtype).reshape(body["shape"])


def flat_array(values: list[Any], dtype: Any) -> Any:
    import numpy as np

    if dtype.kind in "mM":
        missing = np.iinfo("int64").min
        numbers = [missing if item is None else item for item in values]
        return np.array(numbers, dtype="int64").view(dtype)
    if dtype.kind == "O":
        array = np.empty(len(values), dtype=object)
        for i, item in enumerate(values):
            array[i] = decode(item)
        return array
    return np.array([decode(item) for item in values], dtype=dtype)


def _decode_scalar(body: dict[str, Any]) -> Any:
    import numpy as np

    return flat_array([body["value"]], np.dtype(body["dtype"]))[0]


def _decode_record(body: dict[str, Any]) -> Any:
    raise UnsupportedValueError(f"a {body['type']} cannot be rebuilt from JSON alone")


_ENCODERS = (
    _encode_plain,
    _encode_container,
    _encode_numpy,
    _encode_pandas,
    _encode_foreign,
)
_DECODERS: dict[str, Any] = {
    "$float": float,
    "$complex": lambda parts: complex(*(decode(part) for part in parts)),
    "$bytes": base64.b64decode,
    "$bytearray": lambda text: bytearray(base64.b64decode(text)),
    "$decimal": decimal.Decimal,
    "$timedelta": lambda parts: dt.timedelta(*parts),
    "$date": dt.date.fromisoformat,
    "$time": dt.time.fromisoformat,
    "$datetime": dt.datetime.fromisoformat,
    "$tuple": lambda items: tuple(decode(item) for item in items),
    "$set": lambda items: {decode(item) for item in items},
    "$frozenset": lambda items: frozenset(decode(item) for item in items),
    "$dict": lambda pairs: {decode(key): decode(item) for key, item in pairs},
    "$record": _decode_record,
    "$scalar": _decode_scalar,
    "$array": _decode_array,
}

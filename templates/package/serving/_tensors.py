"""Tensors of the Open Inference Protocol as arrays, and answers as tensors."""

from __future__ import annotations

import math
import struct
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np  # noqa: TID253  # only servers import this

from ..batch import _batch
from ._arguments import WrongInputError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..answering._contract import Contract, Field
    from ._oip import InferInput

DTYPES = {
    "BOOL": "?",
    **{f"INT{8 * n}": f"<i{n}" for n in (1, 2, 4, 8)},
    **{f"UINT{8 * n}": f"<u{n}" for n in (1, 2, 4, 8)},
    **{f"FP{8 * n}": f"<f{n}" for n in (2, 4, 8)},
}
_NAMES = {np.dtype(text).newbyteorder("=").name: name for name, text in DTYPES.items()}
_LENGTH_BYTES = 4
_MATRIX = 2


def tensor_of(given: InferInput, data: Any, field: Field, form: str) -> Any:
    """Read one tensor.

    Parameters
    ----------
    given
        What the request says of it.
    data
        Its bytes, or its JSON.
    field
        What is expected.
    form
        What ``predict`` takes, as the contract says it.

    Raises
    ------
    WrongInputError
        If datatype, shape or data are not what was expected.
    """
    path = f"inputs.{given.name}"
    array = _array_of(given, data, path)
    wanted = field.datatype
    if given.datatype != wanted:
        text = f"{path}: datatype {given.datatype} where {wanted} was expected"
        if wanted == "BYTES" or given.datatype == "BYTES":
            raise WrongInputError(text, field=path)
        if not np.can_cast(array.dtype, np.dtype(DTYPES[wanted]), "safe"):
            raise WrongInputError(text, field=path)
        array = array.astype(DTYPES[wanted])
    if form == "arguments":
        return array
    shape = field.shape
    if array.ndim == _MATRIX and array.shape[1] == 1 and not shape:
        array = array.reshape(-1)
    fits = array.ndim == 1 + len(shape) and all(
        expected in (size, -1)
        for size, expected in zip(array.shape[1:], shape, strict=True)
    )
    if not fits:
        raise WrongInputError(
            f"{path}: shape {given.shape} where {[-1, *shape]} was expected", field=path
        )
    return array


def outputs_of(
    answer: Any, count: int, contract: Contract
) -> dict[str, tuple[str, Any]]:
    """Name the tensors of an answer: datatype and array of each."""
    said = {field.name: field for field in contract.outputs}
    only = contract.outputs[0].name if len(contract.outputs) == 1 else "output"
    found: dict[str, tuple[str, Any]] = {}
    for name, values in _parts(answer, count, only, contract):
        found[name] = _typed(values, said.get(name))
    return found


def bytes_of(array: Any, datatype: str) -> bytes:
    """Write the bytes of a tensor."""
    if datatype != "BYTES":
        return bytes(np.ascontiguousarray(array, dtype=DTYPES[datatype]).tobytes())
    parts: list[bytes] = []
    for item in array.reshape(-1).tolist():
        text = str(item).encode()
        parts += [struct.pack("<I", len(text)), text]
    return b"".join(parts)


def _array_of(given: InferInput, data: Any, path: str) -> Any:
    if given.datatype != "BYTES" and given.datatype not in DTYPES:
        raise WrongInputError(
            f"{path}: datatype {given.datatype!r} is not known", field=path
        )
    if any(size < 0 for size in given.shape):
        raise WrongInputError(f"{path}: shape {given.shape} is negative", field=path)
    try:
        if isinstance(data, memoryview):
            array = _from_bytes(data, given.datatype)
        else:
            array = _from_json(data, given.datatype)
    except (
        TypeError,
        ValueError,
        OverflowError,
        RecursionError,
        struct.error,
    ) as error:
        raise WrongInputError(
            f"{path}: no {given.datatype}: {error}", field=path
        ) from error
    size = math.prod(given.shape)
    if array.size != size:
        raise WrongInputError(
            f"{path}: {array.size} values where shape {given.shape} wants {size}",
            field=path,
        )
    return array.reshape(given.shape)


def _from_bytes(data: memoryview, datatype: str) -> Any:
    if datatype != "BYTES":
        return np.frombuffer(data, dtype=DTYPES[datatype])
    items: list[str] = []
    place = 0
    while place < len(data):
        (length,) = struct.unpack_from("<I", data, place)
        place += _LENGTH_BYTES
        if place + length > len(data):
            raise ValueError("the last text is cut off")
        items.append(str(data[place : place + length], "utf-8"))
        place += length
    return _objects(items)


def _from_json(data: Any, datatype: str) -> Any:
    if data is None:
        raise ValueError("no data")
    is_nested = not isinstance(data, list) or list in set(map(type, data))
    items = list(_flat(data)) if is_nested else data
    wanted: set[type] = {bool} if datatype == "BOOL" else {int}
    if datatype == "BYTES":
        wanted = {str, type(None)}
    elif datatype.startswith("FP"):
        wanted = {float, int, type(None)}
    if not set(map(type, items)) <= wanted:
        wrong = next(item for item in items if type(item) not in wanted)
        text = "text was expected" if datatype == "BYTES" else f"{wrong!r}"
        raise TypeError(text)
    if datatype == "BYTES":
        return _objects(items)
    return np.array(items, dtype=DTYPES[datatype])


def _flat(data: Any) -> Iterator[Any]:
    if isinstance(data, list):
        for item in data:
            yield from _flat(item)
    else:
        yield data


def _objects(items: list[Any]) -> Any:
    array = np.empty(len(items), dtype=object)
    array[:] = items
    return array


def _parts(
    answer: Any, count: int, only: str, contract: Contract
) -> Iterator[tuple[str, Any]]:
    if hasattr(answer, "columns") and hasattr(answer, "iloc"):
        yield from (
            (str(name), answer.iloc[:, place])
            for place, name in enumerate(answer.columns)
        )
        return
    if isinstance(answer, dict):
        yield from ((str(name), [value]) for name, value in answer.items())
        return
    if contract.form == "arguments":
        names = list(answer[0]) if isinstance(answer[0], dict) else []
        if names and all(isinstance(a, dict) and list(a) == names for a in answer):
            yield from ((str(name), [a[name] for a in answer]) for name in names)
            return
        whole = len(answer) == 1 and hasattr(answer[0], "dtype")
        yield only, answer[0] if whole else answer
        return
    from ..answering._tables import is_by_row

    yield only, answer if is_by_row(answer, count) else [answer]


def _typed(values: Any, said: Field | None) -> tuple[str, Any]:
    array = np.asarray(values) if hasattr(values, "dtype") else None
    name = _NAMES.get(array.dtype.name, "") if array is not None else ""
    if array is not None and name and said is None:
        return name, array.reshape(array.shape or (1,))
    wanted = said.datatype if said is not None else ""
    if wanted and wanted != "BYTES":
        try:
            source = array if array is not None else list(values)
            typed = np.asarray(source).astype(DTYPES[wanted])
        except (TypeError, ValueError, OverflowError):
            pass
        else:
            return wanted, typed.reshape(typed.shape or (1,))
    items = _batch.plain(values)
    items = items if isinstance(items, list) else [items]
    return "BYTES", _objects([_text(item) for item in items])


def _text(item: Any) -> str:
    return item if isinstance(item, str) else msgspec.json.encode(item).decode()

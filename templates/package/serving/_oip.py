"""The Open Inference Protocol, version 2, over HTTP: tensors as JSON or as bytes.

Binary tensors follow the JSON part of a body, whose length is a header: numbers little
endian, texts each after its length in four bytes.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import msgspec

from . import _arguments, _declared, _tensors
from ._arguments import BAD_REQUEST, WrongInputError

if TYPE_CHECKING:
    from ..answering._contract import Contract, Field
    from ._requests import JsonReader

#: the header that says where the JSON part of a body ends
HEADER = b"inference-header-content-length"
_ONE_CALL = ("$array", "$series", "$frame", "$index")


class InferInput(msgspec.Struct, kw_only=True):
    """One tensor of a request."""

    name: str
    shape: list[int]
    datatype: str
    parameters: dict[str, Any] = {}
    data: Any = None


class InferOutput(msgspec.Struct, kw_only=True):
    """One tensor that a request wants."""

    name: str
    parameters: dict[str, Any] = {}


class InferRequest(msgspec.Struct, kw_only=True):
    """What a client asks."""

    inputs: list[InferInput]
    id: str = ""
    parameters: dict[str, Any] = {}
    outputs: list[InferOutput] = []


_decoder = msgspec.json.Decoder(InferRequest)


def server_metadata(contract: Contract) -> dict[str, Any]:
    """Say what this server is."""
    return {
        "name": contract.name,
        "version": contract.version,
        "extensions": ["binary_tensor_data"],
    }


def model_metadata(contract: Contract) -> dict[str, Any]:
    """Say what tensors the model takes and gives."""
    return {
        "name": contract.name,
        "versions": [contract.version],
        "platform": "nbship_python",
        "inputs": [_metadata(field) for field in contract.inputs],
        "outputs": [_metadata(field) for field in contract.outputs],
    }


def read(body: bytes, json_length: int | None) -> tuple[InferRequest, memoryview]:
    """Split a body into its JSON and its bytes.

    Raises
    ------
    WrongInputError
        If the JSON is malformed or lacks a field.
    """
    length = len(body) if json_length is None else json_length
    if not 0 <= length <= len(body):
        raise WrongInputError(
            f"Inference-Header-Content-Length: {length} of a body of {len(body)} bytes",
            status=BAD_REQUEST,
        )
    view = memoryview(body)
    try:
        return _decoder.decode(view[:length]), view[length:]
    except msgspec.ValidationError as error:
        raise WrongInputError(f"the request: {error}", status=BAD_REQUEST) from error
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise WrongInputError(
            f"the body is no JSON: {error}", status=BAD_REQUEST
        ) from error


def rows_of(
    request: InferRequest, rest: memoryview, *, contract: Contract, reader: JsonReader
) -> tuple[Any, int]:
    """Turn the tensors of a request into rows, and count them.

    Raises
    ------
    WrongInputError
        If a tensor is missing, not known, of another datatype or shape, or too short.
    """
    tensors = _tensors_of(request, rest, contract)
    if contract.form == "arguments":
        return _calls(tensors, contract)
    columns = [tensors[field.name] for field in contract.inputs]
    counts = {len(column) for column in columns}
    if len(counts) != 1 or counts == {0}:
        raise WrongInputError(
            f"inputs: {sorted(counts)} rows where all need one number of rows",
            field="inputs",
        )
    for field, column in zip(contract.inputs, columns, strict=True):
        _check_missing(field, column)
    if contract.form == "array":
        if contract.is_strict:
            _demand(contract, columns[0].tolist())
        dtype = contract.example.dtype
        return columns[0].astype(dtype, copy=False), len(columns[0])
    is_frame = contract.form == "frame"
    is_float = all(field.dtype.startswith("float") for field in contract.inputs)
    if is_frame and is_float and not contract.is_strict:
        import numpy as np

        matrix = np.column_stack([c.astype("float64", copy=False) for c in columns])
        return matrix, len(matrix)
    rows = _checked_rows(columns, contract, reader)
    return (rows if is_frame else [row[0] for row in rows]), len(rows)


def _checked_rows(
    columns: list[Any], contract: Contract, reader: JsonReader
) -> list[tuple[Any, ...]]:
    items = [_items(f, c) for f, c in zip(contract.inputs, columns, strict=True)]
    rows = list(zip(*items, strict=True))
    if contract.is_strict:
        names = [field.name for field in contract.inputs]
        by_name = [dict(zip(names, row, strict=True)) for row in rows]
        _demand(contract, by_name if contract.form == "frame" else items[0])
    return reader.check(rows, "inputs.{name}[{number}]")


def _demand(
    contract: Contract, instances: list[Any], *, is_whole: bool = False
) -> None:
    """Hold what the author declared, as the plain route does."""
    _declared.demand(
        contract,
        instances,
        path_of=lambda path: _declared.tensor_path(contract, path, is_whole=is_whole),
    )


def response(
    answer: Any, count: int, *, request: InferRequest, contract: Contract
) -> tuple[bytes, int | None]:
    """Write the answer: the body, and the length of its JSON where bytes follow.

    Raises
    ------
    WrongInputError
        If the request wants an output that is not there.
    """
    found = _tensors.outputs_of(answer, count, contract)
    wanted = {output.name: output.parameters for output in request.outputs}
    for name in wanted:
        if name not in found:
            raise WrongInputError(
                f"outputs.{name}: not known; known are {', '.join(found)}",
                field=f"outputs.{name}",
            )
    all_binary = request.parameters.get("binary_data_output") is True
    outputs: list[dict[str, Any]] = []
    blobs: list[bytes] = []
    for name, (datatype, array) in found.items():
        if wanted and name not in wanted:
            continue
        asked = wanted.get(name, {}).get("binary_data", all_binary)
        entry: dict[str, Any] = {
            "name": name,
            "shape": list(array.shape),
            "datatype": datatype,
        }
        if asked is True:
            blobs.append(_tensors.bytes_of(array, datatype))
            entry["parameters"] = {"binary_data_size": len(blobs[-1])}
        else:
            entry["data"] = array.reshape(-1).tolist()
        outputs.append(entry)
    head = {"model_name": contract.name, "model_version": contract.version}
    head |= {"id": request.id} if request.id else {}
    text = msgspec.json.encode({**head, "outputs": outputs})
    if not blobs:
        return text, None
    return b"".join([text, *blobs]), len(text)


def _metadata(field: Field) -> dict[str, Any]:
    return {
        "name": field.name,
        "datatype": field.datatype,
        "shape": [-1, *(field.shape)],
    }


def _tensors_of(
    request: InferRequest, rest: memoryview, contract: Contract
) -> dict[str, Any]:
    known = {field.name: field for field in contract.inputs}
    tensors: dict[str, Any] = {}
    for given in request.inputs:
        field = known.get(given.name)
        if field is None:
            raise WrongInputError(
                f"inputs.{given.name}: not known; known are {', '.join(known)}",
                field=f"inputs.{given.name}",
            )
        size = given.parameters.get("binary_data_size")
        data: Any = given.data
        if size is not None:
            if not isinstance(size, int) or not 0 <= size <= len(rest):
                raise WrongInputError(
                    f"inputs.{given.name}: binary_data_size {size!r} of {len(rest)} bytes",
                    field=f"inputs.{given.name}",
                )
            data, rest = rest[:size], rest[size:]
        tensors[given.name] = _tensors.tensor_of(given, data, field, contract.form)
    for name, field in known.items():
        if name not in tensors and not field.is_optional:
            raise WrongInputError(f"inputs.{name}: missing", field=f"inputs.{name}")
    return tensors


def _check_missing(field: Field, column: Any) -> None:
    if field.is_nullable or column.dtype.kind != "f":
        return
    total = float(column.sum())
    if math.isnan(total):
        import numpy as np

        if np.isnan(column).any():
            raise WrongInputError(
                f"inputs.{field.name}: missing where a number was expected",
                field=f"inputs.{field.name}",
            )


def _items(field: Field, column: Any) -> list[Any]:
    items: list[Any] = column.tolist()
    is_text = field.spec is None and (
        field.dtype in {"string", "datetime64"}
        or (
            field.dtype == "category"
            and all(isinstance(c, str) for c in field.categories)
        )
    )
    if field.datatype == "BYTES" and not is_text:
        items = [_json(item) for item in items]
    for number, item in enumerate(items):
        if item is None and not field.is_nullable and field.dtype != "json":
            path = f"inputs.{field.name}[{number}]"
            raise WrongInputError(f"{path}: missing", field=path)
    return items


def _json(item: Any) -> Any:
    if not isinstance(item, str):
        return item
    try:
        return msgspec.json.decode(item)
    except (msgspec.DecodeError, RecursionError):
        return item


def _calls(tensors: dict[str, Any], contract: Contract) -> tuple[Any, int]:
    known = {field.name: field for field in contract.inputs}
    if any(_is_whole(known[name], tensors[name]) for name in tensors):
        named = {}
        for name, tensor in tensors.items():
            given: Any = tensor.tolist()
            if not _is_whole(known[name], tensor):
                given = _items(known[name], tensor.reshape(-1))[0]
            named[name] = given
        if contract.is_strict:
            _demand(contract, [named], is_whole=True)
        return [_arguments.read(contract, named, "inputs")], 1
    counts = {len(tensor.reshape(-1)) for tensor in tensors.values()} or {1}
    if len(counts) != 1 or counts == {0}:
        raise WrongInputError(
            f"inputs: {sorted(counts)} values where all need one number of values",
            field="inputs",
        )
    columns = {name: _items(known[name], t.reshape(-1)) for name, t in tensors.items()}
    calls = [
        {name: items[n] for name, items in columns.items()} for n in range(counts.pop())
    ]
    if contract.is_strict:
        _demand(contract, calls)
    return [_arguments.read(contract, call, "inputs") for call in calls], len(calls)


def _is_whole(field: Field, tensor: Any) -> bool:
    """Return whether a tensor is one argument, rather than one for each call."""
    from ..answering._contract import kind_of

    kind = kind_of(field.recorded)
    return kind in {"$array", "$series"} and tensor.dtype.kind != "O"

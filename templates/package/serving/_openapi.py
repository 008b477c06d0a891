"""The OpenAPI page of this package, made from its signature."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..answering._contract import kind_of
from . import _oip

if TYPE_CHECKING:
    from ..answering._contract import Contract, Field

_NUMBER, _WHOLE = {"type": "number"}, {"type": "integer"}
_ERRORS = {
    "400": "The request cannot be read.",
    "408": "The body did not arrive in time.",
    "413": "The body is too large.",
    "415": "The body is of a type or encoding that is not known.",
    "422": "A value is not what the model takes; the message names its field.",
    "503": "Not ready, or too much to do.",
    "504": "No answer in time.",
}
_TENSOR = {
    "name": {"type": "string"},
    "shape": {"type": "array", "items": {"type": "integer", "minimum": 0}},
    "datatype": {"type": "string"},
    "parameters": {"type": "object"},
    "data": {"type": "array"},
}


def page(contract: Contract) -> dict[str, Any]:
    """Write the page, OpenAPI 3.1."""
    return {
        "openapi": "3.1.0",
        "info": {"title": contract.name, "version": contract.version},
        "paths": _paths(contract),
        "components": {"schemas": _schemas(contract)},
    }


def _paths(contract: Contract) -> dict[str, Any]:
    place = f"/v2/models/{contract.name}"
    example = {"instances": [_example(contract)]}
    infer = {
        "operationId": "infer",
        "summary": "Ask the model with tensors; bytes after the JSON work too.",
        "requestBody": _body({"$ref": "#/components/schemas/InferRequest"}),
        "responses": _responses(
            {"$ref": "#/components/schemas/InferResponse"}, also_bytes=True
        ),
    }
    predict = {
        "operationId": "predict",
        "summary": "Ask the model with rows of plain JSON.",
        "requestBody": _body({"$ref": "#/components/schemas/Instances"}, example),
        "responses": _responses({"$ref": "#/components/schemas/Predictions"}),
    }
    return {
        "/predict": {"post": predict},
        "/v2": {"get": _get("server", "What this server is.")},
        "/v2/health/live": {"get": _get("live", "Whether the process answers.")},
        "/v2/health/ready": {
            "get": _get("ready", "Whether the golden cases passed.", may_fail=True)
        },
        place: {"get": _get("model", "What tensors the model takes and gives.")},
        f"{place}/ready": {
            "get": _get("model_ready", "Whether the model is.", may_fail=True)
        },
        f"{place}/infer": {"post": infer},
        "/metrics": {"get": _text("metrics", "Numbers for Prometheus.")},
        "/openapi.json": {"get": _get("openapi", "This page.")},
    }


def instance_schema(contract: Contract) -> dict[str, Any]:
    """Write the JSON Schema of one instance of the plain route."""
    if contract.form not in {"frame", "arguments"}:
        return _shaped(contract.inputs[0], contract.inputs[0].shape)
    is_call = contract.form == "arguments"
    return {
        "type": "object",
        "properties": {
            field.name: _argument(field) if is_call else _scalar(field)
            for field in contract.inputs
        },
        "required": [f.name for f in contract.inputs if not f.is_optional],
        **({"additionalProperties": contract.takes_any_name} if is_call else {}),
    }


def _schemas(contract: Contract) -> dict[str, Any]:
    return {**_plain_schemas(contract), **_tensor_schemas(contract)}


def _plain_schemas(contract: Contract) -> dict[str, Any]:
    return {
        "Instance": instance_schema(contract),
        "Instances": {
            "type": "object",
            "properties": {
                "instances": {
                    "type": "array",
                    "minItems": 1,
                    "items": {"$ref": "#/components/schemas/Instance"},
                }
            },
            "required": ["instances"],
            "additionalProperties": False,
        },
        "Predictions": {
            "type": "object",
            "properties": {
                "predictions": {"type": "array"},
                "model_version": {"type": "string"},
            },
            "required": ["predictions", "model_version"],
        },
        "Error": {
            "type": "object",
            "properties": {
                "error": {"type": "string"},
                "field": {"type": "string"},
                "problems": {"type": "array", "items": {"type": "object"}},
            },
            "required": ["error"],
        },
    }


def _tensor_schemas(contract: Contract) -> dict[str, Any]:
    tensors = {"type": "array", "items": {"$ref": "#/components/schemas/Tensor"}}
    names = [field.name for field in contract.inputs]
    given = {"$ref": "#/components/schemas/Tensor"}
    return {
        "Tensor": {
            "type": "object",
            "properties": _TENSOR,
            "required": ["name", "shape", "datatype"],
        },
        "InferRequest": {
            "type": "object",
            "properties": {
                "id": {"type": "string"},
                "parameters": {"type": "object"},
                "inputs": {
                    "type": "array",
                    "items": {
                        "allOf": [given, {"properties": {"name": {"enum": names}}}]
                    },
                },
                "outputs": {"type": "array", "items": _output()},
            },
            "required": ["inputs"],
            "examples": [_infer_example(contract)],
        },
        "InferResponse": {
            "type": "object",
            "properties": {
                "model_name": {"type": "string"},
                "model_version": {"type": "string"},
                "id": {"type": "string"},
                "outputs": tensors,
            },
            "required": ["model_name", "model_version", "outputs"],
        },
    }


def _output() -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {"name": {"type": "string"}, "parameters": {"type": "object"}},
        "required": ["name"],
    }


def _infer_example(contract: Contract) -> dict[str, Any]:
    inputs = _oip.model_metadata(contract)["inputs"]
    return {"inputs": [{**tensor, "data": []} for tensor in inputs]}


def _shaped(field: Field, shape: tuple[int, ...]) -> dict[str, Any]:
    if not shape:
        return _scalar(field)
    schema: dict[str, Any] = {"type": "array", "items": _shaped(field, shape[1:])}
    if shape[0] >= 0:
        schema |= {"minItems": shape[0], "maxItems": shape[0]}
    return schema


def _argument(field: Field) -> dict[str, Any]:
    if kind_of(field.recorded):
        return {}
    return _scalar(field)


def _scalar(field: Field) -> dict[str, Any]:
    schema: dict[str, Any] = {}
    if field.dtype.startswith("float"):
        schema = dict(_NUMBER)
    elif field.dtype.startswith(("int", "uint")):
        schema = dict(_WHOLE)
        bits = int(field.dtype.lstrip("uint") or 64)
        is_signed = field.dtype.startswith("int")
        schema["minimum"] = -(2 ** (bits - 1)) if is_signed else 0
        schema["maximum"] = 2 ** (bits - is_signed) - 1
    elif field.dtype == "bool":
        schema = {"type": "boolean"}
    elif field.dtype == "string":
        schema = {"type": "string"}
    elif field.dtype == "datetime64":
        schema = {"type": "string", "format": "date-time"}
    elif field.dtype == "category" and field.categories:
        known = [*field.categories, None] if field.is_nullable else field.categories
        return {"enum": list(known)}
    if field.is_nullable and "type" in schema:
        schema["type"] = [schema["type"], "null"]
    return schema


def _example(contract: Contract) -> Any:
    fields = contract.inputs
    if contract.form == "arguments":
        return {f.name: f.recorded for f in fields if not f.is_optional}
    if contract.form == "frame":
        from ..batch import _batch

        return _batch.plain(contract.example.iloc[:1])[0]
    from ..batch import _batch

    return _batch.plain(contract.example[:1])[0]


def _body(schema: dict[str, Any], example: Any = None) -> dict[str, Any]:
    content: dict[str, Any] = {"schema": schema}
    if example is not None:
        content["example"] = example
    return {"required": True, "content": {"application/json": content}}


def _responses(schema: dict[str, Any], *, also_bytes: bool = False) -> dict[str, Any]:
    content: dict[str, Any] = {"application/json": {"schema": schema}}
    if also_bytes:
        content["application/octet-stream"] = {}
    found = {"200": {"description": "The answer.", "content": content}}
    return found | {status: _error(text) for status, text in _ERRORS.items()}


def _error(text: str) -> dict[str, Any]:
    schema = {"$ref": "#/components/schemas/Error"}
    return {"description": text, "content": {"application/json": {"schema": schema}}}


def _get(name: str, about: str, *, may_fail: bool = False) -> dict[str, Any]:
    content = {"application/json": {"schema": {"type": "object"}}}
    responses: dict[str, Any] = {"200": {"description": "Yes.", "content": content}}
    if may_fail:
        responses["503"] = _error("No.")
    return {"operationId": name, "summary": about, "responses": responses}


def _text(name: str, about: str) -> dict[str, Any]:
    content = {"text/plain": {"schema": {"type": "string"}}}
    return {
        "operationId": name,
        "summary": about,
        "responses": {"200": {"description": about, "content": content}},
    }

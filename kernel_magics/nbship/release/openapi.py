"""The OpenAPI 3.1 document of a package: made at export, and served as it is.

It describes the plain JSON route, the Open Inference Protocol (version 2, REST) and the routes for
those who run the server. Everything else a server offers is outside of this document.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nbship.release.json_schema import (
    input_schema,
    item_schema,
    object_schema,
    output_schema,
)

if TYPE_CHECKING:
    from nbship.records.signature import Signature

#: name of the file, in the package and in a bundle
OPENAPI = "openapi.json"
#: the plain JSON route
PREDICT = "/predict"
_VERSION = "3.1.0"
#: words for ``code`` of a problem; those of ``_problems`` in the package
CODES = (
    "wrong_type",
    "missing",
    "extra",
    "null",
    "unknown_category",
    "out_of_range",
    "wrong_shape",
    "unreadable",
    "refused",
)
_TENSOR_TYPES = (
    "BOOL",
    *(f"{sign}INT{bits}" for sign in ("U", "") for bits in (8, 16, 32, 64)),
    *(f"FP{bits}" for bits in (16, 32, 64)),
    "BYTES",
)
_WRONG = {
    "400": "The body cannot be read.",
    "408": "The body did not arrive in time.",
    "413": "The body is too large.",
    "415": "The body is of another media type.",
    "422": "The input does not fit the signature; every mistake is named by its path.",
}
_UNREADY = {"503": "The model is not ready, or too busy."}
_LATE = {"504": "There was no answer in time."}
_REFERENCE = "#/components/schemas/"
Document = dict[str, Any]


@dataclass(frozen=True, kw_only=True, slots=True)
class Asked:
    """What one instance of the plain route is."""

    #: ``frame``, ``array``, ``list``, ``series`` or ``arguments``, as the server tells them apart
    form: str = ""
    #: one that was recorded, as JSON; None where none can be shown
    example: Any = None


def openapi_document(
    signature: Signature,
    *,
    name: str,
    version: str,
    root: str,
    asked: Asked | None = None,
) -> Document:
    """Describe the server of a package.

    Parameters
    ----------
    signature
        What the root takes and gives.
    name, version
        Of the distribution; the model's in every protocol.
    root
        The function or model, for the descriptions.
    asked
        What an instance is; as the signature has it where None.
    """
    asked = asked or Asked(form=signature.input_form)
    model = f"/v2/models/{name}"
    return {
        "openapi": _VERSION,
        "info": {
            "title": name,
            "version": version,
            "summary": f"{root}, exported from a notebook by nbship",
        },
        "paths": {
            PREDICT: {"post": _predict(root, asked.example)},
            f"{model}/infer": {"post": _infer()},
            f"{model}/versions/{version}/infer": {"post": _infer()},
            model: {"get": _get("describe the model", "ModelMetadata")},
            f"{model}/versions/{version}": {
                "get": _get("describe the model", "ModelMetadata")
            },
            f"{model}/ready": {"get": _state("whether the model is ready")},
            f"{model}/versions/{version}/ready": {
                "get": _state("whether the model is ready")
            },
            "/v2": {"get": _get("describe the server", "ServerMetadata")},
            "/openapi.json": {"get": _get("return this document", "Document")},
            "/metrics": {"get": _metrics()},
            "/v2/health/live": {"get": _state("whether the server is alive")},
            "/v2/health/ready": {
                "get": _state("whether a golden case gave its recorded answer")
            },
        },
        "components": {"schemas": _schemas(signature, asked.form)},
    }


def example_request(document: str) -> str:
    """Return the body of the first recorded call, one line of JSON; "" where none can be shown.

    Parameters
    ----------
    document
        The text of an OpenAPI document of :func:`openapi_document`.
    """
    asked = json.loads(document)["paths"][PREDICT]["post"]["requestBody"]
    example = asked["content"]["application/json"].get("example")
    return "" if example is None else json.dumps(example, ensure_ascii=False)


def _predict(root: str, example: Any) -> Document:  # noqa: ANN401  # any JSON
    body = _body("Predict")
    if example is not None:
        body["content"]["application/json"]["example"] = {"instances": [example]}
    return {
        "operationId": "predict",
        "summary": f"Ask {root}: one answer for each instance",
        "requestBody": body,
        "responses": {
            "200": _answer("The answers, in the order of the instances.", "Answer"),
            **_refusals(),
        },
    }


def _infer() -> Document:
    answer = _answer("The answers as tensors.", "InferResponse")
    answer["content"]["application/octet-stream"] = {}  # where a client asks for bytes
    return {
        "summary": "Ask with tensors, by the Open Inference Protocol; bytes may follow the JSON",
        "requestBody": _body("InferRequest"),
        "responses": {"200": answer, **_refusals()},
    }


def _get(summary: str, schema: str) -> Document:
    return {"summary": summary, "responses": {"200": _answer("It.", schema)}}


def _state(summary: str) -> Document:
    return {
        "summary": summary,
        "responses": {
            "200": _answer("Yes.", "Document"),
            **{status: _answer(text, "Refusal") for status, text in _UNREADY.items()},
        },
    }


def _metrics() -> Document:
    text = {"text/plain": {"schema": {"type": "string"}}}
    answer = {"description": "Numbers for Prometheus.", "content": text}
    return {"summary": "count requests", "responses": {"200": answer}}


def _refusals() -> Document:
    return {
        status: _answer(text, "Refusal")
        for status, text in {**_WRONG, **_UNREADY, **_LATE}.items()
    }


def _body(schema: str) -> Document:
    return {"required": True, "content": _json(schema)}


def _answer(description: str, schema: str) -> Document:
    return {"description": description, "content": _json(schema)}


def _json(schema: str) -> Document:
    return {"application/json": {"schema": {"$ref": f"#/components/schemas/{schema}"}}}


def _schemas(signature: Signature, form: str) -> Document:
    many = {"type": "array", "minItems": 1}
    return {
        "Instance": _instance(signature, form),
        "Prediction": _prediction(signature, form),
        "Predict": {
            **_object(instances={**many, "items": {"$ref": f"{_REFERENCE}Instance"}}),
            "additionalProperties": False,
        },
        "Answer": _object(
            predictions={"type": "array", "items": {"$ref": f"{_REFERENCE}Prediction"}},
            model_version={"type": "string"},
        ),
        "Document": {"type": "object"},
        "Refusal": _refusal(),
        **_protocol(signature),
    }


def _instance(signature: Signature, form: str) -> Document:
    if form in {"list", "series"}:
        return item_schema(signature.inputs)
    schema = _without_draft(input_schema(signature, title="Instance"))
    # a client may send columns that are not used
    return {**schema, "additionalProperties": True} if form == "frame" else schema


def _prediction(signature: Signature, form: str) -> Document:
    if form not in {"list", "series"} or signature.output_form == "object":
        return _without_draft(output_schema(signature, title="Prediction"))
    if signature.output_form == "frame":
        return object_schema(signature.outputs, is_answer=True)
    return item_schema(signature.outputs, is_answer=True)


def _without_draft(schema: Document) -> Document:
    return {key: value for key, value in schema.items() if key != "$schema"}


def _refusal() -> Document:
    problem = _object(
        path={"type": "string", "description": "such as [3].km"},
        code={"enum": list(CODES)},
        found={"type": "string"},
        expected={"type": "string"},
        message={"type": "string"},
    )
    body = _object(error={"type": "string"})
    body["properties"] |= {
        "field": {"type": "string", "description": "path of the first problem"},
        "problems": {"type": "array", "items": problem},
        "more": {"type": "integer", "minimum": 0},
    }
    return body


def _protocol(signature: Signature) -> Document:
    text, kind = {"type": "string"}, {"enum": list(_TENSOR_TYPES)}
    sizes = {"type": "array", "items": {"type": "integer", "minimum": 0}}
    free = {"type": "object"}
    tensor = _object(name=text, datatype=kind, shape=sizes)
    tensor["properties"] |= {"parameters": free, "data": {"type": "array", "items": {}}}
    names = [column.name for column in signature.inputs]
    asked = {**tensor, "properties": {**tensor["properties"], "name": {"enum": names}}}
    wanted = _object(name=text)
    wanted["properties"]["parameters"] = free
    request = _object(inputs={"type": "array", "items": asked})
    request["properties"] |= {
        "id": text,
        "parameters": free,
        "outputs": {"type": "array", "items": wanted},
    }
    answer = _object(
        model_name=text, model_version=text, outputs={"type": "array", "items": tensor}
    )
    answer["properties"]["id"] = text
    shape = {"type": "array", "items": {"type": "integer", "minimum": -1}}
    listed = {"type": "array", "items": _object(name=text, datatype=kind, shape=shape)}
    return {
        "InferRequest": request,
        "InferResponse": answer,
        "ModelMetadata": _object(
            name=text, platform=text, inputs=listed, outputs=listed
        ),
        "ServerMetadata": _object(
            name=text, version=text, extensions={"type": "array", "items": text}
        ),
    }


def _object(**properties: Document) -> Document:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
    }

"""The OpenAPI 3.1 document of a package: made at export, so that a server need not.

It describes the plain JSON route, the Open Inference Protocol (version 2, REST) and the routes for
those who run the server. Everything else a server offers is outside of this document.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nbship.release.json_schema import input_schema, output_schema

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
Document = dict[str, Any]


def openapi_document(
    signature: Signature, *, name: str, version: str, root: str
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
    """
    model = f"/v2/models/{name}"
    return {
        "openapi": _VERSION,
        "info": {
            "title": name,
            "version": version,
            "summary": f"{root}, exported from a notebook by nbship",
        },
        "paths": {
            PREDICT: {"post": _predict(root)},
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
        "components": {"schemas": _schemas(signature)},
    }


def _predict(root: str) -> Document:
    return {
        "operationId": "predict",
        "summary": f"Ask {root}: one answer for each instance",
        "requestBody": _body("Predict"),
        "responses": {
            "200": _answer("The answers, in the order of the instances.", "Answer"),
            **_refusals(),
        },
    }


def _infer() -> Document:
    return {
        "summary": "Ask with tensors, by the Open Inference Protocol",
        "requestBody": _body("InferRequest"),
        "responses": {
            "200": _answer("The answers as tensors.", "InferResponse"),
            **_refusals(),
        },
    }


def _get(summary: str, schema: str) -> Document:
    return {"summary": summary, "responses": {"200": _answer("It.", schema)}}


def _state(summary: str) -> Document:
    return {
        "summary": summary,
        "responses": {
            "200": {"description": "Yes."},
            **{status: {"description": text} for status, text in _UNREADY.items()},
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


def _schemas(signature: Signature) -> Document:
    asked = _without_draft(input_schema(signature, title="Instance"))
    given = _without_draft(output_schema(signature, title="Prediction"))
    reference = "#/components/schemas/"
    return {
        "Instance": asked,
        "Prediction": given,
        "Predict": _object(
            instances={
                "type": "array",
                "minItems": 1,
                "items": {"$ref": f"{reference}Instance"},
            }
        ),
        "Answer": _object(
            predictions={"type": "array", "items": {"$ref": f"{reference}Prediction"}},
            model_version={"type": "string"},
        ),
        "Document": {"type": "object"},
        "Refusal": _refusal(),
        **_protocol(),
    }


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


def _protocol() -> Document:
    shape = {"type": "array", "items": {"type": "integer", "minimum": 0}}
    tensor = _object(
        name={"type": "string"},
        datatype={"enum": list(_TENSOR_TYPES)},
        shape=shape,
    )
    asked = {**tensor, "properties": {**tensor["properties"], "data": _data()}}
    described = _object(
        name={"type": "string"},
        datatype={"enum": list(_TENSOR_TYPES)},
        shape={"type": "array", "items": {"type": "integer", "minimum": -1}},
    )
    text = {"type": "string"}
    listed = {"type": "array", "items": described}
    return {
        "InferRequest": {
            **_object(inputs={"type": "array", "minItems": 1, "items": asked}),
            "additionalProperties": True,
        },
        "InferResponse": _object(
            model_name=text, outputs={"type": "array", "items": asked}
        ),
        "ModelMetadata": _object(
            name=text, platform=text, inputs=listed, outputs=listed
        ),
        "ServerMetadata": _object(
            name=text, version=text, extensions={"type": "array", "items": text}
        ),
    }


def _data() -> Document:
    return {"type": "array", "items": {}}


def _object(**properties: Document) -> Document:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
    }

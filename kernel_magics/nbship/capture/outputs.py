"""Outputs of cells as nbformat has them: kept small, merged and put in their final state."""

from __future__ import annotations

import base64
import binascii
import json
from typing import TYPE_CHECKING, Any

from nbship.capture.terminal import collapse, shown
from nbship.records.digest import digest_bytes

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

#: larger payloads are kept as blobs, the journal holds their digest
PAYLOAD_LIMIT_BYTES = 32_000
_BINARY = ("image/png", "image/jpeg", "image/gif", "image/webp", "application/pdf")

Output = dict[str, Any]


def put_payloads_aside(output: Mapping[str, Any]) -> tuple[Output, dict[str, bytes]]:
    """Replace each large payload of an output by ``{"blob": <sha256>}``.

    Returns
    -------
    tuple of Output and dict
        The small output, and the payloads by digest. An image in base64 is decoded, so that
        its blob is a file that opens; ``"encoding": "base64"`` beside the digest says so, and
        white space around the base64 is lost.
    """
    blobs: dict[str, bytes] = {}
    small = dict(output)
    if isinstance(small.get("text"), str):
        small["text"] = _aside("text/plain", small["text"], blobs)
    if isinstance(small.get("data"), dict):
        small["data"] = {
            mime: _aside(mime, payload, blobs)
            for mime, payload in small["data"].items()
        }
    return small, blobs


def put_payloads_back(
    output: Mapping[str, Any], read_blob: Callable[[str], bytes | None]
) -> Output:
    """Undo :func:`put_payloads_aside`.

    Parameters
    ----------
    output
        An output of a folded run.
    read_blob
        Returns the bytes of a digest, None where they are lost.
    """
    whole = dict(output)
    if "text" in whole:
        whole["text"] = _back(whole["text"], read_blob)
    if isinstance(whole.get("data"), dict):
        whole["data"] = {
            mime: _back(payload, read_blob) for mime, payload in whole["data"].items()
        }
    return whole


def merge(outputs: list[Output], data: Mapping[str, Any]) -> None:
    """Bring the outputs of a cell to the state after one more ``OUTPUT`` event.

    Streams of one name are joined, a display that is updated is replaced, ``clear`` empties.
    """
    if data.get("clear"):
        outputs.clear()
        return
    output = dict(data["output"])
    display_id = data.get("display_id")
    if display_id is not None:
        output["display_id"] = display_id
    if data.get("is_update"):
        _replace(outputs, output)
    elif outputs and _are_one_stream(outputs[-1], output):
        joined = outputs[-1]["text"] + output["text"]
        outputs[-1] = {**outputs[-1], "text": collapse(joined)}
    else:
        outputs.append(output)


def as_shown(output: Output) -> Output:
    r"""Return an output that nothing follows: of ``\r`` and ``\b`` what a terminal shows."""
    if output.get("output_type") != "stream" or not isinstance(output["text"], str):
        return output
    return {**output, "text": shown(output["text"])}


def _aside(mime: str, payload: Any, blobs: dict[str, bytes]) -> Any:  # noqa: ANN401  # JSON
    text = payload if isinstance(payload, str) else json.dumps(payload)
    looks_like_ours = isinstance(payload, dict) and "blob" in payload
    if len(text) <= PAYLOAD_LIMIT_BYTES and not looks_like_ours:
        return payload
    data, encoding = text.encode("utf-8", "surrogatepass"), ""
    if not isinstance(payload, str):
        encoding = "json"
    elif mime in _BINARY and (decoded := _decoded(text)) is not None:
        data, encoding = decoded, "base64"
    digest = digest_bytes(data)
    blobs[digest] = data
    return {"blob": digest, "encoding": encoding} if encoding else {"blob": digest}


def _decoded(text: str) -> bytes | None:
    """Decode base64; None where encoding it again would not give the same text."""
    try:
        data = base64.b64decode(text.strip(), validate=True)
    except (binascii.Error, ValueError):
        return None
    return data if base64.b64encode(data).decode("ascii") == text.strip() else None


def _back(payload: Any, read_blob: Callable[[str], bytes | None]) -> Any:  # noqa: ANN401  # JSON
    if not (isinstance(payload, dict) and "blob" in payload):
        return payload
    data = read_blob(payload["blob"])
    if data is None:
        return f"[blob {payload['blob']} is lost]"
    match payload.get("encoding"):
        case "base64":
            return base64.b64encode(data).decode("ascii")
        case "json":
            return json.loads(data)
        case _:
            return data.decode("utf-8", "surrogatepass")


def _replace(outputs: list[Output], output: Output) -> None:
    for position, earlier in enumerate(outputs):
        if earlier.get("display_id") == output.get("display_id"):
            outputs[position] = output


def _are_one_stream(earlier: Output, later: Output) -> bool:
    return (
        earlier.get("output_type") == later.get("output_type") == "stream"
        and earlier.get("name") == later.get("name")
        and isinstance(earlier.get("text"), str)
        and isinstance(later.get("text"), str)
    )

"""Requests and answers as the application sees them."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

import msgspec

from . import _oip
from ._arguments import BAD_REQUEST, WrongInputError

JSON, BYTES = b"application/json", b"application/octet-stream"
_REQUEST_ID = re.compile(rb"[\x21-\x7e]{1,128}")
_DIGITS = re.compile(rb"[0-9]{1,18}")


@dataclass(slots=True)
class Request:
    """One request, as far as the application reads it."""

    method: str
    path: str
    #: when it began, by the monotonic clock
    started: float
    id: bytes = b""
    length: int | None = None
    json_length: int | None = None
    content_type: bytes = b""
    encoding: bytes = b""
    body: bytes = b""
    #: rows asked for, for the log
    rows: int = 0

    def read_headers(self, headers: Any) -> None:
        """Take what matters from the headers.

        Raises
        ------
        WrongInputError
            If a length is no number.
        """
        for name, value in headers:
            if name == b"content-length":
                self.length = _number(name, value)
            elif name == b"content-type":
                self.content_type = value.partition(b";")[0].strip().lower()
            elif name == b"x-request-id" and _REQUEST_ID.fullmatch(value):
                self.id = value
            elif name == b"content-encoding":
                self.encoding = value.strip().lower()
            elif name == _oip.HEADER:
                self.json_length = _number(name, value)


@dataclass(slots=True)
class Response:
    """One answer."""

    body: bytes
    status: int = 200
    content_type: bytes = JSON
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)


class HttpError(Exception):
    """An answer that ends the work on a request."""

    def __init__(self, response: Response) -> None:
        super().__init__(response.status)
        self.response = response


def failure(
    status: int,
    message: str,
    *,
    path: str = "",
    problems: list[dict[str, str]] | None = None,
    headers: tuple[tuple[bytes, bytes], ...] = (),
) -> Response:
    """Write an error as every route answers it."""
    body: dict[str, Any] = {"error": message}
    if path:
        body["field"] = path
    if problems:
        body["problems"] = problems
    return Response(msgspec.json.encode(body), status, headers=list(headers))


def _number(name: bytes, value: bytes) -> int:
    if not _DIGITS.fullmatch(value):
        raise WrongInputError(f"{name.decode()}: no number", status=BAD_REQUEST)
    return int(value)

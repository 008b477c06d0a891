"""Jupyter's messages as frames on a socket: signed JSON, without a library between."""

from __future__ import annotations

import hashlib
import hmac
import json
import uuid
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

#: a message as nbclient knows it: ``header``, ``parent_header``, ``metadata``, ``content``,
#: ``buffers``, ``msg_type`` and ``msg_id``
Message = dict[str, Any]

_DELIMITER = b"<IDS|MSG>"
_PARTS = 4
_VERSION = "5.4"


class Wire:
    """One session with a kernel.

    Parameters
    ----------
    key
        Signs and checks every message.
    """

    def __init__(self, key: bytes) -> None:
        self._signer = hmac.new(key, digestmod=hashlib.sha256)
        self._session = uuid.uuid4().hex
        self._count = 0

    def message(
        self,
        kind: str,
        content: Mapping[str, Any],
        *,
        parent: Mapping[str, Any] | None = None,
        metadata: Mapping[str, Any] | None = None,
    ) -> Message:
        """Make a message that is new to its receiver."""
        self._count += 1
        header = {
            "msg_id": f"{self._session}_{self._count}",
            "msg_type": kind,
            "username": "nbship",
            "session": self._session,
            "date": datetime.now(UTC).isoformat(),
            "version": _VERSION,
        }
        return {
            "header": header,
            "msg_id": header["msg_id"],
            "msg_type": kind,
            "parent_header": dict(parent or {}),
            "metadata": dict(metadata or {}),
            "content": dict(content),
            "buffers": [],
        }

    def pack(self, message: Message) -> list[bytes]:
        """Write a message's frames."""
        names = ("header", "parent_header", "metadata", "content")
        parts = [
            json.dumps(message[name], default=_as_text).encode("utf-8", "surrogatepass")
            for name in names
        ]
        return [_DELIMITER, self._signature(parts), *parts]

    def unpack(self, frames: Sequence[bytes]) -> Message | None:
        """Read a message; None where it is no message, or not signed with the key."""
        try:
            start = frames.index(_DELIMITER) + 2
        except ValueError:
            return None
        parts = frames[start : start + _PARTS]
        signature = self._signature(parts)
        if len(parts) < _PARTS or not hmac.compare_digest(frames[start - 1], signature):
            return None
        header, parent, metadata, content = (_read(part) for part in parts)
        if "date" in header:
            header["date"] = _moment(header["date"])
        return {
            "header": header,
            "msg_id": header.get("msg_id"),
            "msg_type": header.get("msg_type"),
            "parent_header": parent,
            "metadata": metadata,
            "content": content,
            "buffers": list(frames[start + _PARTS :]),
        }

    def _signature(self, parts: Sequence[bytes]) -> bytes:
        signer = self._signer.copy()
        for part in parts:
            signer.update(part)
        return signer.hexdigest().encode("ascii")


def _read(part: bytes) -> Any:  # noqa: ANN401  # JSON
    try:
        return json.loads(part)
    except (
        UnicodeDecodeError
    ):  # lone surrogates, which Python's kernels send as they are
        return json.loads(part.decode("utf-8", "replace"))


def _moment(text: object) -> object:
    """Read a date as nbclient wants it: aware; what is none stays what it is."""
    if not isinstance(text, str):
        return text
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return text
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _as_text(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, bytes):
        return value.decode("ascii")
    raise TypeError(f"{type(value).__name__} is no JSON")

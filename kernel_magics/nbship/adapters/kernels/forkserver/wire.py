"""How client and server talk: a length and JSON, with descriptors; replies are lines of JSON."""

from __future__ import annotations

import array
import json
import os
import socket
import struct
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

_LENGTH = struct.Struct("!I")
_MAX_DESCRIPTORS = 64
_BLOCK_BYTES = 1 << 16


def send_request(
    connection: socket.socket, request: Mapping[str, Any], descriptors: Sequence[int]
) -> None:
    """Send a request and copies of descriptors."""
    body = json.dumps(request).encode()
    rights = (socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", descriptors))
    whole = _LENGTH.pack(len(body)) + body
    sent = connection.sendmsg([whole], [rights] if descriptors else [])
    if sent < len(whole):  # to send nothing fails where the other side hung up already
        connection.sendall(whole[sent:])


def receive_request(
    connection: socket.socket,
) -> tuple[dict[str, Any] | None, list[int]]:
    """Receive a request and its descriptors; None where the other side hung up."""
    descriptors = array.array("i")
    data = b""
    room = socket.CMSG_LEN(_MAX_DESCRIPTORS * descriptors.itemsize)
    while len(data) < _LENGTH.size or len(data) < _wanted_bytes(data):
        chunk, ancillary, _, _ = connection.recvmsg(_BLOCK_BYTES, room)
        for level, kind, rights in ancillary:
            if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
                whole = len(rights) - len(rights) % descriptors.itemsize
                descriptors.frombytes(rights[:whole])
        if not chunk:
            close_all(descriptors)
            return None, []
        data += chunk
    for descriptor in descriptors:
        os.set_inheritable(descriptor, False)
    return dict(json.loads(data[_LENGTH.size :])), list(descriptors)


def close_all(descriptors: Sequence[int]) -> None:
    """Close descriptors."""
    for descriptor in descriptors:
        os.close(descriptor)


def send_line(connection: socket.socket, message: Mapping[str, Any]) -> None:
    """Send one line of JSON; a receiver that is gone is no error."""
    try:
        connection.sendall(json.dumps(message).encode() + b"\n")
    except OSError:
        return


class Lines:
    """Splits what was received into messages."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> Iterator[dict[str, Any]]:
        """Take bytes and return the messages that are whole."""
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            yield json.loads(line)


def _wanted_bytes(data: bytes) -> int:
    return int(_LENGTH.size + _LENGTH.unpack_from(data)[0])

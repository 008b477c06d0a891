"""Seals with SSH keys: the SSHSIG format that ``ssh-keygen -Y sign`` and ``verify`` speak.

The format is OpenSSH's ``PROTOCOL.sshsig``, version 1, with ed25519 keys and SHA-512.
"""

from __future__ import annotations

import base64
import hashlib
import struct
from pathlib import Path
from typing import TYPE_CHECKING

from nbship.adapters.bundles.ssh_keys import (
    ALGORITHM,
    create_key,
    public_blob_of,
    public_line,
    read_private_key,
    ssh_string,
)
from nbship.errors import ApprovalError
from nbship.records.ssh import SEAL_BEGIN, SEAL_END, armoured

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

__all__ = ["DEFAULT_KEY", "SshSealer", "check_seal", "create_key"]

DEFAULT_KEY = Path("~/.ssh/id_ed25519")

_MAGIC = b"SSHSIG"
_VERSION = 1
_KEY_BYTES = 32
_HASHES = {b"sha512": hashlib.sha512, b"sha256": hashlib.sha256}


class SshSealer:
    """Seals with one private key, read when it is first needed.

    Parameters
    ----------
    key_path
        A private ed25519 key in OpenSSH's form; ``~/.ssh/id_ed25519`` where None.
    """

    def __init__(self, key_path: Path | None) -> None:
        self.key_path = (key_path or DEFAULT_KEY).expanduser()
        self._key: Ed25519PrivateKey | None = None

    def public_key(self) -> str:
        """Return the public key as one line of OpenSSH, without a comment.

        Raises
        ------
        ApprovalError
            If the key cannot be read or is no ed25519 key.
        """
        return public_line(self._public_blob())

    def seal(self, message: bytes, *, namespace: str) -> str:
        """Seal ``message``; ``ssh-keygen -Y verify`` can check what comes back.

        Parameters
        ----------
        message
            The bytes to seal.
        namespace
            What the seal is for, such as ``nbship-approval``; it holds for nothing else.

        Raises
        ------
        ApprovalError
            If the key cannot be read or is no ed25519 key.
        """
        signed = _signed_data(
            message, namespace=namespace.encode(), algorithm=b"sha512"
        )
        signature = ssh_string(ALGORITHM) + ssh_string(self._private_key().sign(signed))
        blob = b"".join(
            (
                _MAGIC,
                struct.pack(">I", _VERSION),
                ssh_string(self._public_blob()),
                ssh_string(namespace.encode()),
                ssh_string(b""),
                ssh_string(b"sha512"),
                ssh_string(signature),
            )
        )
        return armoured(blob)

    def check_seal(self, message: bytes, seal: str, *, namespace: str) -> str:
        """Return the key that sealed ``message``; see the function :func:`check_seal`.

        No private key is read.
        """
        return check_seal(message, seal, namespace=namespace)

    def _private_key(self) -> Ed25519PrivateKey:
        if self._key is None:
            self._key = read_private_key(self.key_path)
        return self._key

    def _public_blob(self) -> bytes:
        return public_blob_of(self._private_key().public_key())


def check_seal(message: bytes, seal: str, *, namespace: str) -> str:
    """Check a seal and return the public key that made it, as one line of OpenSSH.

    Whether that key belongs to somebody who may seal is the caller's question.

    Raises
    ------
    ApprovalError
        If the seal cannot be read, is for another namespace, or does not fit the message.
    """
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    public_blob, found, algorithm, signature = _parse_seal(seal)
    if found != namespace.encode():
        raise ApprovalError(
            f"seal: made for {found.decode('utf-8', 'replace')!r} where {namespace!r} was expected",
            hint="Seal it again, for what it is used for.",
        )
    key = Ed25519PublicKey.from_public_bytes(_ed25519_field(public_blob, _KEY_BYTES))
    signed = _signed_data(message, namespace=found, algorithm=algorithm)
    try:
        key.verify(_ed25519_field(signature, 2 * _KEY_BYTES), signed)
    except InvalidSignature:
        raise ApprovalError(
            "seal: does not fit what it is attached to: one of the two was changed",
            hint="Restore the sealed file, or have it sealed again.",
        ) from None
    return public_line(public_blob)


def _parse_seal(seal: str) -> tuple[bytes, bytes, bytes, bytes]:
    try:
        return _read_seal([line.strip() for line in seal.strip().splitlines()])
    except (ValueError, struct.error) as error:
        raise ApprovalError(
            f"seal: cannot be read as an SSH signature by an ed25519 key: {error}",
            hint="Restore the seal, or seal again with an ed25519 key.",
        ) from error


def _read_seal(lines: list[str]) -> tuple[bytes, bytes, bytes, bytes]:
    if len(lines) < 3 or (lines[0], lines[-1]) != (SEAL_BEGIN, SEAL_END):  # noqa: PLR2004  # begin, body, end
        raise ValueError(f"not between {SEAL_BEGIN!r} and {SEAL_END!r}")
    blob = base64.b64decode("".join(lines[1:-1]), validate=True)
    head = _MAGIC + struct.pack(">I", _VERSION)
    if not blob.startswith(head):
        raise ValueError("not SSHSIG version 1")
    public_blob, namespace, _, algorithm, signature = _strings(blob[len(head) :], 5)
    if algorithm not in _HASHES:
        raise ValueError(f"hash algorithm {algorithm!r}")
    _ed25519_field(public_blob, _KEY_BYTES)
    _ed25519_field(signature, 2 * _KEY_BYTES)
    return public_blob, namespace, algorithm, signature


def _ed25519_field(blob: bytes, length: int) -> bytes:
    algorithm, value = _strings(blob, 2)
    if algorithm != ALGORITHM or len(value) != length:
        raise ValueError(
            f"{algorithm.decode('ascii', 'replace')!r}, {len(value)} bytes"
        )
    return value


def _strings(data: bytes, count: int) -> list[bytes]:
    found = []
    for _ in range(count):
        (length,) = struct.unpack_from(">I", data)
        if length > len(data) - 4:
            raise ValueError("cut short")
        found.append(data[4 : 4 + length])
        data = data[4 + length :]
    if data:
        raise ValueError("bytes behind the end")
    return found


def _signed_data(message: bytes, *, namespace: bytes, algorithm: bytes) -> bytes:
    hashed = _HASHES[algorithm](message).digest()
    return _MAGIC + b"".join(
        ssh_string(part) for part in (namespace, b"", algorithm, hashed)
    )

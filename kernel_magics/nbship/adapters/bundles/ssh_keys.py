"""SSH key files: ed25519 key pairs in OpenSSH's form, read and created."""

from __future__ import annotations

import base64
import getpass
import os
import struct
import sys
from typing import TYPE_CHECKING

from nbship.errors import ApprovalError
from nbship.variables import KEY_PASSPHRASE

if TYPE_CHECKING:
    from pathlib import Path

    from cryptography.hazmat.primitives.asymmetric.ed25519 import (
        Ed25519PrivateKey,
        Ed25519PublicKey,
    )

ALGORITHM = b"ssh-ed25519"


def read_private_key(path: Path) -> Ed25519PrivateKey:
    """Read a private key; the passphrase comes from the environment or the terminal.

    Raises
    ------
    ApprovalError
        If there is no such file, it is no ed25519 key, or the passphrase is missing or wrong.
    """
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import load_ssh_private_key

    data = _key_bytes(path)
    try:
        try:
            key = load_ssh_private_key(data, password=None)
        except TypeError:  # cryptography's answer to an encrypted key
            key = load_ssh_private_key(data, password=key_passphrase(path))
    except (ValueError, UnsupportedAlgorithm) as error:
        raise ApprovalError(
            f"{path}: cannot be read as a private SSH key: {error}",
            hint=f"Check the passphrase in {KEY_PASSPHRASE}, or make a key: mlops key",
        ) from error
    if not isinstance(key, Ed25519PrivateKey):
        raise ApprovalError(
            f"{path}: a {type(key).__name__.removeprefix('_')} where an ed25519 key was expected",
            hint="Make one, `mlops key PATH`, and set review.key to it.",
        )
    return key


def create_key(path: Path) -> str:
    """Write a new ed25519 key pair, ``path`` and ``path.pub``, and return its public line.

    The private key is encrypted where MLOPS_KEY_PASSPHRASE is set.

    Raises
    ------
    ApprovalError
        If either file stands there already, or cannot be written.
    """
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    path = path.expanduser()
    public_path = path.with_name(f"{path.name}.pub")
    for present in (path, public_path):
        if present.exists():
            raise ApprovalError(
                f"{present}: stands there already; a key is never overwritten",
                hint="Name another path: mlops key PATH",
            )
    key = Ed25519PrivateKey.generate()
    passphrase = os.environ.get(KEY_PASSPHRASE, "").encode()
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.OpenSSH,
        serialization.BestAvailableEncryption(passphrase)
        if passphrase
        else serialization.NoEncryption(),
    )
    line = public_line(public_blob_of(key.public_key()))
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        _write_new(path, private, mode=0o600)
        _write_new(public_path, f"{line}\n".encode(), mode=0o644)
    except OSError as error:
        raise ApprovalError(
            f"{path}: cannot be written: {error.strerror}",
            hint="Name a path that you may write: mlops key PATH",
        ) from error
    return line


def public_blob_of(key: Ed25519PublicKey) -> bytes:
    """Return a public key as OpenSSH encodes it."""
    return ssh_string(ALGORITHM) + ssh_string(key.public_bytes_raw())


def public_line(blob: bytes) -> str:
    """Return an encoded public key as one line of OpenSSH, without a comment."""
    return f"{ALGORITHM.decode()} {base64.b64encode(blob).decode()}"


def ssh_string(data: bytes) -> bytes:
    """Return ``data`` behind its length, as OpenSSH writes every string."""
    return struct.pack(">I", len(data)) + data


def _write_new(path: Path, data: bytes, *, mode: int) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
    with open(os.open(path, flags, mode), "wb") as file:  # noqa: PTH123  # a descriptor: the mode holds from the start
        file.write(data)


def _key_bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise ApprovalError(
            f"{path}: no such private key",
            hint=f"Make one, `mlops key {path}`, or set review.key (MLOPS_REVIEW_KEY).",
        ) from None
    except OSError as error:
        raise ApprovalError(
            f"{path}: cannot be read: {error.strerror}",
            hint="Set review.key (MLOPS_REVIEW_KEY) to a key that you may read.",
        ) from error


def key_passphrase(path: Path) -> bytes:
    """Return a passphrase, from the environment or the terminal.

    Raises
    ------
    ApprovalError
        If it is in neither.
    """
    given = os.environ.get(KEY_PASSPHRASE)
    if given is None and sys.stdin is not None and sys.stdin.isatty():
        given = getpass.getpass(f"Passphrase of {path}: ")
    if given is None:
        raise ApprovalError(
            f"{path}: the key has a passphrase, and there is no terminal to ask for it",
            hint=f"Set {KEY_PASSPHRASE}.",
        )
    return given.encode()

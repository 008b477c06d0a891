"""OpenSSH's text forms: public keys on one line, seals between two dashed lines."""

from __future__ import annotations

import base64
import binascii
import hashlib
from typing import TYPE_CHECKING

from nbship.errors import ApprovalError

if TYPE_CHECKING:
    from collections.abc import Iterable

KEY_WORD = "ssh-ed25519"
SEAL_BEGIN = "-----BEGIN SSH SIGNATURE-----"
SEAL_END = "-----END SSH SIGNATURE-----"
_SEAL_WIDTH = 70


def key_of(line: str) -> str:
    """Return ``ssh-ed25519 AAAA…`` of a line of OpenSSH: no options, no comment.

    Raises
    ------
    ApprovalError
        If the line holds no ed25519 public key.
    """
    words = line.split()
    position = words.index(KEY_WORD) + 1 if KEY_WORD in words else len(words)
    if position >= len(words):
        raise ApprovalError(
            f"{line!r} is no public key: '{KEY_WORD} AAAA…' was expected",
            hint="Copy the line of a file such as ~/.ssh/id_ed25519.pub.",
        )
    return f"{KEY_WORD} {words[position]}"


def keys_of(lines: Iterable[str]) -> frozenset[str]:
    """Return :func:`key_of` of each line.

    Raises
    ------
    ApprovalError
        If a line holds no ed25519 public key.
    """
    return frozenset(key_of(line) for line in lines)


def fingerprint(public_key: str) -> str:
    """Return a key's fingerprint as ``ssh-keygen -l`` writes it; "" where it has none."""
    try:
        blob = base64.b64decode(public_key.split()[1], validate=True)
    except (IndexError, binascii.Error):
        return ""
    digest = base64.b64encode(hashlib.sha256(blob).digest()).decode()
    return f"SHA256:{digest.rstrip('=')}"


def armoured(blob: bytes) -> str:
    """Write the bytes of a seal in the one form that ``ssh-keygen`` writes."""
    text = base64.b64encode(blob).decode()
    lines = [text[i : i + _SEAL_WIDTH] for i in range(0, len(text), _SEAL_WIDTH)]
    return "\n".join((SEAL_BEGIN, *lines, SEAL_END, ""))


def is_canonical(seal: str) -> bool:
    """Tell whether a seal stands in that one form.

    A reader may forgive blanks and loose bits of base64; a bundle has none.
    """
    body = "".join(seal.split("\n")[1:-2])
    try:
        blob = base64.b64decode(body, validate=True)
    except (binascii.Error, ValueError):
        return False
    return seal == armoured(blob)

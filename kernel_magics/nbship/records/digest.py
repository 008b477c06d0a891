"""Digests: sha256 in hexadecimal, over bytes or over canonical JSON."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

_CHUNK_BYTES = 1 << 20


def digest_bytes(data: bytes) -> str:
    """Return the sha256 of ``data``, 64 hexadecimal digits."""
    return hashlib.sha256(data).hexdigest()


def digest_text(text: str) -> str:
    """Return the sha256 of ``text`` in UTF-8."""
    return digest_bytes(text.encode("utf-8", "surrogatepass"))


def canonical_json(value: Any) -> str:  # noqa: ANN401  # any JSON value
    """Write ``value`` in the one form that is digested and sealed.

    Keys sorted, no blanks, UTF-8 kept, ``NaN`` and infinities as Python's ``json`` has them.
    """
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def digest_json(value: Any) -> str:  # noqa: ANN401  # any JSON value
    """Return the sha256 of the canonical JSON of ``value``."""
    return digest_text(canonical_json(value))


def digest_file(path: Path) -> str:
    """Return the sha256 of a file's bytes, read in pieces."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()


def digest_tree(folder: Path) -> str:
    """Return one digest over every file below ``folder``: names and bytes, nothing else."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return digest_json(
        {p.relative_to(folder).as_posix(): digest_file(p) for p in files}
    )

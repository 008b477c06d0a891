"""``SHA256SUMS``: the one list that is sealed, as ``sha256sum --check`` reads it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from nbship.errors import VerificationError

if TYPE_CHECKING:
    from collections.abc import Mapping

SUMS = "SHA256SUMS"
SEAL = "SHA256SUMS.sig"
MANIFEST = "manifest.json"
#: what a seal over SHA256SUMS is good for
NAMESPACE = "nbship-bundle"

_LINE = re.compile(r"([0-9a-f]{64})  (\S(?:.*\S)?)")


def sums_text(digests: Mapping[str, str]) -> str:
    """Write one line a file, sorted by path."""
    return "".join(f"{digests[path]}  {path}\n" for path in sorted(digests))


def read_sums(text: str) -> dict[str, str]:
    """Read what :func:`sums_text` wrote: path -> sha256.

    Raises
    ------
    VerificationError
        If it is anything else: another form, another order, a path twice or outside.
    """
    digests: dict[str, str] = {}
    for line in text.splitlines():
        match = _LINE.fullmatch(line)
        if match is None or not _is_inside(match[2]):
            raise VerificationError(f"{SUMS}: {line[:80]!r} is no line of checksums")
        digests[match[2]] = match[1]
    if sums_text(digests) != text:
        raise VerificationError(f"{SUMS}: not sorted, or a path stands there twice")
    return digests


def _is_inside(path: str) -> bool:
    return not path.startswith("/") and ".." not in path.split("/") and "\\" not in path

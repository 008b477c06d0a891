"""``SHA256SUMS``: the one list that is sealed, as ``sha256sum --check`` reads it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

SUMS = "SHA256SUMS"
SEAL = "SHA256SUMS.sig"
SIGNER = "signer.pub"
MANIFEST = "manifest.json"
#: what a seal over SHA256SUMS is good for
NAMESPACE = "nbship-bundle"

_LINE = re.compile(r"([0-9a-f]{64})  (\S(?:.*\S)?)")


def sums_text(digests: Mapping[str, str]) -> str:
    """Write one line a file, sorted by path."""
    return "".join(f"{digests[path]}  {path}\n" for path in sorted(digests))


def read_sums(text: str) -> tuple[dict[str, str], list[str]]:
    """Read what :func:`sums_text` wrote, as far as it can be read.

    Returns
    -------
    tuple
        path -> sha256 of every readable line, and what is wrong with the others.
    """
    digests: dict[str, str] = {}
    failures = []
    for number, line in enumerate(text.removesuffix("\n").split("\n"), 1):
        match = _LINE.fullmatch(line)
        if match is None:
            failures.append(f"{SUMS}: line {number} is no checksum of a file")
        elif not _is_inside(match[2]):
            failures.append(
                f"{SUMS}: line {number}: {match[2]!r} lies outside of the bundle"
            )
        elif match[2] in digests:
            failures.append(f"{SUMS}: line {number}: {match[2]!r} for a second time")
        else:
            digests[match[2]] = match[1]
    if not failures and sums_text(digests) != text:
        failures.append(f"{SUMS}: its lines are not in order")
    return digests, failures


def _is_inside(path: str) -> bool:
    return not path.startswith("/") and ".." not in path.split("/") and "\\" not in path

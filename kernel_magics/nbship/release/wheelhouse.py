"""The wheels that travel with a bundle, compared with its lock."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nbship.records.environment import normalized_name

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

WHEELHOUSE = "wheelhouse"


def wheelhouse_failures(
    found: Mapping[str, str], hashes: Mapping[str, Sequence[str]]
) -> list[str]:
    """Name wheels that the lock does not name, and pins without a wheel.

    Parameters
    ----------
    found
        File -> sha256.
    hashes
        Distribution -> sha256 of every file that the lock allows.
    """
    owners = {digest: name for name, digests in hashes.items() for digest in digests}
    failures = [
        f"{WHEELHOUSE}/{file}: not a file that requirements.lock names"
        for file, digest in sorted(found.items())
        if owners.get(digest) != normalized_name(file.partition("-")[0])
    ]
    there = {owners.get(digest) for digest in found.values()}
    return failures + [
        f"{WHEELHOUSE}: no wheel of {name}" for name in sorted(hashes.keys() - there)
    ]

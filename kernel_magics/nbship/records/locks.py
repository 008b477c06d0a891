"""The lock of an environment."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING

from nbship.records.codec import json_text, to_json
from nbship.records.digest import digest_json
from nbship.records.environment import normalized_name
from nbship.records.job import Lock

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from nbship.records.environment import Environment, Package

_SOURCE = "source_digest"


def lock_of(environment: Environment) -> Lock:
    """Name every distribution of an environment with its version and RECORD digest.

    Names are normalised as PEP 503 asks and sorted, so that equal installations give equal
    locks. Of an editable distribution the digest of its source is part.
    """
    return _lock(environment.python_version, environment.packages)


def with_sources(lock: Lock, other: Lock) -> Lock:
    """Return a lock with the sources of editable distributions as another one has them."""
    kept = {
        name: {**entry, _SOURCE: other.packages[name][_SOURCE]}
        for name, entry in lock.packages.items()
        if _SOURCE in entry and _SOURCE in other.packages.get(name, {})
    }
    if all(lock.packages[name] == entry for name, entry in kept.items()):
        return lock
    return replace(lock, packages={**lock.packages, **kept})


def lock_digest(lock: Lock) -> str:
    """Return the digest by which a lock is known: over its canonical JSON."""
    return _written(lock)[1]


def lock_bytes(lock: Lock) -> bytes:
    """Return the bytes of ``lock.json``."""
    return _written(lock)[2]


@lru_cache(maxsize=16)
def _lock(python_version: str, packages: tuple[Package, ...]) -> Lock:
    entries = {normalized_name(package.name): _entry(package) for package in packages}
    return Lock(python_version=python_version, packages=dict(sorted(entries.items())))


#: locks of hundreds of packages that were written already, by identity, each kept alive here
_WRITTEN: dict[int, tuple[Lock, str, bytes]] = {}
_MOST_WRITTEN = 16


def _written(lock: Lock) -> tuple[Lock, str, bytes]:
    known = _WRITTEN.get(id(lock))
    if known is None:
        if len(_WRITTEN) >= _MOST_WRITTEN:
            _WRITTEN.clear()
        text = json_text(lock).encode("utf-8", "surrogatepass")
        known = _WRITTEN[id(lock)] = (lock, digest_json(to_json(lock)), text)
    return known


def lock_differences(
    planned: Lock, found: Lock, *, built: Collection[str]
) -> list[str]:
    """Name what differs between two environments: versions, and contents that can be compared.

    Parameters
    ----------
    planned, found
        Their locks.
    built
        Normalised names of distributions whose files were built anew: only their versions are
        compared.
    """
    differences = []
    for name in sorted(planned.packages.keys() | found.packages.keys()):
        was, now = planned.packages.get(name), found.packages.get(name)
        if was is None or now is None:
            words = "was not there" if was is None else "is missing"
            differences.append(f"{name} {words}")
        elif was["version"] != now["version"]:
            differences.append(f"{name} {now['version']}, was {was['version']}")
        elif name not in built and _contents_differ(was, now):
            differences.append(f"{name} {was['version']}: its files differ")
    return differences


def _entry(package: Package) -> dict[str, str]:
    entry = {
        "version": package.version,
        "record_digest": package.record_digest,
        "content_digest": package.content_digest,
        _SOURCE: package.source_digest,
    }
    return {k: v for k, v in entry.items() if v or k in {"version", "record_digest"}}


def _contents_differ(was: Mapping[str, str], now: Mapping[str, str]) -> bool:
    digests = was.get("content_digest"), now.get("content_digest")
    return all(digests) and digests[0] != digests[1]

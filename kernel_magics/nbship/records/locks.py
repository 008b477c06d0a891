"""The lock of an environment."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nbship.records.environment import normalized_name
from nbship.records.job import Lock

if TYPE_CHECKING:
    from nbship.records.environment import Environment


def lock_of(environment: Environment) -> Lock:
    """Name every distribution of an environment with its version and RECORD digest.

    Names are normalised as PEP 503 asks and sorted, so that equal installations give equal
    locks.
    """
    entries = {
        normalized_name(package.name): {
            "version": package.version,
            "record_digest": package.record_digest,
        }
        for package in environment.packages
    }
    return Lock(
        python_version=environment.python_version,
        packages=dict(sorted(entries.items())),
    )

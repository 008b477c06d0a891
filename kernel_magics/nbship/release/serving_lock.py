"""The second lock of a bundle: what the package needs, and what its server needs besides."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

SERVE_LOCK = "requirements-serve.lock"
_EXTRA = re.compile(r"Requires-Dist: (?P<needed>[^;]+?)\s*;\s*extra == ['\"]serve['\"]")


def serving_requirements(files: Mapping[str, bytes]) -> tuple[str, ...]:
    """List what the extra ``serve`` of a wheel asks for; nothing where it has none.

    Parameters
    ----------
    files
        The wheel's files by name.
    """
    metadata = b"".join(
        content
        for name, content in files.items()
        if name.endswith(".dist-info/METADATA")
    ).decode("utf-8", "replace")
    head = metadata.partition("\n\n")[0]
    found = (_EXTRA.fullmatch(line) for line in head.splitlines())
    return tuple(match["needed"] for match in found if match)


def lock_differences(pins: Mapping[str, str], serving: Mapping[str, str]) -> list[str]:
    """Name what the lock for serving pins otherwise: then the proof is not about what serves.

    Parameters
    ----------
    pins
        Of ``requirements.lock``, with which the golden cases were replayed.
    serving
        Of ``requirements-serve.lock``.
    """
    return [
        f"{SERVE_LOCK}: {name} {serving.get(name, 'missing')} where requirements.lock has {version}"
        for name, version in sorted(pins.items())
        if serving.get(name) != version
    ]

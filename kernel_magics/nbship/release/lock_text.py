"""The lock of a package: ``name==version`` with hashes and nothing else.

A lock may carry no option and no address, so that it cannot send an installer anywhere; where
packages come from is the business of the machine that installs them.
"""

from __future__ import annotations

import re

from nbship.errors import VerificationError

_NAME = r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?"
_LINE = re.compile(
    rf"(?P<name>{_NAME})==(?P<version>[A-Za-z0-9.!+_-]+)"
    r"(?:\s*;\s*[\w\s.'\"<>=!()-]+?)?"
    r"(?P<hashes>(?:\s+--hash=sha256:[0-9a-f]{64})+)"
)
_HASH = re.compile(r"[0-9a-f]{64}")


def read_lock(text: str) -> dict[str, str]:
    """Read the names and versions of a lock.

    Raises
    ------
    VerificationError
        If a line is anything but a pin with sha256 hashes.
    """
    return {match["name"].lower(): match["version"] for match in _pins(text)}


def lock_hashes(text: str) -> dict[str, tuple[str, ...]]:
    """Map each distribution of a lock to the sha256 of every file that may be installed for it.

    Raises
    ------
    VerificationError
        If a line is anything but a pin with sha256 hashes.
    """
    return {
        match["name"].lower(): tuple(_HASH.findall(match["hashes"]))
        for match in _pins(text)
    }


def _pins(text: str) -> list[re.Match[str]]:
    pins = []
    for line in text.replace("\\\n", " ").splitlines():
        line = line.strip()  # noqa: PLW2901
        if not line or line.startswith("#"):
            continue
        match = _LINE.fullmatch(line)
        if match is None:
            raise VerificationError(
                f"requirements.lock: {line[:80]!r} where name==version with"
                " --hash=sha256:… was expected",
                hint="Do not install from it; ask for the bundle again.",
            )
        pins.append(match)
    return pins

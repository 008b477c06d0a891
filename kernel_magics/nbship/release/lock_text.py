"""The lock of a package: ``name==version`` with hashes and nothing else.

A lock may carry no option and no address, so that it cannot send an installer anywhere; where
packages come from is the business of the machine that installs them.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from nbship.errors import VerificationError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

_NAME = r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?"
_LINE = re.compile(
    rf"(?P<name>{_NAME})==(?P<version>[A-Za-z0-9.!+_-]+)"
    r"(?:\s*;\s*[\w\s.'\"<>=!()-]+?)?"
    r"(?P<hashes>(?:\s+--hash=sha256:[0-9a-f]{64})+)"
)
#: how a lock goes on in the next line
_BREAK = " \\\n"
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


def with_hashes(text: str, digests: Mapping[str, str]) -> str:
    """Let a lock allow one file alone for some distributions.

    Parameters
    ----------
    text
        The lock.
    digests
        Normalised name -> sha256 of the one file.
    """
    return "".join(
        f"{block.partition(_BREAK)[0]}{_BREAK}    --hash=sha256:{digests[name]}\n"
        if name in digests
        else block
        for name, block in _blocks(text)
    )


def without_pins(text: str, names: Collection[str]) -> str:
    """Leave the pins of some distributions out of a lock."""
    return "".join(block for name, block in _blocks(text) if name not in names)


def _blocks(text: str) -> Iterator[tuple[str, str]]:
    """Split a lock before each line that is not indented; name what each block pins."""
    for block in re.split(r"(?m)^(?=\S)", text):
        yield block.partition("==")[0].lower(), block


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

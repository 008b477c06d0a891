"""Wheels of what no index has, and of what must not be taken from one: it has its name only."""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING

from nbship.adapters.bundles.environment_lock import Wheelhouse, reason_to_carry
from nbship.adapters.bundles.installed import read_installation
from nbship.errors import ReleaseError
from nbship.records.digest import digest_file
from nbship.records.environment import normalized_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from nbship.adapters.bundles.installed import Installed

_NEEDS = re.compile(
    r"^Requires-Dist:\s*([A-Za-z0-9][A-Za-z0-9._-]*)(.*)$", re.MULTILINE
)


def carry_local(
    requirements: Sequence[str], into: Path, *, python: str = sys.executable
) -> None:
    """Make wheels of editable, local, direct-URL and local-version distributions.

    Parameters
    ----------
    requirements
        ``name==version`` of what is needed directly; what that needs is looked at too.
    into
        The folder for the wheels; it exists.
    python
        The interpreter that they are installed for.

    Raises
    ------
    KernelError
        If the interpreter does not answer.
    ReleaseError
        If a wheel cannot be made; all are named.
    """
    installation = read_installation(python)
    packages = {normalized_name(p.name): p for p in installation.packages}
    house = Wheelhouse(python=python, folder=into, installation=installation)
    names = [normalized_name(text.partition("==")[0]) for text in requirements]
    for name in _needed(names, packages):
        if reason := reason_to_carry(packages[name]):
            house.carry(packages[name], reason)
    if house.missing:
        raise ReleaseError(
            f"{', '.join(house.missing)}: no index has what is installed, and no wheel can "
            f"be made of it:\n" + "\n".join(house.remarks),
            hint="Publish it to your package index, install it from there, and export again.",
        )


def carried_wheels(folder: Path | None) -> dict[str, tuple[str, str]]:
    """Map the distributions of a folder of wheels to version and sha256."""
    wheels = sorted(folder.glob("*.whl")) if folder is not None else []
    return {
        normalized_name(path.name.split("-")[0]): (
            path.name.split("-")[1],
            digest_file(path),
        )
        for path in wheels
    }


def _needed(names: Iterable[str], packages: dict[str, Installed]) -> list[str]:
    """Name the installed distributions that some need, whatever the platform."""
    queue, seen = list(names), set[str]()
    while queue:
        name = queue.pop()
        if name in seen or name not in packages:
            continue
        seen.add(name)
        package = packages[name]
        metadata = package.text("METADATA") or package.text("PKG-INFO")
        found = _NEEDS.findall(metadata.partition("\n\n")[0])
        queue += [normalized_name(n) for n, rest in found if "extra ==" not in rest]
    return sorted(seen)

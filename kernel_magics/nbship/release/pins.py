"""Which distributions the imports of a closure come from, at which version."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from nbship.errors import ExportError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


@dataclass(frozen=True, kw_only=True, slots=True)
class Installed:
    """What is installed where the notebook runs."""

    #: import name -> distributions that offer it
    providers: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    #: distribution -> version
    versions: Mapping[str, str] = field(default_factory=dict)
    #: import name -> file of a module that no distribution offers
    files: Mapping[str, str] = field(default_factory=dict)


def pins_of(modules: Iterable[str], installed: Installed) -> dict[str, str]:
    """Map import names to ``distribution==version``; the standard library is left out.

    Raises
    ------
    ExportError
        If a module belongs to no distribution, such as a file beside the notebook; all are
        named together.
    """
    pins: dict[str, str] = {}
    local: list[str] = []
    for name in sorted({module.partition(".")[0] for module in modules}):
        if name in sys.stdlib_module_names:
            continue
        owners = installed.providers.get(name, ())
        if not owners:
            local.append(name)
            continue
        owner = _owner(name, owners)
        pins[name] = f"{owner}=={installed.versions[owner]}"
    if local:
        places = (f"{n} ({installed.files.get(n, 'no file')})" for n in local)
        raise ExportError(
            f"modules that no installed distribution offers: {', '.join(places)}; the "
            "package could not install them",
            hint="Move what is needed from them into a cell, or publish them as a "
            "distribution and install it.",
            hazard="local-module",
            name=local[0],
        )
    return pins


def _owner(name: str, owners: tuple[str, ...]) -> str:
    """Prefer the distribution of the same name, else the first."""
    same = [o for o in owners if o.lower().replace("-", "_") == name.lower()]
    return same[0] if same else min(owners)

"""What a release holds, as far as another one is compared with it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nbship.records.release import RootCapture
    from nbship.release.golden import Case


@dataclass(frozen=True, kw_only=True, slots=True)
class Contents:
    """One release, read from its bundle or still in the making."""

    name: str
    version: str
    #: import name
    package: str
    capture: RootCapture
    capture_digest: str
    #: sha256 of the notebook's bytes
    snapshot_digest: str
    #: what its lock pins, that for serving where there is one
    pins: Mapping[str, str]
    metrics: Mapping[str, float]
    #: file below the package's folder -> text: the module, and modules taken along
    sources: Mapping[str, str] = field(default_factory=dict)
    #: recorded calls
    cases: tuple[Case, ...] = ()


def sources_of(wheel: Mapping[str, bytes], package: str) -> dict[str, str]:
    """Pick the author's texts from the files of a wheel."""
    found = {}
    for name, data in wheel.items():
        inside = name.removeprefix(f"{package}/")
        is_local = inside.startswith("_local/") and inside.endswith(".py")
        if inside == "model.py" or is_local:
            found[inside] = data.decode("utf-8", "replace")
    return dict(sorted(found.items()))

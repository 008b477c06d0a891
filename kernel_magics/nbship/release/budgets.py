"""What a package may weigh and how long it may take to import, and what weighs most."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nbship.records.inspection import Inspection
    from nbship.records.release import RootCapture

_MIB = 1 << 20
_NAMED = 3


@dataclass(frozen=True, kw_only=True, slots=True)
class Budget:
    """Limits of a package; 0 is none."""

    #: MiB of the wheel
    wheel_mib: float = 0.0
    #: MiB of all that is installed with it
    install_mib: float = 0.0
    #: seconds from the start of the import to a loaded model, with compiled files there
    import_s: float = 0.0

    @property
    def is_set(self) -> bool:
        """Whether there is any limit."""
        return bool(self.wheel_mib or self.install_mib or self.import_s)


def over_budget(
    budget: Budget, *, wheel_bytes: int, capture: RootCapture, inspection: Inspection
) -> tuple[str, ...]:
    """Name each limit that a package exceeds, with what has the largest part in it.

    Parameters
    ----------
    budget
        The limits.
    wheel_bytes
        Size of the wheel.
    capture
        The root, whose state is most of a wheel.
    inspection
        What was measured in a fresh environment.
    """
    import_s = inspection.load_ms / 1000
    found = (
        _excess(
            "the wheel has",
            wheel_bytes / _MIB,
            budget.wheel_mib,
            key="export.wheel_mib",
            unit="MiB",
            parts=((f"state of {e.name}", e.size_bytes / _MIB) for e in capture.state),
        ),
        _excess(
            "all that is installed has",
            inspection.installed_bytes / _MIB,
            budget.install_mib,
            key="export.install_mib",
            unit="MiB",
            parts=((d.name, d.size_bytes / _MIB) for d in inspection.distributions),
        ),
        _excess(
            "the import takes",
            import_s,
            budget.import_s,
            key="export.import_s",
            unit="s",
            parts=((i.name, i.self_ms / 1000) for i in inspection.imports),
        ),
    )
    return tuple(text for text in found if text)


def _excess(  # noqa: PLR0913  # a sentence has many parts
    what: str,
    found: float,
    limit: float,
    *,
    key: str,
    unit: str,
    parts: Iterable[tuple[str, float]],
) -> str:
    if not limit or found <= limit:
        return ""
    largest = sorted(parts, key=lambda part: (-part[1], part[0]))[:_NAMED]
    most = ", ".join(f"{name} {size:.3g} {unit}" for name, size in largest)
    told = f"; most of it: {most}" if most else ""
    return f"{what} {found:.3g} {unit}, more than {key} = {limit:g}{told}"

"""Licences of what a package is installed with, as the installed metadata name them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nbship.records.inspection import Inspection

_UNKNOWN = "MISSING: its metadata name none"


def licence_report(
    pins: Mapping[str, str], inspection: Inspection, *, model: str
) -> dict[str, Any]:
    """List the licence of everything that a lock pins.

    Parameters
    ----------
    pins
        Distribution -> version.
    inspection
        What was found installed.
    model
        The licence of the model itself, or the hole where nobody named it.
    """
    found = {item.name: item for item in inspection.distributions}
    return {
        "schema": "licences/1",
        "model": model,
        "distributions": [
            {
                "name": name,
                "version": version,
                "licence": (found[name].licence if name in found else "") or _UNKNOWN,
                "is_spdx_expression": name in found and found[name].is_expression,
            }
            for name, version in sorted(pins.items())
        ],
    }


def licence_text(report: Mapping[str, Any]) -> str:
    """Say in one line which licences there are, the most frequent first."""
    names = [item["licence"] for item in report["distributions"]]
    if not names:
        return "the package needs nothing beyond Python"
    counted = sorted(set(names), key=lambda name: (-names.count(name), name))
    return "; ".join(f"{name} ({names.count(name)})" for name in counted)

"""Two releases of ``fares``: the second made from another notebook than the first."""

from __future__ import annotations

import dataclasses
import shutil
from pathlib import Path
from typing import Any

from nbship.records.release import Column
from support.captures import FARE_MODULE, FARE_SIGNATURE, RATES
from support.releases import ReleaseCase

#: dearer rides above ten kilometres in zone B, one more argument, one more output
DEARER_MODULE = '''"""Captured from fares.ipynb."""

from ._state import load as _load

RATES = _load("RATES")


# what a ride costs, by zone
def fare(zone: str, km: float, tip: float = 0.0) -> dict:
    rate = RATES[zone]
    price = rate["base"] + rate["per_km"] * km
    if zone == "B" and km > 10:
        price *= 1.1  # nobody drives back
    return {"zone": zone, "price": price + tip, "is_long": km > 10}
'''
DEARER_SIGNATURE = dataclasses.replace(
    FARE_SIGNATURE,
    inputs=(
        *FARE_SIGNATURE.inputs,
        Column(name="tip", dtype="float64", is_required=False),
    ),
    outputs=(*FARE_SIGNATURE.outputs, Column(name="is_long", dtype="bool")),
)
#: one zone alone, so that calls of the first release are refused
NARROW_SIGNATURE = dataclasses.replace(
    FARE_SIGNATURE,
    inputs=(
        dataclasses.replace(FARE_SIGNATURE.inputs[0], categories=("A",)),
        FARE_SIGNATURE.inputs[1],
    ),
)


def recorded(module: str, calls: list[tuple[list, dict]]) -> list[dict]:
    """Write golden cases by calling the function of a module's text."""
    names: dict[str, Any] = {}
    text = module.replace("from ._state import load as _load\n", "")
    exec(text.replace('_load("RATES")', repr(RATES)), names)  # noqa: S102  # the fixture's own text
    return [
        {
            "case": number,
            "args": args,
            "kwargs": kwargs,
            "output": names["fare"](*args, **kwargs),
            "origin": "cell fare-4",
        }
        for number, (args, kwargs) in enumerate(calls, 1)
    ]


def calls(zones: str = "AB", count: int = 24) -> list[tuple[list, dict]]:
    """Return calls of ``fare``, the first release's own where nothing else is said."""
    return [([zones[n % len(zones)]], {"km": n * 0.75}) for n in range(1, count + 1)]


def dearer_cases() -> list[dict]:
    """Return the calls of both releases, and one with a tip."""
    return recorded(DEARER_MODULE, [*calls(), (["A"], {"km": 4.0, "tip": 1.5})])


def narrow_cases() -> list[dict]:
    """Return calls of one zone alone."""
    return recorded(FARE_MODULE, calls("A", 30))


def release_pair(  # noqa: PLR0913  # two releases and who makes them
    folder: Path,
    second: dict[str, Any],
    *,
    version: str = "",
    replayer: Any = None,
    builder: Any = None,
    first: dict[str, Any] | None = None,
) -> tuple[ReleaseCase, Any]:
    """Release ``fares`` 1.0.0, then another one after it in a project of its own."""
    old = ReleaseCase(folder / "old", **(first or {})).approve()
    made = old.release(version="1.0.0", replayer=replayer, builder=builder)
    new = ReleaseCase(folder / "new", **second).approve()
    place = new.store.releases / "fares" / "1.0.0"
    shutil.copytree(Path(made.bundle), place)
    return new, new.release(version=version, replayer=replayer, builder=builder)

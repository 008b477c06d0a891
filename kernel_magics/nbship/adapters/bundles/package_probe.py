"""Looks at an installed package from inside its environment: run as a script, by its path.

Standard library only: nothing but the package and what it needs is installed where this runs.
Prints one JSON object.
"""

from __future__ import annotations

import importlib.metadata
import json
import os
import platform
import re
import resource
import sys
import time
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

#: calls go on until both are reached, or the limit of time is
_CALLS = 200
_SECONDS = 2.0
_LICENCE_LENGTH = 100


def main(package: str, distribution: str) -> dict[str, Any]:
    """Measure and list.

    Parameters
    ----------
    package
        The import name.
    distribution
        Its distribution, which is counted but not listed.
    """
    started = time.perf_counter()
    predict = import_module(package).predict
    load_ms = 1000 * (time.perf_counter() - started)
    laps = sorted(_laps(package, predict)) or [0.0]
    found = [_described(item) for item in importlib.metadata.distributions()]
    return {
        "python_version": platform.python_version(),
        "machine": platform.machine(),
        "cpus": len(os.sched_getaffinity(0)),
        "distributions": sorted(
            (item for item in found if item["name"] != distribution),
            key=lambda item: str(item["name"]),
        ),
        "installed_bytes": sum(item["size_bytes"] for item in found),
        "load_ms": round(load_ms, 3),
        "calls": len(laps),
        "latency_p50_ms": _rank(laps, 0.5),
        "latency_p99_ms": _rank(laps, 0.99),
        "latency_max_ms": _rank(laps, 1.0),
        "memory_peak_mib": round(
            resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1
        ),
    }


def _laps(package: str, predict: Callable[..., object]) -> list[float]:
    """Time single calls in milliseconds; the inputs are read anew for each, outside its time."""
    replay = import_module(f"{package}.parity._replay")
    golden = import_module(f"{package}._golden")
    cases = list(replay.golden_cases())
    laps: list[float] = []
    end = time.perf_counter() + _SECONDS
    while cases and len(laps) < _CALLS and time.perf_counter() < end:
        case = cases[len(laps) % len(cases)]
        arguments, named = golden.arguments_of(case)
        started = time.perf_counter()
        predict(*arguments, **named)
        laps.append(1000 * (time.perf_counter() - started))
    return laps


def _rank(laps: list[float], share: float) -> float:
    """Return the measured value that so large a share of all does not exceed."""
    place = max(0, min(len(laps) - 1, -int(-share * len(laps) // 1) - 1))
    return round(laps[place], 4)


def _described(item: importlib.metadata.Distribution) -> dict[str, Any]:
    data = item.metadata
    expression = _field(data, "License-Expression")
    files = (Path(str(file.locate())) for file in item.files or ())
    return {
        "name": re.sub(r"[-_.]+", "-", item.name).lower(),
        "version": item.version,
        "licence": expression or _licence(data),
        "is_expression": bool(expression),
        "size_bytes": sum(path.stat().st_size for path in files if path.is_file()),
    }


def _field(data: importlib.metadata.PackageMetadata, name: str) -> str:
    return str((data.get_all(name) or [""])[0]).strip()


def _licence(data: importlib.metadata.PackageMetadata) -> str:
    """Read the older fields: classifiers, else the first line of the text."""
    classifiers = [
        text.rpartition(" :: ")[2]
        for text in data.get_all("Classifier") or ()
        if text.startswith("License :: ")
    ]
    named = " and ".join(text for text in classifiers if text != "OSI Approved")
    first = _field(data, "License").partition("\n")[0]
    return (named or first)[:_LICENCE_LENGTH]


if __name__ == "__main__":
    sys.stdout.write(json.dumps(main(sys.argv[1], sys.argv[2])) + "\n")

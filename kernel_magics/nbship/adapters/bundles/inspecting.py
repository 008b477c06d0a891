"""A look at an installed package from inside its own environment."""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from nbship.adapters.bundles.uv import last_lines, run_program
from nbship.errors import VerificationError
from nbship.records.codec import from_json
from nbship.records.inspection import ImportTime, Inspection

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

#: runs in the fresh environment, by its path; imports nothing of nbship
_PROBE = str(Path(__file__).with_name("package_probe.py"))
_TIMEOUT_S = 600
_TIMED = re.compile(r"^import time:\s+(\d+) \|\s+\d+ \|\s+(\S+)$", re.MULTILINE)
_IMPORTS = 20


def look_at(
    package: str,
    *,
    distribution: str,
    start: Sequence[str],
    home: Path,
    environ: Mapping[str, str],
) -> Inspection:
    """List what is installed with a package, and measure its calls.

    Parameters
    ----------
    package
        The import name.
    distribution
        Its distribution, which is counted but not listed.
    start
        What starts the environment's interpreter.
    home
        An empty folder.
    environ
        All variables of the environment.

    Raises
    ------
    VerificationError
        If the package gives no answer.
    """
    # the first start compiles what is imported; the second is what a start costs
    load = ["-c", f"import {package} as p; p.predict"]
    run_program([*start, "-I", *load], cwd=home, environ=environ, timeout_s=_TIMEOUT_S)
    words = [*start, "-I", _PROBE, package, distribution]
    ended = run_program(words, cwd=home, environ=environ, timeout_s=_TIMEOUT_S)
    try:
        report = json.loads(ended.output.strip().splitlines()[-1])
    except (IndexError, json.JSONDecodeError) as error:
        raise VerificationError(
            f"{package} cannot be looked at in a fresh environment (exit code {ended.code}):\n"
            + last_lines(ended.errors),
            hint="Look at the package's own error above.",
        ) from error
    timed = run_program(
        [*start, "-I", "-X", "importtime", *load],
        cwd=home,
        environ=environ,
        timeout_s=_TIMEOUT_S,
    )
    found = from_json(Inspection, {"schema": Inspection.SCHEMA, **report})
    return replace(found, imports=import_times(timed.errors))


def import_times(report: str) -> tuple[ImportTime, ...]:
    """Add up what ``-X importtime`` tells, by top-level name; the slowest first."""
    sums: Counter[str] = Counter()
    for own, name in _TIMED.findall(report):
        sums[name.partition(".")[0]] += int(own)
    return tuple(
        ImportTime(name=name, self_ms=round(own / 1000, 3))
        for name, own in sorted(sums.items(), key=lambda item: (-item[1], item[0]))
    )[:_IMPORTS]

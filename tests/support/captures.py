"""Captures written by hand, in the form that a job's kernel leaves them."""

from __future__ import annotations

import json
import platform
from typing import TYPE_CHECKING

from nbship.records.codec import to_json
from nbship.records.digest import digest_bytes, digest_text
from nbship.records.release import Column, RootCapture, Signature, StateEntry

if TYPE_CHECKING:
    from pathlib import Path

#: a module with one captured table and no requirement beyond Python
FARE_MODULE = '''"""Captured from fares.ipynb."""

from ._state import load as _load

RATES = _load("RATES")


# what a ride costs, by zone
def fare(zone: str, km: float) -> dict:
    rate = RATES[zone]
    return {"zone": zone, "price": rate["base"] + rate["per_km"] * km}
'''

RATES = {
    "A": {"base": 2.5, "per_km": 1.1},
    "B": {"base": 3.0, "per_km": 0.9},
}


def fare_cases(count: int = 24) -> list[dict]:
    """Write golden cases of ``fare`` as the notebook would have recorded them."""
    cases = []
    for number in range(1, count + 1):
        zone, km = "AB"[number % 2], number * 0.75
        rate = RATES[zone]
        output = {"zone": zone, "price": rate["base"] + rate["per_km"] * km}
        cases.append(
            {
                "case": number,
                "args": [zone],
                "kwargs": {"km": km},
                "output": output,
                "origin": "cell fare-4",
            }
        )
    return cases


def write_capture(folder: Path, *, module: str = FARE_MODULE, cases: int = 24) -> Path:
    """Write the capture of ``fare`` into a folder and return that folder."""
    (folder / "state").mkdir(parents=True)
    rates = json.dumps(RATES).encode()
    golden = "".join(json.dumps(case) + "\n" for case in fare_cases(cases))
    (folder / "module.py").write_text(module, "utf-8")
    (folder / "golden.jsonl").write_text(golden, "utf-8")
    (folder / "state" / "RATES.json").write_bytes(rates)
    capture = RootCapture(
        name="fare",
        kind="function",
        module="module.py",
        module_digest=digest_text(module),
        state=(
            StateEntry(
                name="RATES",
                codec="json",
                file="RATES.json",
                digest=digest_bytes(rates),
                size_bytes=len(rates),
            ),
        ),
        requirements={},
        python_version=platform.python_version(),
        signature=Signature(
            inputs=(
                Column(name="zone", dtype="string", categories=("A", "B")),
                Column(name="km", dtype="float64", minimum=0.75, maximum=18.0),
            ),
            outputs=(
                Column(name="zone", dtype="string"),
                Column(name="price", dtype="float64"),
            ),
        ),
        golden_cases=cases,
        golden_rows=cases,
        golden="golden.jsonl",
        golden_digest=digest_text(golden),
        source_map={"9": {"cell_id": "fare-4", "execution_count": 4, "line": 1}},
        remarks=("written by hand for the tests",),
    )
    text = json.dumps(to_json(capture), indent=1) + "\n"
    (folder / "capture.json").write_text(text, "utf-8")
    return folder

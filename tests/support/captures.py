"""Captures written by hand, in the form that a job's kernel leaves them."""

from __future__ import annotations

import json
import platform
from typing import TYPE_CHECKING

from nbship.records.codec import to_json
from nbship.records.digest import digest_bytes, digest_text
from nbship.records.release import Column, RootCapture, Signature, StateEntry
from nbship.release.signature import signature_of
from nbship.resources import shipped_module

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


FARE_SIGNATURE = Signature(
    inputs=(
        Column(name="zone", dtype="string", categories=("A", "B"), is_strict=True),
        Column(name="km", dtype="float64", minimum=0.75, maximum=18.0),
    ),
    outputs=(
        Column(name="zone", dtype="string"),
        Column(name="price", dtype="float64"),
    ),
    output_form="object",
)


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


FRAME_MODULE = """import pandas as pd


def mass(birds):
    return pd.DataFrame(
        {
            "mass": birds["flipper_mm"] * birds["count"],
            "where": birds["island"].astype(str),
            "known": birds["sex"].notna(),
        }
    )
"""


def write_frame_capture(folder: Path) -> Path:
    """Write the capture of ``mass``, which takes and gives a data frame."""
    import pandas as pd

    birds = pd.DataFrame(
        {
            "flipper_mm": [181.0, None, 210.5],
            "count": [1, 2, 3],
            "island": pd.Categorical(["Dream", "Biscoe", None]),
            "sex": ["male", None, "female"],
        }
    )
    names: dict = {}
    exec(FRAME_MODULE, names)  # noqa: S102  # the fixture's own text
    encode = shipped_module("_values").encode
    case = {
        "case": 1,
        "args": [encode(birds)],
        "kwargs": {},
        "output": encode(names["mass"](birds)),
        "origin": "cell mass-2",
    }
    capture = RootCapture(
        name="mass",
        kind="function",
        module="module.py",
        module_digest=digest_text(FRAME_MODULE),
        state=(),
        requirements={"pandas": f"pandas=={pd.__version__}"},
        python_version=platform.python_version(),
        signature=signature_of([case], parameters=["birds"]),
        golden_cases=1,
        golden_rows=3,
        golden="golden.jsonl",
        golden_digest=digest_text(json.dumps(case) + "\n"),
    )
    folder.mkdir(parents=True)
    (folder / "module.py").write_text(FRAME_MODULE, "utf-8")
    (folder / "golden.jsonl").write_text(json.dumps(case) + "\n", "utf-8")
    text = json.dumps(to_json(capture), indent=1) + "\n"
    (folder / "capture.json").write_text(text, "utf-8")
    return folder


def write_capture(  # noqa: PLR0913  # the parts of a capture
    folder: Path,
    *,
    module: str = FARE_MODULE,
    cases: int = 24,
    requirements: dict[str, str] | None = None,
    rates: dict | None = None,
    recorded: list[dict] | None = None,
    signature: Signature | None = None,
    name: str = "fare",
) -> Path:
    """Write the capture of ``fare`` into a folder and return that folder."""
    (folder / "state").mkdir(parents=True)
    rates = json.dumps(rates or RATES).encode()
    recorded = recorded or fare_cases(cases)
    golden = "".join(json.dumps(case) + "\n" for case in recorded)
    (folder / "module.py").write_text(module, "utf-8")
    (folder / "golden.jsonl").write_text(golden, "utf-8")
    (folder / "state" / "RATES.json").write_bytes(rates)
    capture = RootCapture(
        name=name,
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
        requirements=requirements or {},
        python_version=platform.python_version(),
        signature=signature or FARE_SIGNATURE,
        golden_cases=len(recorded),
        golden_rows=len(recorded),
        golden="golden.jsonl",
        golden_digest=digest_text(golden),
        source_map={"9": {"cell_id": "fare-4", "execution_count": 4, "line": 1}},
        remarks=("written by hand for the tests",),
    )
    text = json.dumps(to_json(capture), indent=1) + "\n"
    (folder / "capture.json").write_text(text, "utf-8")
    return folder

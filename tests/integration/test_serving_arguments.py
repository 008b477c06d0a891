"""Arguments that have parts: series by their dates, lists, tuples and objects, over both routes."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from nbship.release.json_schema import input_schema
from nbship.workflow.bundle_files import read_capture
from support.executed import ExecutedNotebook
from support.serving import served, site_of

pytestmark = pytest.mark.xdist_group("serving-arguments")
CELL = """
import pandas as pd
days = pd.date_range("2026-01-01", periods=30, freq="D")
sales = pd.Series([float(n % 7) for n in range(30)], index=days, name="rolls")

def outlook(history, extras=(), weights=None, shop={"name": "x", "size": 1}):
    mean = float(history.tail(7).mean()) + len(extras)
    for weight in weights or []:
        mean *= weight
    day = history.index[-1] + pd.Timedelta(days=1)
    return {
        "day": day.date().isoformat(),
        "rolls": mean * shop["size"],
        "known": history.name == "rolls" and history.index.freq is not None,
        "kind": type(extras).__name__,
    }
"""
CALLS = """
for n in range(7, 30):
    outlook(sales[:n], ("sun",), [1.0, 2.5], {"name": "Husum", "size": n})
outlook(sales, ("rain", "fair"))
"""
HISTORY = {"2026-02-01": 3.0, "2026-02-02": 5.0}
ASKED = {
    "history": HISTORY,
    "extras": ["sun"],
    "weights": [1, 0.5],
    "shop": {"name": "Kiel", "size": 2},
}
ANSWER = {"day": "2026-02-03", "rolls": 5.0, "known": True, "kind": "tuple"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("outlook")
    notebook = ExecutedNotebook(CELL, CALLS, roots=("outlook",))
    notebook.capture(folder / "capture", "outlook")
    return folder


@pytest.fixture(scope="module")
def server(folder):
    site = site_of(folder, "served_outlook", folder / "capture")
    with served(site, "served_outlook") as server:
        yield server


def _asked(server, **changes):
    given = {k: v for k, v in (ASKED | changes).items() if v is not ...}
    answer = server.client.post("/predict", json={"instances": [given]})
    return answer.status_code, answer.json()


def test_a_series_by_dates_a_tuple_a_list_and_an_object_are_taken(server):
    assert _asked(server) == (
        200,
        {"predictions": [ANSWER], "model_version": "1.0.0"},
    )


def test_dates_with_gaps_are_taken_and_have_no_frequency(server):
    status, answer = _asked(server, history={"2026-02-01": 3.0, "2026-02-09": 5.0})

    assert status == 200
    assert answer["predictions"] == [{**ANSWER, "day": "2026-02-10", "known": False}]


@pytest.mark.parametrize(
    ("changes", "field", "message"),
    [
        ({"history": [3.0, 5.0]}, "history", "each value by its label"),
        ({"history": {"soon": 1.0}}, "history.soon", "a date in ISO 8601"),
        ({"history": {"2026-02-01": "x"}}, "history.2026-02-01", "float64"),
        ({"history": {"2026-02-01": None}}, "history.2026-02-01", "null"),
        ({"extras": "sun"}, "extras", "a list of string"),
        ({"extras": ["sun", 3]}, "extras[1]", "string"),
        ({"weights": ["heavy"]}, "weights[0]", "float64"),
        ({"shop": {"name": "Kiel"}}, "shop.size", "missing"),
        ({"shop": {"name": "Kiel", "size": "big"}}, "shop.size", "int64"),
        ({"shop": 3}, "shop", "an object by name"),
    ],
)
def test_a_wrong_part_is_named(server, changes, field, message):
    status, answer = _asked(server, **changes)

    assert status == 422, answer
    assert answer["field"] == f"instances[0].{field}"
    assert message in answer["error"]


def test_the_protocol_takes_parts_as_json(server):
    tensors = [
        {"name": name, "datatype": "BYTES", "shape": [1], "data": [json.dumps(value)]}
        for name, value in ASKED.items()
    ]
    metadata = server.client.get("/v2/models/served_outlook").json()

    answer = server.client.post(
        "/v2/models/served_outlook/infer", json={"inputs": tensors}
    )

    assert {one["datatype"] for one in metadata["inputs"]} == {"BYTES"}
    assert answer.status_code == 200, answer.text
    found = {one["name"]: one["data"] for one in answer.json()["outputs"]}
    assert found == {name: [value] for name, value in ANSWER.items()}


@pytest.mark.parametrize("by_position", [False, True])
def test_a_file_of_calls_gets_the_same_answer(folder, server, by_position):
    given = list(ASKED.values()) if by_position else ASKED
    asked = folder / "asked.jsonl"
    asked.write_text(json.dumps(given) + "\n")
    done = subprocess.run(
        [sys.executable, "-m", "served_outlook", "predict", str(asked)],
        env={**os.environ, "PYTHONPATH": str(folder / "site")},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == ANSWER


def test_the_schema_asks_for_values_by_date(folder):
    signature = read_capture(folder / "capture").signature
    schema = input_schema(signature)["properties"]["history"]

    assert schema["type"] == "object"
    assert schema["additionalProperties"]["type"] == "number"

"""Wrong input of an exported package: every mistake at once, by its path."""

from __future__ import annotations

import json
import pickle

import pandas as pd
import pytest

from support.captures import write_capture, write_frame_capture
from support.executed import ExecutedNotebook
from support.packages import Package

ROW = {"flipper_mm": 200.0, "count": 2, "island": "Dream", "sex": "male"}
FRAMES = """
import numpy as np
import pandas as pd


def predict(table, *, scale: float = 1.0, note=None):
    return table["a"] * scale
"""
NESTED = """
import datetime as dt
import nbship


@nbship.golden(
    units={"km": "km"},
    ranges={"km": (0, 500), "weight": (None, 30.5)},
    categories={"tier": ("basic", "gold")},
    nulls=["tier"],
)
def quote(parcel, stops, day, *, express=False, weight=1.0):
    price = parcel["km"] * 0.5 + weight + len(stops) + day.day
    return {"price": price * (2 if express else 1), "tier": parcel["tier"]}


for i in range(24):
    quote(
        {"km": i + 0.5, "tier": "gold" if i % 2 else "basic", "zip": i},
        ["A", "B"] * (i % 3 + 1),
        dt.date(2026, 1, i + 1),
        weight=i + 1.5,
    )
"""


@pytest.fixture(scope="module")
def fares(tmp_path_factory):
    folder = tmp_path_factory.mktemp("fares")
    return Package(folder, "problem_fares", write_capture(folder / "capture"))


@pytest.fixture(scope="module")
def masses(tmp_path_factory):
    folder = tmp_path_factory.mktemp("masses")
    return Package(folder, "problem_masses", write_frame_capture(folder / "capture"))


@pytest.fixture(scope="module")
def quotes(tmp_path_factory):
    folder = tmp_path_factory.mktemp("quotes")
    ExecutedNotebook(NESTED, roots=("quote",)).capture(folder / "capture", "quote")
    return Package(folder, "problem_quotes", folder / "capture")


def refused(package, rows, **options):
    inputs = package.part("inputs._inputs")
    with pytest.raises(package.part("inputs._problems").InputError) as caught:
        inputs.table_of(rows, **options)
    return [(p.path, p.code, p.found, p.expected) for p in caught.value.problems]


def refused_call(package, given, **options):
    with pytest.raises(package.part("inputs._problems").InputError) as caught:
        package.part("inputs._inputs").call_of(given, **options)
    return [(p.path, p.code, p.found, p.expected) for p in caught.value.problems]


def test_every_wrong_field_of_every_row_is_named_at_once(masses):
    rows = [
        ROW,
        {**ROW, "flipper_mm": "far", "count": 2.5, "island": "Mars"},
        {"flipper_mm": 1.0, "count": None, "sex": 3, "year": 2026},
        [1, 2],
    ]

    assert refused(masses, rows) == [
        ("[1].flipper_mm", "wrong_type", "'far'", "float64"),
        ("[1].count", "wrong_type", "2.5", "int64"),
        ("[1].island", "unknown_category", "'Mars'", "'Biscoe', 'Dream'"),
        ("[2].count", "null", "", "int64"),
        ("[2].island", "missing", "", "category"),
        ("[2].sex", "wrong_type", "3", "string"),
        ("[2].year", "extra", "", "'flipper_mm', 'count', 'island', 'sex'"),
        ("[3]", "wrong_type", "[1, 2]", "an object by name"),
    ]


def test_what_fits_has_the_dtypes_of_the_notebook_and_ranges_are_told(masses):
    table, told = masses.part("inputs._inputs").table_of(
        [ROW, {**ROW, "flipper_mm": 999, "island": None, "more": 1}], allows_extra=True
    )

    assert {name: str(kind) for name, kind in table.dtypes.items()} == {
        "flipper_mm": "float64",
        "count": "int64",
        "island": "category",
        "sex": str(pd.Series(["a"]).dtype),
    }
    assert [(w.path, w.code) for w in told] == [
        ("[1].flipper_mm", "out_of_range"),
        ("[1].more", "extra"),
    ]
    assert "999.0 is outside of the range seen, 181 to 210.5" in told[0].message


def test_a_server_gets_the_list_as_json(masses):
    error = masses.part("inputs._problems").InputError
    with pytest.raises(error) as caught:
        masses.part("inputs._inputs").table_of([{**ROW, "count": True}])

    body = json.loads(json.dumps(caught.value.as_json()))

    assert body == {
        "error": "the input does not fit the signature",
        "problems": [
            {
                "path": "[0].count",
                "code": "wrong_type",
                "found": "True",
                "expected": "int64",
                "place": "",
                "message": "[0].count: True where int64 was expected",
            }
        ],
        "more": 0,
    }
    again = pickle.loads(pickle.dumps(caught.value))
    assert again.problems == caught.value.problems


def test_many_problems_are_counted(masses):
    error = masses.part("inputs._problems").InputError
    with pytest.raises(error) as caught:
        masses.part("inputs._inputs").table_of([{**ROW, "count": "x"}] * 60)

    assert len(caught.value.problems) == 60
    assert len(caught.value.as_json()["problems"]) == 50
    assert caught.value.as_json()["more"] == 10
    assert str(caught.value).endswith("and 10 more")


def test_the_present_names_still_work(fares, masses):
    batch = fares.part("batch._batch")

    assert batch.InputError is fares.part("inputs._problems").InputError
    assert issubclass(batch.InputError, ValueError)
    frame, remarks = masses.part("batch._batch").frame_of([(1, {**ROW, "id": 7})])
    assert list(frame.columns) == list(ROW)
    assert remarks == ["not used: id"]


def test_arguments_are_checked_by_name_and_by_position(fares):
    assert refused_call(fares, {"zone": 3, "miles": 1}) == [
        ("zone", "unknown_category", "3", "'A', 'B'"),
        ("km", "missing", "", "float64"),
        ("miles", "extra", "", "'zone', 'km'"),
    ]
    assert refused_call(fares, ["A", "far", 1], prefix="[4]") == [
        ("[4].km", "wrong_type", "'far'", "float64"),
        ("[4][2]", "extra", "", "'zone', 'km'"),
    ]
    assert refused_call(fares, ["A", {"$float": "nan"}]) == [
        ("km", "null", "", "float64")
    ]
    assert refused_call(fares, ["A", {"$decimal": []}]) == [
        ("km", "wrong_type", "{'$decimal': []}", "float64")
    ]


def test_nested_arguments_are_described_checked_and_converted(quotes):
    inputs = quotes.part("inputs._inputs")
    parcel = {"km": 12, "tier": None, "zip": 3}

    args, named, told = inputs.call_of(
        {"parcel": parcel, "stops": ["A"], "day": "2026-05-04", "weight": 30}
    )

    assert not args
    assert not told
    assert named["day"].isoformat() == "2026-05-04"
    assert type(named["parcel"]["km"]) is float
    assert refused_call(
        quotes,
        {
            "parcel": {"km": 501.0, "tier": "silver", "zip": "x", "city": "Oslo"},
            "stops": ["A", 2],
            "day": "tomorrow",
            "weight": 31.0,
        },
    ) == [
        ("parcel.km", "out_of_range", "501.0", "the range declared, 0 to 500"),
        ("parcel.tier", "unknown_category", "'silver'", "'basic', 'gold'"),
        ("parcel.zip", "wrong_type", "'x'", "int64"),
        ("parcel.city", "extra", "", "'km', 'tier', 'zip'"),
        ("stops[1]", "wrong_type", "2", "string"),
        ("day", "wrong_type", "'tomorrow'", "a date in ISO 8601"),
        ("weight", "out_of_range", "31.0", "the range declared, up to 30.5"),
    ]


def test_wrong_files_name_every_line(quotes, tmp_path, capsys):
    lines = tmp_path / "calls.jsonl"
    good = {"km": 1.0, "tier": "gold", "zip": 1}
    calls = [
        {"parcel": good, "stops": [], "day": "2026-05-04"},
        {"parcel": {**good, "km": -1.0}, "stops": [], "day": "2026-05-04"},
        {"parcel": good, "day": 3},
    ]
    lines.write_text("".join(json.dumps(call) + "\n" for call in calls))

    assert quotes.main(["predict", str(lines)]) == 2

    said = capsys.readouterr().err
    assert "line 2, argument 'parcel.km': -1.0 is outside of the range declared" in said
    assert "line 3, argument 'stops': missing where a list of string" in said
    assert "line 3, argument 'day': 3 where a date in ISO 8601 was expected" in said


def test_what_predict_itself_refuses_is_a_problem_too(fares, tmp_path, capsys):
    module = fares.part("batch._batch")
    with pytest.raises(module.InputError) as caught:
        module._call_line(lambda **_: 1 / 0, 3, [], {})

    assert [p.code for p in caught.value.problems] == ["refused"]
    assert "line 3: predict refused it: ZeroDivisionError" in str(caught.value)


def test_a_server_may_ask_for_all_mistakes_of_a_request(fares, masses):
    refusal = masses.part("inputs._inputs").refusal_of(
        [ROW, {**ROW, "count": "x", "sex": 1}]
    )
    call = fares.part("inputs._inputs").refusal_of(
        [{"zone": "A", "km": 1}, {"zone": "C"}]
    )

    assert [p.path for p in refusal.problems] == [
        "instances[1].count",
        "instances[1].sex",
    ]
    assert [(p.path, p.code) for p in call.problems] == [
        ("instances[1].zone", "unknown_category"),
        ("instances[1].km", "missing"),
    ]
    assert masses.part("inputs._inputs").refusal_of([ROW]) is None
    assert "a list was expected" in str(fares.part("inputs._inputs").refusal_of(3))

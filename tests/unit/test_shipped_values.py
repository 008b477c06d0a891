"""``templates/package/_values.py``: what golden cases are written and compared with."""

from __future__ import annotations

import collections
import dataclasses
import datetime as dt
import decimal
import json

import numpy as np
import pandas as pd
import pytest

from nbship.resources import shipped_module

values = shipped_module("_values")
encode, decode, compare = values.encode, values.decode, values.compare


def through_json(value):
    return json.loads(json.dumps(encode(value)))


@dataclasses.dataclass
class Score:
    label: str
    p: float


Point = collections.namedtuple("Point", "x y")  # noqa: PYI024

VALUES = {
    "none": None,
    "bool": True,
    "int": 12345678901234567890,
    "str": "ä€\n",
    "float": 0.1,
    "nan": float("nan"),
    "inf": float("-inf"),
    "complex": complex(1, float("nan")),
    "bytes": b"\x00\xff",
    "bytearray": bytearray(b"ab"),
    "decimal": decimal.Decimal("1.10"),
    "date": dt.date(2026, 1, 2),
    "time": dt.time(1, 2, 3),
    "datetime": dt.datetime(2026, 1, 2, 3, 4, 5, 6, dt.UTC),
    "timedelta": dt.timedelta(days=-1, microseconds=3),
    "list": [1, [2.5, None]],
    "tuple": (1, ("a",)),
    "set": {3, 1, 2},
    "frozenset": frozenset({"a"}),
    "dict": {"a": 1, "b": {"c": (1,)}},
    "dict of ints": {1: "a", None: 2, (1, 2): 3},
    "dict with a dollar": {"$tuple": [1]},
    "scalar": np.float32(0.1),
    "int scalar": np.int64(3),
    "bool scalar": np.bool_(1),
    "str scalar": np.str_("x"),
    "datetime scalar": np.datetime64("2026-01-02T03", "ns"),
    "array": np.array([[1.5, np.nan], [np.inf, -0.0]]),
    "float32 array": np.array([0.1, 0.2], dtype="float32"),
    "empty array": np.empty((0, 3)),
    "0-d array": np.array(3),
    "str array": np.array(["a", "bcd"]),
    "object array": np.array(["a", None, 1.5, (1, 2)], dtype=object),
    "bool array": np.array([True, False]),
    "bytes array": np.array([b"a", b"bc"]),
    "complex array": np.array([1 + 2j]),
    "datetime array": np.array(["2026-01-01", "NaT"], dtype="datetime64[D]"),
    "timestamp": pd.Timestamp("2026-01-02 03:04:05.123456789", tz="Europe/Berlin"),
    "pandas timedelta": pd.Timedelta("1 days 00:00:00.000000005"),
    "NaT": pd.NaT,
    "NA": pd.NA,
    "frame": pd.DataFrame(
        {
            "i": [1, 2, 3],
            "f": [0.1, np.nan, np.inf],
            "s": ["a", None, "c"],
            "b": [True, False, True],
            "c": pd.Categorical(["x", None, "y"], categories=["y", "x", "z"]),
            "o": pd.Categorical([1, 2, 1], ordered=True),
            "t": pd.to_datetime(["2026-01-01", None, "2026-01-03"]),
            "z": pd.to_datetime(["2026-01-01", None, "2026-01-03"]).tz_localize("UTC"),
            "d": pd.to_timedelta(["1 days", None, "3 days"]),
            "n": pd.array([1, None, 3], dtype="Int64"),
            "m": pd.array([True, None, False], dtype="boolean"),
            "g": pd.array([1.5, None, 2.5], dtype="Float64"),
            "x": pd.Series([1, "a", None], dtype=object),
            "q": pd.array([1, 2, 3], dtype="int8"),
            "u": pd.array(["a", None, "b"], dtype="string"),
        }
    ),
    "frame with labels": pd.DataFrame(
        {"a": [1, 2]}, index=pd.Index(["r", "s"], name="key")
    ),
    "frame with dates": pd.DataFrame(
        {"a": [1, 2]}, index=pd.date_range("2026-01-01", periods=2, freq="D")
    ),
    "frame of an array": pd.DataFrame(np.eye(2)),
    "frame with levels": pd.DataFrame(
        {("a", "b"): [1], ("a", "c"): [2]},
        index=pd.MultiIndex.from_tuples([("x", 1)], names=["k", "l"]),
    ),
    "rows of a frame": pd.DataFrame({"a": [1, 2, 3]}).iloc[1:],
    "picked rows": pd.DataFrame({"a": [1, 2, 3]}).iloc[[2, 0]],
    "empty frame": pd.DataFrame({"a": pd.Series([], dtype="float64")}),
    "frame without columns": pd.DataFrame(index=pd.RangeIndex(3)),
    "series": pd.Series([1.5, np.nan], name="y"),
    "series of categories": pd.Series(["a", "b"], dtype="category"),
    "index": pd.Index(["a", "b"], name="n"),
    "plain index": pd.RangeIndex(3),
    "categorical": pd.Categorical(["a", None, "b"]),
    "nested": {"proba": np.array([0.1, 0.9]), "label": "a"},
}


@pytest.mark.parametrize("name", VALUES)
def test_a_value_comes_back_as_it_was(name):
    value = VALUES[name]

    back = decode(through_json(value))

    assert type(back) is type(value)
    assert compare(through_json(value), back) == []
    if isinstance(value, pd.DataFrame):
        pd.testing.assert_frame_equal(value, back)
    elif isinstance(value, pd.Series):
        pd.testing.assert_series_equal(value, back)
    elif isinstance(value, np.ndarray):
        np.testing.assert_array_equal(value, back, strict=True)


@pytest.mark.parametrize("value", [Score("a", 0.5), Point(1, 2.0)])
def test_records_of_the_author_compare_by_their_fields(value):
    recorded = through_json(value)

    assert compare(recorded, value) == []
    with pytest.raises(values.UnsupportedValueError, match="cannot be rebuilt"):
        decode(recorded)


def test_a_value_of_a_foreign_type_is_refused_with_its_path():
    with pytest.raises(values.UnsupportedValueError, match=r"\['a'\]\[1\].*object"):
        encode({"a": [1, object()]})


FRAME = pd.DataFrame({"p": [0.25, 0.5], "label": ["a", "b"]})
DIFFERENCES = [
    (1, 2, "2 where 1 was recorded"),
    (1, 1.0, "1.0 where 1 was recorded"),
    (1, True, "True where 1 was recorded"),
    ("a", "b", "'b' where 'a' was recorded"),
    (0.5, float("nan"), "nan where 0.5 was recorded"),
    ((1, 2), [1, 2], "[1, 2] where {'$tuple': [1, 2]} was recorded"),
    ([1, 2], [1], "1 items where 2 were recorded"),
    ({"a": 1}, {"a": 2}, "['a']: 2 where 1 was recorded"),
    ({"a": 1}, {"b": 1}, "keys ['b'] where ['a'] were recorded"),
    (np.float64(1), np.float32(1), "dtype <f4 where <f8 was recorded"),
    (np.array([1, 2]), np.array([1, 3]), "row 1: 3 where 2 was recorded"),
    (np.eye(2), np.ones((2, 2)), "row 0, column 1: 1.0 where 0.0 was recorded"),
    (np.zeros(2), np.zeros(3), "shape [3] where [2] was recorded"),
    (np.zeros(2), np.zeros(2, int), "dtype '<i8' where '<f8' was recorded"),
    (FRAME, FRAME.assign(p=0.25), "row 1, column 'p': 0.25 where 0.5 was recorded"),
    (FRAME, FRAME.assign(label="a"), "row 1, column 'label': 'a' where 'b' was"),
    (FRAME, FRAME[["label", "p"]], "columns ['label', 'p'] where"),
    (FRAME, FRAME.iloc[:1], "column 'p': 1 rows where 2 were recorded"),
    (FRAME, FRAME.set_index([[5, 6]]), "index: "),
    (FRAME["p"], FRAME["p"].rename("q"), "name 'q' where 'p' was recorded"),
    (FRAME["p"], FRAME["p"].astype("float32"), "dtype 'float32' where 'float64'"),
    (Score("a", 0.5), Score("a", 0.6), ".p: 0.6 where 0.5 was recorded"),
    (1, object(), "a builtins.object where 1 was recorded"),
]


@pytest.mark.parametrize(("recorded", "found", "text"), DIFFERENCES)
def test_a_difference_is_named_with_its_place(recorded, found, text):
    differences = compare(through_json(recorded), found)

    assert text in differences[0]


def test_floats_agree_within_the_tolerance_and_not_beyond():
    assert compare(1.0, 1.0 + 1e-10) == []
    assert compare(1.0, 1.0 + 1e-8) == ["1.00000001 where 1.0 was recorded"]
    assert compare(1.0, 1.0 + 1e-8, rtol=1e-7) == []


def test_many_differences_are_counted():
    differences = compare(through_json(np.zeros(50)), np.ones(50))

    assert len(differences) == 21
    assert differences[-1] == "and 30 more differences"

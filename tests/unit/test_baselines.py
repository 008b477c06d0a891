"""Profiles of columns, and the baseline made of golden cases."""

import json
import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nbship.monitor.baselines import baseline_of
from nbship.monitor.profiles import (
    category_profile,
    distance,
    number_profile,
    stability_index,
)
from nbship.records.release import Column, Signature
from nbship.release.golden_columns import golden_columns
from nbship.release.signature import signature_of
from nbship.resources import shipped_module

NUMBERS = st.one_of(st.none(), st.floats(width=32), st.integers(-1000, 1000))


@settings(max_examples=50, deadline=None)
@given(st.lists(NUMBERS))
def test_every_number_is_counted_once_and_the_profile_is_plain_json(values):
    profile = number_profile(values)

    assert profile["count"] + profile["missing"] == len(values)
    assert sum(profile.get("counts", ())) == profile["count"]
    assert json.loads(json.dumps(profile, allow_nan=False)) == profile


@settings(max_examples=50, deadline=None)
@given(st.lists(st.one_of(st.none(), st.text(max_size=2), st.booleans())))
def test_every_category_is_counted_once(values):
    profile = category_profile(values)

    counted = sum(profile["counts"].values()) + profile["other"] + profile["missing"]
    assert counted == len(values)
    assert len(profile["counts"]) <= 50


def test_bins_hold_equal_shares_and_quantiles_are_values_of_the_data():
    data = np.random.default_rng(1).normal(size=2000)

    profile = number_profile(data.tolist())

    assert len(profile["counts"]) == 20
    assert max(profile["counts"]) - min(profile["counts"]) <= 2
    assert len(profile["quantiles"]) == 257
    assert profile["quantiles"][0] == data.min()
    assert profile["quantiles"][-1] == data.max()
    assert set(profile["quantiles"]) <= set(data.tolist())


def test_an_index_of_stability_is_zero_for_equal_shares_and_grows_with_the_shift():
    drawn = np.random.default_rng(2)
    data = drawn.normal(size=4000)
    profile = number_profile(data.tolist())
    counts = np.append(profile["counts"], profile["missing"])
    edges = np.asarray(profile["edges"])

    def of(values):
        places = np.searchsorted(edges, values, side="right")
        window = np.append(np.bincount(places, minlength=20), 0)
        return (
            stability_index(counts, window),
            distance(counts, window, is_ordered=True),
        )

    same, shifted = of(drawn.normal(size=4000)), of(drawn.normal(size=4000) + 0.5)

    assert stability_index(counts, counts) == 0
    for measured, moved, key in zip(same, shifted, ("psi", "distance"), strict=True):
        assert measured < 2 * profile["no_drift"][key] < moved


def test_windows_without_drift_stay_below_what_the_baseline_says():
    drawn = np.random.default_rng(3)
    profile = category_profile(drawn.choice(["a", "b", "c"], size=900).tolist())
    counts = np.asarray([*profile["counts"].values(), 0, 0])

    above = sum(
        stability_index(counts, drawn.multinomial(900, counts / 900))
        > profile["no_drift"]["psi"]
        for _ in range(500)
    )

    assert above <= 25


def test_infinities_and_missing_values_have_their_places():
    profile = number_profile([1.0, 2.0, math.inf, -math.inf, None, math.nan])

    assert (profile["count"], profile["missing"]) == (4, 2)
    assert profile["quantiles"][0] is None
    assert (profile["mean"], sum(profile["counts"])) == (1.5, 4)


def _cases(*inputs, output=1.0):
    encode = shipped_module("_values").encode
    return [
        {"args": [encode(value)], "kwargs": {}, "output": output, "case": i}
        for i, value in enumerate(inputs, 1)
    ]


@pytest.mark.parametrize(
    ("value", "columns"),
    [
        (
            pd.DataFrame({"a": [1.0, None], "b": pd.Categorical(["x", None])}),
            {"a": [1.0, None], "b": ["x", None]},
        ),
        (np.array([[1, 2], [3, 4]]), {"x[0]": [1, 3], "x[1]": [2, 4]}),
        (np.array([1.5, np.nan]), {"x": [1.5, None]}),
        (True, {"x": [True]}),
        (np.float32(0.5), {"x": [0.5]}),
        ([1.0, 2.0], {"x": [1.0, 2.0]}),
        ({"nested": [1]}, {}),
        ({"nested": 1}, {}),
    ],
)
def test_golden_cases_become_columns(value, columns):
    cases = _cases(value)
    signature = signature_of(cases, parameters=["x"])

    inputs, outputs = golden_columns(cases, signature)

    assert inputs == columns
    assert outputs == {"output": [1.0]}


def test_a_baseline_says_what_it_does_not_profile():
    signature = Signature(
        inputs=(
            Column(name="x", dtype="float64", shape=(2,)),
            Column(name="when", dtype="datetime64"),
        ),
        outputs=(),
        input_form="array",
    )

    baseline = baseline_of(
        signature,
        inputs={"x[0]": [1.0] * 300, "x[1]": [2.0] * 300},
        outputs={},
        source="golden cases",
    )

    assert sorted(baseline.inputs) == ["x[0]", "x[1]"]
    assert baseline.remarks == (
        "inputs: when is not profiled: no column of numbers, categories or texts",
    )

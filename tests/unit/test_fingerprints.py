"""Digests of live values: the same for the same value, another one after a change inside."""

from __future__ import annotations

import copy
import random
import subprocess
import sys
import threading

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.ensemble import RandomForestClassifier
from sklearn.neighbors import KNeighborsClassifier

from nbship.resources import shipped_module, template_folder

digest_of = shipped_module("parity._fingerprint").digest_of
PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.tuples(inner, inner)
        | st.dictionaries(st.text(max_size=3), inner, max_size=4)
        | st.frozensets(st.integers(), max_size=4)
    ),
    max_leaves=12,
)


class Counter:
    def __init__(self):
        self.count = 0
        self.inner = {"rows": [1, 2]}


@settings(max_examples=100, deadline=None)
@given(PLAIN)
def test_a_value_has_one_digest(value):
    assert digest_of(value) == digest_of(value) != ""


@settings(max_examples=100, deadline=None)
@given(st.lists(PLAIN, min_size=1, max_size=4), PLAIN)
def test_a_list_that_was_changed_has_another_digest(values, more):
    before = digest_of(values)

    values.append(more)

    assert digest_of(values) != before


def test_arrays_frames_and_objects_are_looked_into():
    for value, change in (
        (np.arange(4.0), lambda v: v.__setitem__(2, 9.5)),
        (np.array(["a", None], dtype=object), lambda v: v.__setitem__(1, "b")),
        (pd.DataFrame({"a": [1, 2]}), lambda v: v.__setitem__("a", [1, 3])),
        (pd.Series(["a", "b"]), lambda v: v.__setitem__(0, "c")),
        (Counter(), lambda v: v.inner["rows"].append(3)),
        (random.Random(3), lambda v: v.random()),  # noqa: S311
        (np.random.default_rng(3), lambda v: v.normal()),
        ({1, 2}, lambda v: v.add(3)),
    ):
        before = digest_of(value)
        assert digest_of(copy.deepcopy(value)) == before, type(value)
        change(value)
        assert digest_of(value) != before, type(value)


def test_functions_count_with_what_they_hold():
    def make(n, extra=[]):  # noqa: B006
        def inner():
            return n, extra

        return inner

    one = make(1)
    before = digest_of(make), digest_of(one)

    one()[1].append(3)

    assert digest_of(make) != before[0]
    assert digest_of(one) != before[1]
    assert digest_of(make(1)) != digest_of(make(2))


def test_circles_and_handles_end():
    value = Counter()
    value.inner["self"] = value
    value.lock = threading.Lock()

    assert digest_of(value) == digest_of(value) != ""


def test_what_is_too_large_has_no_digest():
    assert digest_of(list(range(100)), max_nodes=50) == ""
    deep = []
    for _ in range(100_000):
        deep = [deep]
    assert digest_of(deep) == ""


@pytest.mark.parametrize(
    "model", [RandomForestClassifier(5, random_state=1), KNeighborsClassifier()]
)
def test_a_fitted_model_is_the_same_after_it_answered(model):
    rows = np.arange(40.0).reshape(20, 2)
    model.fit(rows, [0, 1] * 10)
    before = digest_of(model)

    model.predict(rows)
    assert digest_of(model) == before != ""
    model.n_jobs = 1
    assert digest_of(model) != before


@pytest.mark.parametrize("expression", ["{f'w{i}' for i in range(50)}", "{'a': {1.5}}"])
def test_a_digest_is_the_same_in_every_process(expression):
    code = (
        f"import sys; sys.path.insert(0, {str(template_folder('package') / 'parity')!r})\n"
        "from _fingerprint import digest_of\n"
        f"print(digest_of({expression}))"
    )
    found = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={"PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }

    assert len(found) == 1
    assert found != {"\n"}

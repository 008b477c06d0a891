"""What a notebook's source declares."""

from __future__ import annotations

from datetime import date
from enum import Enum
from pathlib import Path

import pytest

from nbship.capture.declared import (
    assigned_names,
    declared_experiment,
    json_value,
    values_in,
)


class Kind(Enum):
    RIDGE = "ridge"


@pytest.mark.parametrize(
    ("sources", "name"),
    [
        (["x = 1", "%load_ext nbship\n%mlops start tariffs"], "tariffs"),
        (["%mlops start 'two words'"], "two words"),
        (["  %mlops  start a\n%mlops start b"], "a"),
        (["# %mlops start no", "%mlops start"], None),
        (["%mlops start --json"], None),
        ([], None),
    ],
)
def test_the_first_start_line_names_the_experiment(sources, name):
    assert declared_experiment(sources) == name


def test_names_of_a_cell_are_those_its_own_statements_set():
    source = "a: int = 1\nb = c = 2\nimport os\nx.y = 3\nif True:\n    d = 4\na = 5"
    assert assigned_names(source) == ("a", "b", "c")


def test_a_cell_that_is_no_python_sets_nothing():
    assert assigned_names("def (") == ()


def test_values_of_every_kind_become_json():
    names = {
        "path": Path("a") / "b",
        "day": date(2026, 1, 2),
        "kind": Kind.RIDGE,
        "both": (1, {"x": None}),
        "thing": object,
        "_private": 1,
    }
    assert values_in(names, [*names, "missing"]) == {
        "path": "a/b",
        "day": "2026-01-02",
        "kind": "ridge",
        "both": [1, {"x": None}],
        "thing": "<class 'object'>",
    }


def test_scalars_of_numpy_become_numbers():
    numpy = pytest.importorskip("numpy")
    assert json_value(numpy.int64(3)) == 3
    assert json_value(numpy.array([1])) == "array([1])"

"""``%mlops log`` takes Python on its right sides, as one writes it."""

from __future__ import annotations

import pytest

from nbship.capture.numbers import numbers_of
from nbship.errors import UsageError
from nbship.verbs.expressions import assignments, evaluated, split_magic


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("log loss=0.3 --step 2", ["log", "loss=0.3", "--step", "2"]),
        ("log acc=model.score(X, y)", ["log", "acc=model.score(X, y)"]),
        ("log a=d['x y'] b=[1, 2][0]", ["log", "a=d['x y']", "b=[1, 2][0]"]),
        ("log t=1 --unit 'ms per cell'", ["log", "t=1", "--unit", "ms per cell"]),
        ("log val/loss=1", ["log", "val/loss=1"]),
        ("tag owner='Ada L'", ["tag", "owner=Ada L"]),
        ("", []),
    ],
)
def test_a_line_is_split_as_its_verb_asks(line, words):
    assert split_magic(line) == words


def test_expressions_see_the_notebooks_names():
    texts = assignments(["a=x + 1", "b=sum(i for i in [x])"], verb="log")
    assert evaluated(texts, {"x": 2}) == {"a": 3, "b": 2}


def test_in_a_shell_only_literals_count():
    with pytest.raises(UsageError, match="a=x"):
        evaluated({"a": "x"}, None)


def test_every_failing_expression_is_named():
    with pytest.raises(UsageError) as caught:
        evaluated({"a": "nope", "b": "1/0", "c": "1"}, {})
    assert "a=nope: NameError" in caught.value.message
    assert "b=1/0: ZeroDivisionError" in caught.value.message


def test_words_that_assign_nothing_are_named_together():
    with pytest.raises(UsageError, match="'loss', '=3'"):
        assignments(["loss", "=3", "a=1"], verb="log")


def test_scalars_of_every_kind_become_floats():
    numpy = pytest.importorskip("numpy")
    numbers = numbers_of({"a": True, "b": numpy.float32(0.5), "c": numpy.array(2)})
    assert numbers == {"a": 1.0, "b": 0.5, "c": 2.0}


def test_values_that_are_no_numbers_are_named_together():
    with pytest.raises(UsageError) as caught:
        numbers_of({"a": "0.3", "b": None, "c": 1})
    assert "'a' is '0.3' (str)" in caught.value.message
    assert "'b' is None" in caught.value.message


def test_a_direction_is_one_of_two_words():
    with pytest.raises(UsageError, match="maximize or minimize"):
        numbers_of({"a": 1}, direction="up")

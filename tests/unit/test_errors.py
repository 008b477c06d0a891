"""Errors say where, what and what to do, in every place they are shown."""

import inspect
import pickle

import pytest

from nbship import errors
from nbship.errors import NbshipError, UnknownParameterError

KINDS = [
    kind
    for _, kind in inspect.getmembers(errors, inspect.isclass)
    if issubclass(kind, NbshipError)
]


@pytest.mark.parametrize("kind", KINDS)
def test_an_error_crosses_a_process_with_message_and_hint(kind):
    error = kind("train.ipynb: no 'lr'", hint="Declare it.")
    error.cell_id = "c1"

    back = pickle.loads(pickle.dumps(error))

    assert type(back) is kind
    assert (back.message, back.hint, back.cell_id) == (error.message, error.hint, "c1")


def test_a_notebook_shows_two_lines():
    error = UnknownParameterError("train.ipynb: no 'lr'", hint="Did you mean 'rate'?")

    assert error._render_traceback_() == [
        "UnknownParameterError: train.ipynb: no 'lr'",
        "hint: Did you mean 'rate'?",
    ]


def test_text_is_message_and_hint():
    assert str(NbshipError("a", hint="b")) == "a\nhint: b"
    assert str(NbshipError("a")) == "a"


@pytest.mark.parametrize("kind", KINDS)
def test_the_module_draws_every_error_in_its_tree(kind):
    assert kind.__name__ in errors.__doc__

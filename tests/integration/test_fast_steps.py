"""Roots of several steps that compiled routines answer, and others alike that they do not."""

from __future__ import annotations

import importlib

import numpy as np
import pytest

from support.answering import Loaded
from support.executed import ExecutedNotebook
from support.serving import site_of

pytestmark = pytest.mark.xdist_group("fast-steps")
HEAD = """
import numpy as np
import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import RandomForestRegressor
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, MinMaxScaler, OneHotEncoder, StandardScaler
generator = np.random.default_rng(3)
X = generator.normal(size=(200, 4))
y = np.where(X[:, 0] + X[:, 1] > 0, "yes", "no")
scaler = StandardScaler().fit(X)
model = LogisticRegression().fit(scaler.transform(X), y)
frame = pd.DataFrame(X, columns=list("abcd"))
frame["town"] = generator.choice(["Ulm", "Bonn", "Kiel"], 200)
frame["rooms"] = generator.integers(1, 6, 200)
price = X[:, 0] * 2 + (frame["town"] == "Ulm") + frame["rooms"]
gaps = frame[list("abcd")].mask(generator.random((200, 4)) < 0.2)
"""
MIXED = (
    "make_pipeline(ColumnTransformer([('n', StandardScaler(), ['a', 'rooms']),"
    " ('k', OneHotEncoder({options}), ['town']){more}]), {last}).fit(frame, price)"
)
NAMES = "names = ['a', 'c']\nsmall = Ridge().fit(frame[names], price)\n"
#: what the root is, how the notebook makes it, the rows of its golden call
TAKEN = {
    "nested": (
        "def predict(rows):\n    return model.predict(scaler.transform(rows))",
        "X[:40]",
    ),
    "assigned": (
        (
            'def predict(rows):\n    "Say yes or no."\n    rows = np.asarray(rows)\n'
            "    scaled = scaler.transform(rows)\n    return model.predict(scaled).tolist()"
        ),
        "X[:40]",
    ),
    "columns": (
        NAMES + "def predict(table):\n    return small.predict(table[names])",
        "frame[list('abcd')][:40]",
    ),
    "listed": (
        NAMES + "def predict(table):\n    return small.predict(table[['a', 'c']])",
        "frame[list('abcd')][:40]",
    ),
    "imputed": (
        (
            "whole = make_pipeline(SimpleImputer(), MinMaxScaler(), Ridge()).fit(gaps, price)\n"
            "def predict(table):\n    return whole.predict(table)"
        ),
        "gaps[:40]",
    ),
    "mixed": (
        (
            f"whole = {MIXED.format(options='', more='', last='Ridge()')}\n"
            "def predict(table):\n    return whole.predict(table)"
        ),
        "frame[:40]",
    ),
    "ignoring": (
        "whole = "
        + MIXED.format(
            options="handle_unknown='ignore'",
            more=", ('p', 'passthrough', ['b']), ('m', make_pipeline(SimpleImputer(), MinMaxScaler()), ['c'])",
            last="RandomForestRegressor(8, random_state=1)",
        )
        + "\ndef predict(table):\n    return whole.predict(table)",
        "frame[:40]",
    ),
}
#: the same, and why it is not taken
LEFT = {
    "threshold": (
        "def predict(rows):\n    return scaler.transform(rows)[:, 0] > 0.5",
        "X[:40]",
        "more than transform and predict",
    ),
    "afterwards": (
        "def predict(rows):\n    return model.predict(scaler.transform(rows))[::-1]",
        "X[:40]",
        "more than transform and predict",
    ),
    "branch": (
        (
            "def predict(rows):\n    if len(rows) > 3:\n        rows = rows + 0.0\n"
            "    return model.predict(scaler.transform(rows))"
        ),
        "X[:40]",
        "more than transform and predict",
    ),
    "two_arguments": (
        "def predict(rows, scale=1.0):\n    return model.predict(scaler.transform(rows))",
        "X[:40]",
        "more than one argument",
    ),
    "subclass": (
        (
            "class Contrary(LogisticRegression):\n    def predict(self, X):\n"
            "        return np.where(super().predict(X) == 'yes', 'no', 'yes')\n"
            "other = Contrary().fit(X, y)\n"
            "def predict(rows):\n    return other.predict(rows)"
        ),
        "X[:40]",
        "no compiled routine for Contrary",
    ),
    "own_function": (
        (
            "whole = make_pipeline(FunctionTransformer(np.square), Ridge()).fit(X, price)\n"
            "def predict(rows):\n    return whole.predict(rows)"
        ),
        "X[:40]",
        "no compiled routine for Pipeline",
    ),
    "dropping": (
        (
            f"whole = {MIXED.format(options='drop=' + repr('first'), more='', last='Ridge()')}\n"
            "def predict(table):\n    return whole.predict(table)"
        ),
        "frame[:40]",
        "columns that are no plain numbers",
    ),
    "rare_ones": (
        (
            f"whole = {MIXED.format(options='min_frequency=80', more='', last='Ridge()')}\n"
            "def predict(table):\n    return whole.predict(table)"
        ),
        "frame[:40]",
        "columns that are no plain numbers",
    ),
    "indicating": (
        (
            "whole = make_pipeline(SimpleImputer(add_indicator=True), Ridge()).fit(gaps, price)\n"
            "def predict(table):\n    return whole.predict(table)"
        ),
        "gaps[:40]",
        "no compiled routine for Pipeline",
    ),
}


def _loaded(folder, name, text, rows):
    recorded = f"import nbship\npredict = nbship.golden(predict)\npredict({rows})"
    notebook = ExecutedNotebook(HEAD, text, recorded, roots=())
    notebook.capture(folder / "capture", "predict")
    return Loaded(site_of(folder, name, folder / "capture"), name), notebook.namespace


def _rows(namespace, rows, loaded):
    """Return other rows than the golden ones, as the server has them."""
    table = eval(rows.replace("[:40]", "[40:]"), dict(namespace))  # noqa: S307  # our own text
    return loaded.paths.rows_of(table, loaded.contract.form)


@pytest.mark.parametrize("name", TAKEN)
def test_steps_are_taken_and_answer_bit_by_bit(tmp_path, name):
    text, rows = TAKEN[name]

    loaded, namespace = _loaded(tmp_path, f"taken_{name}", text, rows)

    chosen = loaded.chosen
    assert chosen.facts()["answers"] == "compiled routines", chosen.why
    others = _rows(namespace, rows, loaded)
    for size in (1, 3, len(others)):
        found, is_fast = chosen.answer(others[:size])
        wanted = loaded.tables.call(loaded.predict, loaded.contract, others[:size])
        assert is_fast
        assert type(found) is type(wanted)
        assert np.asarray(found).tobytes() == np.asarray(wanted).tobytes()


@pytest.mark.parametrize("name", LEFT)
def test_what_differs_a_little_is_left_to_its_author(tmp_path, name):
    text, rows, why = LEFT[name]

    loaded, namespace = _loaded(tmp_path, f"left_{name}", text, rows)

    assert loaded.chosen.facts()["answers"] == "the author's code"
    assert why in loaded.chosen.why
    others = _rows(namespace, rows, loaded)[:1]
    answer, is_fast = loaded.chosen.answer(others)
    wanted = loaded.tables.call(loaded.predict, loaded.contract, others)
    assert not is_fast
    assert np.asarray(answer).tolist() == np.asarray(wanted).tolist()


def test_a_category_that_was_never_seen_goes_to_the_authors_code(tmp_path):
    loaded, namespace = _loaded(tmp_path, "unseen", *TAKEN["ignoring"])
    strict, _ = _loaded(tmp_path / "strict", "unseen_strict", *TAKEN["mixed"])
    (row,) = _rows(namespace, "frame[:40]", loaded)[:1]
    other = (*row[:4], "Trier", row[5])

    found, is_fast = loaded.chosen.answer([other])
    wanted = loaded.tables.call(loaded.predict, loaded.contract, [other])

    assert is_fast
    assert found.tolist() == wanted.tolist()
    with pytest.raises(ValueError, match="unknown categories"):
        strict.chosen.answer([other])


def test_a_missing_value_is_imputed_as_the_author_does(tmp_path):
    loaded, _ = _loaded(tmp_path, "holes", *TAKEN["imputed"])
    rows = [(None, 0.5, float("nan"), 1.0), (0.25, None, 1.0, None)]

    found, is_fast = loaded.chosen.answer(rows)

    assert is_fast
    wanted = loaded.tables.call(loaded.predict, loaded.contract, rows)
    assert found.tobytes() == wanted.tobytes()


@pytest.mark.parametrize("place", ["object", "class", "step", "method of its own"])
def test_a_model_that_was_patched_is_not_taken(tmp_path, monkeypatch, place):
    from sklearn.linear_model import LogisticRegression
    from sklearn.preprocessing import StandardScaler

    name = f"patched_{place.replace(' ', '_')}"
    loaded, _ = _loaded(tmp_path, name, *TAKEN["nested"])
    module = importlib.import_module(f"{name}.model")
    assert loaded.chosen.routine is not None
    if place == "object":
        module.model.predict = lambda rows: np.array(["no"] * len(rows))
    elif place == "method of its own":
        module.model.decision_function = lambda rows: np.zeros(len(rows))
    elif place == "class":
        real = LogisticRegression.decision_function
        monkeypatch.setattr(
            LogisticRegression,
            "decision_function",
            lambda self, rows: -real(self, rows),
        )
    else:
        monkeypatch.setattr(StandardScaler, "transform", lambda _self, rows: rows)

    chosen = loaded.paths.choose(loaded.predict, loaded.contract)

    assert chosen.routine is None
    assert chosen.why == "no compiled routine for LogisticRegression"


def test_a_decorated_function_is_not_taken(tmp_path):
    text = (
        "import functools\n"
        "def contrary(function):\n    @functools.wraps(function)\n"
        "    def other(rows):\n"
        "        return np.where(function(rows) == 'yes', 'no', 'yes')\n"
        "    return other\n"
        "@contrary\n" + TAKEN["nested"][0]
    )

    loaded, _ = _loaded(tmp_path, "decorated", text, "X[:40]")

    assert loaded.chosen.routine is None

"""The skew guard: golden inputs that cells outside of the closure had transformed."""

from __future__ import annotations

import pytest

from nbship.records.signature import Signature
from nbship.release.skew import skew_of
from support.executed import ExecutedNotebook

IMPORTS = """
import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
"""
DATA = """
rng = np.random.default_rng(7)
df = pd.DataFrame({"age": rng.normal(40, 9, 60), "pay": rng.normal(3, 1, 60)})
y = (df["age"] > 40).astype(int)
"""
PREDICT = """
def predict(rows):
    return rows["age"] * 2
"""


def skew(folder, *cells, root="predict"):
    notebook = ExecutedNotebook(*cells, roots=(root,))
    record = notebook.capture(folder / "capture", root)
    return record.skew


def told(found):
    return [(f.name, f.cell_id, f.line) for f in found]


def test_a_scaled_column_is_pointed_out_with_its_cell(tmp_path):
    found = skew(
        tmp_path,
        IMPORTS,
        DATA,
        "scaler = StandardScaler().fit(df[['age', 'pay']])\n\n"
        'df["age"] = scaler.transform(df[["age", "pay"]])[:, 0]',
        PREDICT,
        "predict(df.head(30))",
    )

    assert told(found) == [("age", "c3", 3)]
    assert found[0].message == (
        "skew: golden inputs of predict are transformed before the call: 'age' is made by "
        "scaler.transform (StandardScaler) in cell In[3] (c3), line 3 "
        '(`df["age"] = scaler.transform(df[["age", "pay"]])[:, 0]`), and the package does '
        "not do that: do it inside predict, or tell callers to do it"
    )


@pytest.mark.parametrize(
    "make", ["np.random.default_rng(3)", "np.random.RandomState(3)", "random.Random(3)"]
)
def test_rows_that_were_drawn_begin_there(tmp_path, make):
    found = skew(
        tmp_path,
        IMPORTS,
        f"import random\nluck = {make}\nages = [30, 40, 50]",
        "df = pd.DataFrame({'age': [luck.choice(ages) for _ in range(30)], 'pay': 1.0})",
        "drawn = pd.DataFrame({'age': [luck.choice(ages) for _ in range(30)]})",
        "drawn['age'] = drawn['age'].clip(35)",
        PREDICT,
        "predict(df)\npredict(drawn)",
    )

    assert told(found) == [("age", "c5", 1)]


def test_a_table_that_a_scaler_made_is_followed_through_splits_and_slices(tmp_path):
    found = skew(
        tmp_path,
        IMPORTS,
        DATA,
        "X = df[['age', 'pay']].to_numpy()\n"
        "X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=1)",
        "scaler = StandardScaler().fit(X_train)\n"
        "X_train = scaler.transform(X_train)\n"
        "X_test = scaler.transform(X_test)",
        "model = LogisticRegression().fit(X_train, y_train)",
        "def predict(rows):\n    return model.predict(rows)",
        "few = X_test[:12]\npredict(few)",
    )

    assert told(found) == [("X_test", "c4", 3)]


def test_an_estimator_is_asked_about_rows_that_were_scaled(tmp_path):
    found = skew(
        tmp_path,
        IMPORTS,
        DATA,
        "scaler = StandardScaler()\nX_std = scaler.fit_transform(df)",
        "model = LogisticRegression().fit(X_std, y)",
        root="model",
    )

    assert told(found) == [("X_std", "c3", 2)]
    assert "scaler.fit_transform (StandardScaler)" in found[0].message


@pytest.mark.parametrize(
    ("call", "line"),
    [
        ("predict(scaler.transform(df))", 1),
        ("for row in np.log(df.to_numpy()):\n    predict(row)", 1),
        ("[predict(v) for v in (df['age'] / 100).tolist()]", 1),
        ("rows = df.apply(np.sqrt)\nprint(1)\npredict(rows)", 1),
        ("rows = df.copy()\nrows /= 2\npredict(rows)", 2),
        ("rows = df.to_numpy().copy()\nrows[:, 0] = rows[:, 0] - 3\npredict(rows)", 2),
        ("rows = df.assign(age=df.age * 2)\npredict(rows)", 1),
        ("rows = df.copy()\nrows['age'] = rows['age'].fillna(0)\npredict(rows)", 2),
        ("rows = df.copy()\nrows.fillna(0, inplace=True)\npredict(rows)", 2),
    ],
)
def test_transformations_of_every_form_are_seen(tmp_path, call, line):
    found = skew(
        tmp_path,
        IMPORTS,
        DATA,
        "scaler = StandardScaler().fit(df)",
        "def predict(rows):\n    return len(str(rows))",
        call,
    )

    assert [(f.cell_id, f.line) for f in found] == [("c5", line)]


@pytest.mark.parametrize(
    "call",
    [
        "predict(df)",
        "predict(df.iloc[5:9])",
        "rows = df[df.age > 40].reset_index(drop=True).rename(columns={'a': 'b'})\npredict(rows)",
        "rows = df.copy()\nrows['age'] = rows['age'].astype('float32')\npredict(rows)",
        "rows = df.copy()\nrows['other'] = rows['age'] * 2\npredict(rows[['age', 'pay']])",
        "for i, row in df.iterrows():\n    predict(row)",
        "for w in np.linspace(0, 9, 5):\n    predict(float(w) * 2)",
        "a, b = train_test_split(df, random_state=1)\npredict(b)",
        "predict(pd.concat([df, df]).sample(9, random_state=1))",
        "predict([1.0, 2.0])\npredict({'age': 3})",
    ],
)
def test_choosing_and_rearranging_rows_is_no_skew(tmp_path, call):
    found = skew(
        tmp_path,
        IMPORTS,
        DATA,
        "def predict(rows):\n    return len(str(rows))",
        call,
    )

    assert told(found) == []


def test_what_the_root_does_itself_is_no_skew(tmp_path):
    found = skew(
        tmp_path,
        IMPORTS,
        DATA,
        "scaler = StandardScaler().fit(df)\nmodel = LogisticRegression().fit(scaler.transform(df), y)",
        "def predict(rows):\n    return model.predict(scaler.transform(rows))",
        "predict(df.tail(25))",
    )

    assert told(found) == []


def test_a_root_that_answers_by_its_method_is_followed_too(tmp_path):
    notebook = ExecutedNotebook(
        IMPORTS,
        DATA,
        "rows = np.log1p(df.abs())",
        "class Model:\n    def predict(self, rows):\n        return rows * 2\nmodel = Model()",
        "model.predict(rows)",
        roots=(),
    )

    found = skew_of(
        "model",
        cases=[{"origin": "cell c5"}],
        signature=Signature(inputs=(), outputs=()),
        namespace=notebook.namespace,
        cells=notebook.cells,
    )

    assert told(found) == [("rows", "c3", 1)]


ADD_RATIO = """
def add_ratio(rows):
    rows = rows.copy()
    rows["ratio"] = rows["pay"] / rows["age"]
    return rows
"""


def test_a_function_that_only_adds_columns_is_no_skew_where_they_are_no_input(tmp_path):
    found = skew(
        tmp_path,
        IMPORTS,
        DATA,
        ADD_RATIO,
        "table = add_ratio(df)\ntrain, test = train_test_split(table, random_state=1)",
        PREDICT,
        'predict(test[["age", "pay"]])',
    )

    assert found == ()


@pytest.mark.parametrize(
    ("cell", "called"),
    [
        pytest.param(ADD_RATIO, '["ratio", "age"]', id="the column is an input"),
        pytest.param(
            ADD_RATIO.replace('"ratio"', '"age"'), '["age", "pay"]', id="it is replaced"
        ),
        pytest.param(
            ADD_RATIO.replace("return rows", "return rows / 2"),
            '["age", "pay"]',
            id="the answer is computed",
        ),
        pytest.param(
            ADD_RATIO
            + ADD_RATIO.replace("    return", '    rows["age"] = 0\n    return'),
            '["age", "pay"]',
            id="one of two definitions replaces it",
        ),
    ],
)
def test_a_function_that_makes_an_input_is_pointed_out(tmp_path, cell, called):
    found = skew(
        tmp_path,
        IMPORTS,
        DATA,
        cell,
        "table = add_ratio(df)",
        PREDICT,
        f"predict(table[{called}])",
    )

    assert [(f.cell_id, f.line) for f in found] == [("c4", 1)]

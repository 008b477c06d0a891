"""Golden cases: distinct rows, the signature they show, the calls made for estimators."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline

from nbship.errors import ExportError
from nbship.records.release import Column, Signature
from nbship.release.golden import count_rows, estimator_cases, modules_of
from nbship.release.pins import Installed, pins_of
from nbship.release.signature import signature_of
from nbship.resources import shipped_module
from support.executed import ExecutedNotebook, replay

values = shipped_module("_values")
FRAME = pd.DataFrame(
    {
        "size": [1.5, None, 3.0],
        "kind": pd.Categorical(["a", "b", "a"], categories=["a", "b", "c"]),
        "name": ["x", None, "z"],
        "n": [1, 2, 3],
    }
)


def case(*args, output, **kwargs):
    return {
        "case": 1,
        "args": [values.encode(item) for item in args],
        "kwargs": {key: values.encode(item) for key, item in kwargs.items()},
        "output": values.encode(output),
        "origin": "",
    }


ROWS = [
    ([case(FRAME, output=np.zeros(3))], 3),
    ([case(FRAME, output=np.zeros(3)), case(FRAME.iloc[:2], output=[1, 2])], 3),
    ([case(np.ones((5, 2)), output=np.zeros(5))], 1),
    ([case(np.arange(10.0).reshape(5, 2), output=np.zeros(5))], 5),
    ([case(np.arange(3.0), output=1.0)], 1),
    ([case(np.arange(3.0), output=np.arange(3.0))], 3),
    ([case(["a", "b", "a"], output=[1, 2, 1])], 2),
    ([case(["a", "b"], output="ab")], 1),
    ([case(1, k=2, output=3), case(1, k=2, output=3), case(1, k=3, output=3)], 2),
    ([case(output=3)], 1),
    ([case({"a": 1}, output=3), case({"a": 2}, output=3)], 2),
]


@pytest.mark.parametrize(("cases", "rows"), ROWS)
def test_distinct_rows_are_counted(cases, rows):
    assert count_rows(cases) == rows


def test_the_signature_of_a_frame_names_columns_categories_ranges_and_nulls():
    output = {"p": 0.5, "label": "a"}

    found = signature_of([case(FRAME, output=output)], parameters=["frame"])

    assert found == Signature(
        input_form="frame",
        inputs=(
            Column(
                name="size", dtype="float64", is_nullable=True, minimum=1.5, maximum=3.0
            ),
            Column(name="kind", dtype="category", categories=("a", "b", "c")),
            Column(name="name", dtype="string", is_nullable=True),
            Column(name="n", dtype="int64", minimum=1.0, maximum=3.0),
        ),
        outputs=(
            Column(name="p", dtype="float64", minimum=0.5, maximum=0.5),
            Column(name="label", dtype="string"),
        ),
        output_form="object",
        parameter="frame",
        read_from=("golden cases",),
    )


def test_the_signature_of_arrays_and_of_plain_arguments():
    arrays = signature_of(
        [case(np.eye(3, 2), output=np.array(["a", "b", "c"]))], parameters=["X"]
    )
    plain = signature_of(
        [
            case("home", 1.5, output=True, month=None),
            case("far", 2, output=False, month=3),
        ],
        parameters=["zone", "km", "month"],
    )

    assert arrays == Signature(
        input_form="array",
        inputs=(
            Column(
                name="X",
                dtype="float64",
                shape=(2,),
                minimum=0.0,
                maximum=1.0,
                form="array",
            ),
        ),
        outputs=(Column(name="output", dtype="string", form="array"),),
        parameter="X",
        read_from=("golden cases",),
    )
    assert plain == Signature(
        input_form="arguments",
        inputs=(
            Column(name="zone", dtype="string"),
            Column(name="km", dtype="float64", minimum=1.5, maximum=2.0, form="number"),
            Column(
                name="month", dtype="int64", is_nullable=True, minimum=3.0, maximum=3.0
            ),
        ),
        outputs=(Column(name="output", dtype="bool"),),
        read_from=("golden cases",),
    )


def test_an_estimator_is_asked_about_rows_of_the_notebook_test_data_first():
    table = pd.DataFrame({"a": np.arange(50.0), "b": np.arange(50.0) ** 2})
    model = LinearRegression().fit(table, table["a"])
    names = {
        "everything": table.assign(target=1),
        "X_test": table.iloc[30:],
        "X_again": table,
        "unrelated": pd.DataFrame({"z": [1]}),
        "_": table,
        "array": table.to_numpy(),
    }

    cases, remarks = estimator_cases(model, names)

    assert [c["origin"] for c in cases] == [
        "X_test, first 20 rows",
        "X_test, first row",
        "X_again, first 40 rows",
        "X_again, first row",
        "everything, first 40 rows",
        "everything, first row",
    ]
    assert remarks == ("golden rows taken from X_test, X_again, everything",)
    answer = values.decode(cases[1]["output"])
    np.testing.assert_array_equal(answer, model.predict(table.iloc[30:31]))


def test_estimators_of_arrays_and_of_texts_find_their_data():
    rows = np.arange(20.0).reshape(10, 2)
    by_array = LogisticRegression().fit(rows, ["a", "b"] * 5)
    texts = ["good wine", "bad wine"] * 5
    by_text = make_pipeline(CountVectorizer(), LogisticRegression()).fit(
        texts, [1, 0] * 5
    )
    names = {"rows": rows, "other": np.ones((3, 5)), "texts": texts, "n": 3}

    assert [c["origin"] for c in estimator_cases(by_array, names)[0]] == [
        "rows, first 10 rows",
        "rows, first row",
    ]
    assert estimator_cases(by_text, names)[1] == ("golden rows taken from texts",)


def test_what_reading_the_cases_needs_is_named():
    assert modules_of([case(1, output="$frame")]) == ()
    assert modules_of([case(np.ones(1), output=1)]) == ("numpy",)
    assert modules_of([case(FRAME, output=np.int64(1))]) == ("numpy", "pandas")


def test_imports_become_pins_and_the_standard_library_none():
    installed = Installed(
        providers={"sklearn": ("scikit-learn",), "yaml": ("types-PyYAML", "PyYAML")},
        versions={"scikit-learn": "1.9.1", "PyYAML": "6.0", "types-PyYAML": "1"},
    )

    assert pins_of(
        ["sklearn.base", "sklearn", "json", "os.path", "yaml"], installed
    ) == {
        "sklearn": "scikit-learn==1.9.1",
        "yaml": "PyYAML==6.0",
    }
    with pytest.raises(ExportError, match=r"offers: features \(no file\), shop \(no"):
        pins_of(["shop.x", "features", "sklearn"], installed)


def test_sparse_rows_and_rows_by_name_are_asked(tmp_path):
    notebook = ExecutedNotebook(
        "from sklearn.feature_extraction import DictVectorizer\n"
        "from sklearn.naive_bayes import MultinomialNB\n"
        "rows = [{'a': i % 4, 'b': 'xyz'[i % 3]} for i in range(30)]\n"
        "vector = DictVectorizer().fit(rows)\nX = vector.transform(rows)\n"
        "model = MultinomialNB().fit(X, [i % 3 for i in range(30)])",
        roots=(),
    )

    for root, place in (("vector", "rows"), ("model", "X")):
        record = notebook.capture(tmp_path / root / "capture", root)
        assert (record.golden_cases, record.golden_rows) == (2, 12)
        assert f"golden rows taken from {place}" in record.remarks
        found = replay(tmp_path / root / "capture", tmp_path / root)
        assert found["differences"] == []


def test_a_step_of_a_pipeline_is_asked_what_the_steps_before_it_give(tmp_path):
    notebook = ExecutedNotebook(
        "import numpy as np\nfrom sklearn.linear_model import LinearRegression\n"
        "from sklearn.pipeline import make_pipeline\n"
        "from sklearn.preprocessing import PolynomialFeatures, StandardScaler\n"
        "X = np.linspace(0, 3, 30).reshape(-1, 1)\n"
        "scaler, line = StandardScaler(), LinearRegression()\n"
        "curve = make_pipeline(PolynomialFeatures(9), scaler, line).fit(X, X[:, 0] ** 2)",
        roots=(),
    )

    record = notebook.capture(tmp_path / "capture", "line")

    assert record.remarks == (
        "golden rows taken from X, through the steps of curve before it",
    )
    assert record.golden_rows == 30
    assert replay(tmp_path / "capture", tmp_path / "made")["differences"] == []

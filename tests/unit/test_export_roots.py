"""Roots of every kind: methods, callable objects, classes, estimators that predict and that transform."""

from __future__ import annotations

import copy
import json
import pickle

import pytest

from nbship.adapters.codecs.registry import all_codecs
from nbship.adapters.probes.distributions import installed_here
from nbship.errors import ExportError
from nbship.release.objects import at_rest
from nbship.workflow.export_check import check_root
from support.executed import ExecutedNotebook, replay

TABLE = "import numpy as np\nX_test = np.arange(40.0).reshape(20, 2) % 7\n"
SCORER = (
    "class Scorer:\n    def __init__(self, by=2):\n        self.by = by\n"
    "    def predict(self, x):\n        return x * self.by\n"
)


def checked(notebook, root):
    """Replay a root in this process."""
    found = check_root(
        root, live=notebook.live, codecs=all_codecs(), installed=installed_here
    )
    assert found.passed, found.findings
    assert found.cases_replayed == found.cases > 0


def exported(tmp_path, *cells, root):
    """Export a root, replay it in this process, return the module's text."""
    notebook = ExecutedNotebook(*cells, roots=(root,))
    checked(notebook, root)
    return notebook.text(tmp_path / "capture", root)


def refused(tmp_path, *cells, root):
    with pytest.raises(ExportError) as caught:
        ExecutedNotebook(*cells, roots=(root,)).capture(tmp_path / "capture", root)
    assert caught.value.hint
    return caught.value


def test_a_bound_method_is_exported_with_its_object(tmp_path):
    text = exported(
        tmp_path,
        SCORER,
        "scorer = Scorer(3)\nscore = scorer.predict\n",
        "score(2); score(5)",
        root="score",
    )

    assert "score = scorer.predict" in text


def test_two_methods_of_one_object_share_it(tmp_path):
    text = exported(
        tmp_path,
        "class Memo:\n    def __init__(self):\n        self.kept = {}\n"
        "    def put(self, x):\n        self.kept[x] = x\n    def get(self, x):\n        return self.kept.get(x, -1)\n",
        "memo = Memo()\nput, get = memo.put, memo.get\n",
        "def predict(x):\n    put(x)\n    return get(x)\n",
        "predict(3)\nmemo.kept.clear()",
        root="predict",
    )

    assert "put = memo.put" in text
    assert "get = memo.get" in text


def test_a_callable_object_is_exported_and_stays_what_it_was(tmp_path):
    cells = (
        (
            "class Rate:\n    def __init__(self, by):\n        self.by = by\n"
            "    def __call__(self, x):\n        return x * self.by\n"
        ),
        "predict = Rate(4)\nsame = predict\n",
        "predict(2); predict(3)",
    )
    notebook = ExecutedNotebook(*cells)
    live = notebook.namespace["predict"]

    assert live is notebook.namespace["same"]
    assert isinstance(live, notebook.namespace["Rate"])
    assert copy.deepcopy(live).by == 4
    with at_rest(notebook.namespace):
        assert type(live) is notebook.namespace["Rate"]
    exported(tmp_path, *cells, root="predict")
    assert replay(tmp_path / "capture", tmp_path / "fresh")["differences"] == []


def test_another_object_of_the_same_class_answers_for_itself():
    notebook = ExecutedNotebook(SCORER, "model = Scorer(3)\n", roots=("model",))
    model = notebook.namespace["model"]

    other = type(model)(10)

    assert (model.predict(2), other.predict(2)) == (6, 20)


def test_an_object_that_records_is_pickled_as_its_own_class():
    notebook = ExecutedNotebook(SCORER, "model = Scorer(3)\n", roots=("model",))

    _, _, state, *_ = notebook.namespace["model"].__reduce_ex__(pickle.HIGHEST_PROTOCOL)

    assert state == {"by": 3}


def test_an_object_with_predict_is_exported(tmp_path):
    text = exported(
        tmp_path,
        SCORER,
        "model = Scorer(3)\n",
        "model.predict(2); model.predict(7)",
        root="model",
    )

    assert "predict = model.predict" in text


def test_a_class_is_exported_as_the_object_that_it_makes(tmp_path):
    text = exported(
        tmp_path,
        SCORER,
        "Scorer().predict(2); Scorer(by=5).predict(2)",
        root="Scorer",
    )
    cases = (tmp_path / "capture" / "golden.jsonl").read_text().splitlines()

    assert "predict = Scorer().predict" in text
    assert [json.loads(case)["output"] for case in cases] == [4]


def test_a_class_made_with_arguments_is_refused(tmp_path):
    error = refused(
        tmp_path,
        "class Scorer:\n    def __init__(self, by):\n        self.by = by\n    def predict(self, x):\n        return x\n",
        "Scorer(2).predict(1)",
        root="Scorer",
    )

    assert "made with arguments" in error.message
    assert "model = Scorer(...)" in error.hint


FITTED = {
    "StandardScaler": "from sklearn.preprocessing import StandardScaler\nmodel = StandardScaler().fit(X_test)",
    "PCA": "from sklearn.decomposition import PCA\nmodel = PCA(1, random_state=0).fit(X_test)",
    "KMeans": "from sklearn.cluster import KMeans\nmodel = KMeans(2, n_init=1, random_state=0).fit(X_test)",
    "LabelEncoder": "from sklearn.preprocessing import LabelEncoder\nlabels = np.array(['a', 'b'] * 10)\nmodel = LabelEncoder().fit(labels)",
    "CountVectorizer": "from sklearn.feature_extraction.text import CountVectorizer\ntexts = ['good wine', 'bad wine'] * 10\nmodel = CountVectorizer().fit(texts)",
    "NearestNeighbors": "from sklearn.neighbors import NearestNeighbors\nmodel = NearestNeighbors(n_neighbors=2).fit(X_test)",
    "Bunch": "from sklearn.datasets import load_iris\nfrom sklearn.linear_model import LogisticRegression\niris = load_iris()\nmodel = LogisticRegression(max_iter=500).fit(iris.data, iris.target)",
}


@pytest.mark.parametrize("kind", FITTED)
def test_a_fitted_estimator_is_exported_by_the_method_that_it_has(kind):
    notebook = ExecutedNotebook(TABLE, FITTED[kind], roots=("model",))

    checked(notebook, "model")


def test_an_estimator_that_was_not_fitted_is_refused(tmp_path):
    error = refused(
        tmp_path,
        TABLE,
        "from sklearn.linear_model import LinearRegression\nmodel = LinearRegression()",
        root="model",
    )

    assert (error.hazard, error.hint) == ("not-fitted", "Run the cell that fits it.")


def test_an_estimator_that_knows_only_its_own_rows_is_refused(tmp_path):
    error = refused(
        tmp_path,
        TABLE,
        "from sklearn.cluster import DBSCAN\nmodel = DBSCAN().fit(X_test)",
        root="model",
    )

    assert "it answers for the rows it was fitted on" in error.message


def test_an_estimator_of_the_notebook_that_tells_no_width_is_asked(tmp_path):
    exported(
        tmp_path,
        TABLE,
        "class Mean:\n    def fit(self, X, y):\n        self.mean = float(y.mean())\n        return self\n"
        "    def predict(self, X):\n        return X[:, 0] * 0 + self.mean\n",
        "model = Mean().fit(X_test, X_test[:, 0])",
        root="model",
    )


def test_an_estimator_may_hold_a_function_whose_calls_are_recorded(tmp_path):
    notebook = ExecutedNotebook(
        "import numpy as np\nfrom sklearn.linear_model import LinearRegression\n"
        "from sklearn.pipeline import make_pipeline\n"
        "from sklearn.preprocessing import FunctionTransformer\nimport nbship\n",
        "@nbship.golden\ndef doubled(rows):\n    return rows * 2",
        "X_test = np.arange(60.0).reshape(30, 2)\n"
        "model = make_pipeline(FunctionTransformer(doubled), LinearRegression())\n"
        "_ = model.fit(X_test, X_test.sum(axis=1))",
        roots=(),
    )

    text = notebook.text(tmp_path / "capture", "model")

    assert "def doubled(rows):" in text
    assert "golden" not in text.partition("import")[2]
    assert replay(tmp_path / "capture", tmp_path / "fresh")["differences"] == []

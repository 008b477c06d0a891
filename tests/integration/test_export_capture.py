"""Roots of a real kernel: recorded calls, captures of a pipeline and of plain functions."""

from __future__ import annotations

import json

import pytest

from nbship.records.digest import digest_tree
from support.executed import replay
from support.live_kernel import LiveKernel

pytestmark = [pytest.mark.kernel, pytest.mark.xdist_group("export-capture")]
ATTEND = "__import__('nbship.faces.roots', fromlist=['']).attend({roots!r})"
CAPTURE = "__import__('nbship.faces.roots', fromlist=['']).capture_roots({roots!r}, {folder!r})"
PENGUINS = {
    "imports": """
import numpy as np
import pandas as pd
from palmerpenguins import load_penguins
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler
""",
    "data": """
penguins = load_penguins()
penguins["island"] = penguins["island"].astype("category")
X = penguins.drop(columns=["species", "year"])
y = penguins["species"]
X_test = X.iloc[::7]
""",
    "clip": '''
class Clip(TransformerMixin, BaseEstimator):
    """Keeps values between two quantiles of the training data."""

    def __init__(self, quantile=0.01):
        self.quantile = quantile

    def fit(self, X, y=None):
        self.n_features_in_ = X.shape[1]
        low, high = self.quantile, 1 - self.quantile
        self.low_, self.high_ = np.nanquantile(X, [low, high], axis=0)
        return self

    def transform(self, X):
        return np.clip(X, self.low_, self.high_)


def to_array(X):  # sklearn hands a frame on
    return np.asarray(X, dtype=float)
''',
    "fit": """
numbers = ["bill_length_mm", "bill_depth_mm", "flipper_length_mm", "body_mass_g"]
model = Pipeline([
    ("prepare", ColumnTransformer([
        ("numbers", make_pipeline(FunctionTransformer(to_array), Clip(), SimpleImputer(), StandardScaler()), numbers),
        ("words", make_pipeline(SimpleImputer(strategy="most_frequent"), OneHotEncoder(handle_unknown="ignore")), ["island", "sex"]),
    ])),
    ("classify", LogisticRegression(max_iter=2000)),
]).fit(X, y)
""",
    "predict": '''
%matplotlib inline
SURE = 0.9  # agreed with the biologists


def predict(birds: pd.DataFrame) -> pd.DataFrame:
    """Name the species, and say how sure that is."""
    chances = model.predict_proba(birds)
    answer = pd.DataFrame({"species": model.classes_[chances.argmax(axis=1)]}, index=birds.index)
    return answer.assign(chance=chances.max(axis=1), sure=chances.max(axis=1) > SURE)
''',
    "calls": "predict(X_test); predict(X.iloc[3:4]);",
}
TARIFF = {
    "names": "import numpy as np\nfrom functools import partial\n",
    "tables": """
ZONES = {"home": 1.0, "far": 2.1}  # factor per zone
KNOTS = np.arange(0.0, 31.0, 3.0)
PRICES = 3.2 + 0.9 * np.sqrt(KNOTS)


def rounding(step):
    def to_step(value):
        return round(value / step) * step  # as printed on the label

    return to_step


to_five_cents = rounding(0.05)
rules = {"home": np.float64(0.5), "far": (lambda w: w * 2)(1)}
""",
    "predict": """
def predict(weight, zone="home"):
    price = np.interp(weight, KNOTS, PRICES) * ZONES.get(zone, ZONES["far"])
    return {"euro": to_five_cents(float(price)) + rules[zone], "zone": zone}
""",
    "calls": "for w in np.linspace(0, 29, 15):\n    for z in ZONES:\n        predict(w, zone=z)",
}


def captured(folder, cells, roots, *, times=1):
    """Run cells in a kernel as the engine does, and capture roots as often as asked."""
    (folder / "project").mkdir()
    kernel = LiveKernel(folder / "project")
    try:
        kernel.run(ATTEND.format(roots=roots))
        for cell_id, source in cells.items():
            reply = kernel.run(source, cell_id=cell_id)
            assert reply.status == "ok", (reply.ename, reply.evalue)
        for i in range(times):
            place = str(folder / f"roots{i}")
            reply = kernel.run(CAPTURE.format(roots=roots, folder=place))
            assert reply.status == "ok", (reply.ename, reply.evalue)
    finally:
        kernel.close()


@pytest.fixture(scope="module")
def penguins(tmp_path_factory):
    folder = tmp_path_factory.mktemp("penguins")
    captured(folder, PENGUINS, ["predict", "model", "gone"], times=2)
    return folder


@pytest.fixture(scope="module")
def tariff(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tariff")
    captured(folder, TARIFF, ["predict"])
    return folder


@pytest.mark.parametrize("root", ["predict", "model"])
def test_a_pipeline_with_the_notebooks_own_class_answers_the_same_elsewhere(
    penguins, tmp_path, root
):
    found = replay(penguins / "roots0" / root, tmp_path)

    assert found["differences"] == []
    assert not {"IPython", "nbship", "matplotlib"} & set(found["modules"])


def test_a_root_captured_twice_has_one_digest(penguins):
    for root in ("predict", "model"):
        one, other = (digest_tree(penguins / f"roots{i}" / root) for i in (0, 1))
        assert one == other


def test_calls_and_lines_are_mapped_to_the_cells_of_the_front_end(penguins):
    folder = penguins / "roots0" / "predict"
    record = json.loads((folder / "capture.json").read_text())
    lines = (folder / "golden.jsonl").read_text().splitlines()
    cases = [json.loads(line) for line in lines]

    assert {case["origin"] for case in cases} == {"cell calls"}
    assert {place["cell_id"] for place in record["source_map"].values()} == {
        "clip",
        "predict",
    }
    assert record["golden_rows"] == 51
    assert record["remarks"] == []


def test_magics_and_training_stay_in_the_notebook(penguins):
    text = (penguins / "roots0" / "predict" / "module.py").read_text()

    assert "SURE = 0.9  # agreed with the biologists" in text
    assert "def to_array(X):  # sklearn hands a frame on" in text
    for word in ("get_ipython", "LogisticRegression", "load_penguins", "matplotlib"):
        assert word not in text


def test_what_must_be_trusted_and_installed_is_listed(penguins):
    folder = penguins / "roots0" / "predict"
    record = json.loads((folder / "capture.json").read_text())
    (state,) = record["state"]

    assert (state["name"], state["codec"]) == ("model", "skops")
    assert "__notebook__.Clip" in state["trusted_types"]
    assert "__notebook__.to_array" in state["trusted_types"]
    assert set(record["requirements"]) == {"numpy", "pandas", "skops", "sklearn"}


def test_rows_for_an_estimator_are_taken_from_the_notebook(penguins):
    record = json.loads((penguins / "roots0/model/capture.json").read_text())

    assert record["kind"] == "estimator"
    assert record["remarks"][0].startswith("golden rows taken from X_test, ")
    island = record["signature"]["inputs"][0]
    assert (island["name"], island["dtype"]) == ("island", "category")
    assert island["categories"] == ["Biscoe", "Dream", "Torgersen"]


def test_a_root_that_is_not_there_leaves_its_refusal(penguins):
    refusal = json.loads((penguins / "roots0" / "gone" / "refusal.json").read_text())

    assert refusal == {
        "message": "the notebook has no 'gone'",
        "hint": "Run the cell that makes gone.",
    }


def test_functions_tables_closures_and_arrays_answer_the_same_elsewhere(
    tariff, tmp_path
):
    folder = tariff / "roots0" / "predict"
    found = replay(folder, tmp_path)
    record = json.loads((folder / "capture.json").read_text())

    assert found["differences"] == []
    assert {"pandas", "sklearn", "skops"} & set(found["modules"]) == set()
    assert record["golden_rows"] == 30
    assert [entry["name"] for entry in record["state"]] == ["KNOTS", "PRICES", "rules"]
    assert (
        "def _make_to_five_cents():\n    step = 0.05"
        in (folder / "module.py").read_text()
    )


@pytest.mark.full
def test_export_in_a_notebook_makes_a_wheel_and_proves_it(tmp_path):
    kernel = LiveKernel(tmp_path)
    try:
        kernel.run("%load_ext nbship")
        for cell_id, source in TARIFF.items():
            kernel.run(source, cell_id=cell_id)
        done = kernel.run("%mlops export predict --package tariff --version 2.0.0")
        before = set((tmp_path / ".mlops" / "exports").iterdir())
        kernel.run("import sqlite3\nconn = sqlite3.connect(':memory:')")
        kernel.run("def predict(x):\n    return conn and x\npredict(1)")
        refused = kernel.run("%mlops export predict")
    finally:
        kernel.close()

    (folder,) = before
    assert (folder / "dist" / "tariff-2.0.0-py3-none-any.whl").is_file()
    assert "parity: 30 golden cases, 30 rows: the same answers" in done.text
    assert json.loads((folder / "export.json").read_text())["parity"]["passed"] is True
    assert refused.ename == "HazardError"
    assert "a database connection (sqlite3.Connection)" in refused.evalue
    assert set((tmp_path / ".mlops" / "exports").iterdir()) == before


@pytest.mark.full
def test_modules_beside_the_notebook_and_resources_answer_from_the_wheel(tmp_path):
    (tmp_path / "own_rates.py").write_text(
        "def rate(zone):\n    return {'a': 2}[zone]\n"
    )
    cells = (
        "%load_ext nbship",
        "import nbship, sqlite3\nfrom own_rates import rate",
        (
            "@nbship.resource\ndef prices():\n    made = sqlite3.connect(':memory:')\n"
            "    made.execute('create table p (v)')\n    made.execute('insert into p values (7)')\n"
            "    return made"
        ),
        "def predict(zone):\n    return prices().execute('select v from p').fetchone()[0] * rate(zone)",
        "predict('a')",
    )
    kernel = LiveKernel(tmp_path)
    try:
        for cell in cells:
            assert kernel.run(cell).status == "ok"
        done = kernel.run("%mlops export predict --package tariff --json")
    finally:
        kernel.close()

    (folder,) = (tmp_path / ".mlops" / "exports").iterdir()
    record = json.loads((folder / "capture" / "capture.json").read_text())
    assert done.status == "ok", done.evalue
    assert json.loads((folder / "export.json").read_text())["parity"]["passed"] is True
    assert record["resources"] == ["prices"]
    assert record["requirements"] == {}

"""Servers answer by an ONNX graph where its author asked for it, and it agrees as declared."""

from __future__ import annotations

import dataclasses
import json
import subprocess
import sys

import pytest

from nbship import golden
from nbship.adapters.bundles.wheel import read_wheel
from nbship.adapters.codecs.onnx_graph import onnx_graph
from nbship.errors import ExportError, UsageError
from nbship.workflow.bundle_files import read_capture
from nbship.workflow.graph_capture import GRAPH
from support.executed import ExecutedNotebook
from support.exports import exported
from support.serving import estimator_site, served

pytestmark = pytest.mark.xdist_group("onnx")
FOREST = {
    "imports": "from sklearn.ensemble import RandomForestClassifier",
    "fit": "RandomForestClassifier(21, random_state=3).fit(X, y)",
}
TIES = {**FOREST, "fit": FOREST["fit"].replace("21", "20")}
RIDGE = {
    "imports": "from sklearn.linear_model import Ridge\n"
    "from sklearn.pipeline import make_pipeline\n"
    "from sklearn.preprocessing import StandardScaler",
    "fit": "make_pipeline(StandardScaler(), Ridge()).fit(X, X.sum(1) + X[:, 0] ** 2)",
}
BOOSTED = {
    "imports": "from sklearn.ensemble import GradientBoostingRegressor",
    "fit": "GradientBoostingRegressor(n_estimators=20).fit(X, X.sum(1))",
}
_CHOOSE = """
import importlib, json, sys
name = sys.argv[1]
about = importlib.import_module(f"{name}._about")
contract = importlib.import_module(f"{name}.answering._contract")
paths = importlib.import_module(f"{name}.answering._paths")
predict = about.predict_function()
chosen = paths.choose(predict, contract.contract_of(predict))
rows = paths.golden_rows(chosen.contract)
answer, is_fast = chosen.answer(rows)
print(json.dumps([chosen.facts(), is_fast, answer.tolist(), predict(rows).tolist(), about.changed_files()]))
"""


def chosen_in(site, name):
    """Load a package in a process of its own; say what it chose and how it answers."""
    done = subprocess.run(
        [sys.executable, "-c", _CHOOSE, name],
        cwd=site,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize(
    ("model", "rtol"),
    [
        pytest.param(FOREST, "1e-6", id="labels"),
        pytest.param(RIDGE, "1e-12", id="doubles"),
        pytest.param(BOOSTED, "1e-4", id="single precision"),
    ],
)
def test_the_graph_answers_where_it_agrees_as_declared(tmp_path, model, rtol, request):
    name = f"asked_{len(request.node.callspec.id)}"
    site = estimator_site(tmp_path, name, declared=f"onnx=True, rtol={rtol}", **model)

    facts, is_fast, found, wanted, changed = chosen_in(site, name)

    assert (facts["answers"], is_fast, changed) == ("the ONNX graph", True, [])
    assert facts["why"].startswith("asked for: 320 golden and generated rows have")
    assert found == (
        wanted if model is FOREST else pytest.approx(wanted, rel=float(rtol))
    )


@pytest.mark.parametrize(
    ("name", "model", "rtol"),
    [
        pytest.param("too_far", BOOSTED, "1e-12", id="single precision"),
        # of an even number of trees half may say yes: the graph decides these otherwise
        pytest.param("tied", TIES, "0.5", id="labels of ties"),
    ],
)
def test_a_graph_that_differs_is_not_used(tmp_path, name, model, rtol):
    site = estimator_site(tmp_path, name, declared=f"onnx=True, rtol={rtol}", **model)

    facts, _, found, wanted, _ = chosen_in(site, name)

    assert facts["answers"] == "compiled routines"
    assert "; no ONNX graph, though asked for: rows " in facts["why"]
    assert found == wanted


def test_nobody_gets_a_graph_unasked(tmp_path):
    site = estimator_site(tmp_path, "unasked", **FOREST)

    assert read_capture(tmp_path / "capture").graph is None
    assert not (site / "unasked" / GRAPH).exists()
    assert chosen_in(site, "unasked")[0]["answers"] == "compiled routines"


def test_a_changed_graph_is_a_changed_package(tmp_path):
    site = estimator_site(
        tmp_path, "changed", declared="onnx=True, rtol=1e-6", **FOREST
    )
    graph = site / "changed" / GRAPH
    data = bytearray(graph.read_bytes())
    data[-1] ^= 1
    graph.write_bytes(data)

    assert chosen_in(site, "changed")[-1] == [f"{GRAPH}: changed since the capture"]


def test_the_server_answers_by_it_and_says_so(tmp_path):
    site = estimator_site(
        tmp_path, "by_graph", declared="onnx=True, rtol=1e-6", **FOREST
    )

    with served(site, "by_graph") as server:
        case = json.loads(
            (site / "by_graph" / "golden.jsonl").read_text().splitlines()[0]
        )
        flat = case["args"][0]["$array"]["values"][:30]
        rows = [flat[start : start + 6] for start in range(0, 30, 6)]
        answer = server.client.post("/predict", json={"instances": rows})
        missing = server.client.post("/predict", json={"instances": [[None] * 6]})
        counted = server.client.get("/metrics").text

    assert answer.status_code == 200, answer.text
    assert answer.json()["predictions"] == case["output"]["$array"]["values"][:5]
    assert missing.status_code == 422
    assert server.events("ready")[0]["answers"] == "the ONNX graph"
    assert "model_fast_calls_total" in counted


def test_the_package_asks_for_the_runtime(tmp_path):
    site = estimator_site(
        tmp_path, "runtime", declared="onnx=True, rtol=1e-6", **FOREST
    )

    (metadata,) = site.glob("runtime-*.dist-info/METADATA")
    assert "Requires-Dist: onnxruntime" in metadata.read_text("utf-8")


def test_a_graph_without_a_tolerance_is_refused():
    with pytest.raises(UsageError, match="onnx=True without a tolerance"):
        golden(onnx=True)


def test_a_function_has_no_graph(tmp_path):
    notebook = ExecutedNotebook(
        "import nbship\n@nbship.golden(onnx=True, rtol=1e-6)\ndef predict(x):\n    return x * 2",
        "predict(3)",
        roots=(),
    )

    with pytest.raises(ExportError, match="it is no fitted estimator") as told:
        notebook.capture(tmp_path / "capture")
    assert told.value.hazard == "onnx"


def test_an_estimator_that_cannot_be_converted_is_refused_with_its_reason(tmp_path):
    notebook = ExecutedNotebook(
        "import numpy as np, nbship\n"
        "from sklearn.base import BaseEstimator\n"
        "class Mean(BaseEstimator):\n"
        "    def fit(self, X, y):\n        self.mean_ = float(np.mean(y))\n"
        "        self.n_features_in_ = 2\n        return self\n"
        "    def predict(self, X):\n        return np.full(len(X), self.mean_)\n"
        "X_test = np.arange(40.0).reshape(20, 2)\n"
        "model = Mean().fit(X_test, X_test[:, 0])\n"
        "nbship.golden(model, onnx=True, rtol=1e-6)",
        roots=(),
    )

    with pytest.raises(ExportError, match="Mean: no ONNX graph that onnxruntime"):
        notebook.capture(tmp_path / "capture", "model")


def test_without_the_converter_its_installation_is_asked_for(monkeypatch):
    monkeypatch.setitem(sys.modules, "skl2onnx", None)

    with pytest.raises(ExportError, match="skl2onnx is not installed") as told:
        onnx_graph(object(), 2)
    assert told.value.hint == "Install both: pip install skl2onnx onnxruntime."


def test_equal_estimators_give_equal_graphs(tmp_path):
    for place in ("a", "b"):
        estimator_site(
            tmp_path / place, "equal", declared="onnx=True, rtol=1e-6", **FOREST
        )

    first, second = (read_capture(tmp_path / place / "capture") for place in "ab")
    assert first.graph == second.graph
    assert dataclasses.asdict(first.graph) | {"digest": "", "size_bytes": 0} == {
        "name": "model",
        "codec": "onnx",
        "file": GRAPH,
        "digest": "",
        "size_bytes": 0,
        "trusted_types": (),
        "is_shared": False,
    }


@pytest.mark.full
def test_the_export_decides_for_it_in_the_environment_of_the_replay(tmp_path):
    estimator_site(tmp_path, "decided", declared="onnx=True, rtol=1e-6", **FOREST)

    export = exported(
        tmp_path / "capture",
        tmp_path / "export",
        package="decided",
    )

    wheel = read_wheel(tmp_path / "export" / export.wheel)
    assert export.parity.passed
    assert json.loads(wheel["decided/origin.json"])["serving"]["answers"] == (
        "the ONNX graph"
    )
    lock = (tmp_path / "export" / "requirements.lock").read_text("utf-8")
    assert "onnxruntime==" in lock

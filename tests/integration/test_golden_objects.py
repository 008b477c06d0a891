"""Roots that take and give objects, as wheels: a fresh environment, IT's tests, the served route."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys

import pytest

from nbship.records.digest import digest_text, digest_tree
from nbship.workflow.bundle_files import read_capture
from support.executed import ExecutedNotebook
from support.exports import exported
from support.for_it import lay_out, run_pytest
from support.serving import served, site_of

pytestmark = pytest.mark.xdist_group("golden-objects")
SETUP = """
import numpy as np
from sklearn.linear_model import LogisticRegression
X = np.sin(np.arange(60.0)).reshape(30, 2)
y = X.sum(axis=1) > 0.2
model = LogisticRegression().fit(X, y)
class Cut:
    def __init__(self, at):
        self.at = at
    def __call__(self, chances):
        return chances > self.at
def half(chances):
    return chances > 0.5
"""
JUDGE = """
def judge(rows, model, cut, told=None):
    chances = model.predict_proba(rows)[:, 1]
    if told is not None:
        told["seen"] = len(rows)
    return cut(chances)
"""
CALLS = """
judge(X, model, Cut(0.4))
judge(X[:3], model, half, told={})
judge(X[3:9], LogisticRegression(C=0.01).fit(X, ~y), half)
"""


@pytest.fixture(scope="module")
def capture(tmp_path_factory):
    folder = tmp_path_factory.mktemp("judge") / "capture"
    ExecutedNotebook(SETUP, JUDGE, CALLS, roots=("judge",)).capture(folder, "judge")
    return folder


def cases_of(folder):
    lines = (folder / "golden.jsonl").read_text("utf-8").splitlines()
    return [json.loads(line) for line in lines]


def test_objects_are_replayed_in_a_fresh_environment(capture, tmp_path):
    export = exported(capture, tmp_path / "export", package="judge")

    assert export.parity.passed, export.parity.differences
    assert export.parity.cases == 3
    assert export.capture_digest == digest_tree(capture)
    types = {file.type for file in read_capture(capture).golden_files}
    assert types == {
        "__notebook__.Cut",
        "builtins.function",
        "sklearn.linear_model._logistic.LogisticRegression",
    }


@pytest.mark.full
def test_a_model_swapped_in_a_golden_case_is_no_parity(capture, tmp_path):
    forged = tmp_path / "capture"
    shutil.copytree(capture, forged)
    lines = cases_of(forged)
    lines[0]["args"][1], lines[2]["args"][1] = lines[2]["args"][1], lines[0]["args"][1]
    text = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
    (forged / "golden.jsonl").write_text(text)
    record = json.loads((forged / "capture.json").read_text())
    record["golden_digest"] = digest_text(text)
    (forged / "capture.json").write_text(json.dumps(record))

    export = exported(forged, tmp_path / "export", package="judge")

    assert not export.parity.passed
    assert {text.partition(":")[0] for text in export.parity.differences} == {
        "case 1",
        "case 3",
    }


@pytest.mark.full
def test_its_tests_pass_for_it(capture, tmp_path):
    lay_out(tmp_path / "it", capture)

    code, output = run_pytest(tmp_path / "it")

    assert code == 0, output
    assert "predict takes or gives objects: it is called in Python" in output


NO_JSON = (
    "'model' takes an object that JSON cannot hold; import judged and call it in Python"
)
NO_ROW = (
    "an object of class sklearn.linear_model._logistic.LogisticRegression, given in Python "
    "was expected"
)


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [(["serve", "--port", "0"], 1, NO_JSON), (["predict", "-"], 2, NO_ROW)],
)
def test_what_json_cannot_hold_is_refused_with_its_reason(
    capture, tmp_path, words, code, said
):
    site = site_of(tmp_path, "judged", capture)

    ended = subprocess.run(
        [sys.executable, "-m", "judged", *words],
        cwd=site,
        input='{"rows": [[0.1, 0.2]], "model": {"C": 1}, "cut": 3}\n',
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )

    assert ended.returncode == code
    assert said in ended.stderr
    assert "Traceback" not in ended.stderr


OPTIONAL = """
def chance(x, other=None):
    used = other if other is not None else model
    return float(used.predict_proba([[x, x]])[0, 1])
"""


def test_an_object_that_may_be_left_out_is_served_and_refused_where_it_is_sent(
    tmp_path,
):
    calls = "chance(0.5); chance(0.2, LogisticRegression(C=3).fit(X, y)); chance(0.1, other=None)"
    notebook = ExecutedNotebook(SETUP, OPTIONAL, calls, roots=("chance",))
    notebook.capture(tmp_path / "capture", "chance")
    site = site_of(tmp_path, "chances", tmp_path / "capture")

    with served(site, "chances") as server:
        good = server.client.post("/predict", json={"instances": [{"x": 0.5}]})
        answers = [
            server.client.post(
                "/predict", json={"instances": [{"x": 1, "other": sent}]}
            )
            for sent in ({"$file": {"type": "x", "file": "y"}}, {"C": 3}, 1)
        ]

    assert good.json()["predictions"] == [
        notebook.namespace["chance"](0.5),
    ]
    assert [answer.status_code for answer in answers] == [422] * 3
    for answer in answers:
        assert answer.json()["field"] == "instances[0].other"
        assert "which JSON cannot hold" in answer.json()["error"]

"""Why lines are in, why cells are out, where values come from."""

from __future__ import annotations

import json
from types import SimpleNamespace

import pytest

from nbship.adapters.codecs.registry import all_codecs
from nbship.adapters.probes.distributions import installed_here
from nbship.records.explanation import Explanation
from nbship.verbs.export_words import explanation_text
from nbship.widgets.explanation import tables_html
from nbship.workflow.bundle_files import read_record
from nbship.workflow.export_check import check_root
from support.executed import ExecutedNotebook

CELLS = (
    "import math\nimport json  # for later\nfrom collections import Counter\n",
    "# euro\nLIMIT = 10\nWEIGHTS = {}\n",
    "data = list(range(50))\nmean = sum(data) / len(data)\n",
    "WEIGHTS.update(a=1.5)\nTABLE = [w * 1.0 for w in range(400)]\n",
    "def helper(x):\n    return x * 100\n",
    "def helper(x):\n    # rounded\n    return math.floor(x)\n\n\ndef unused():\n    return json\n",
    "def predict(x):\n    return helper(x) + LIMIT + WEIGHTS['a'] + TABLE[3]\n",
    "predict(1.5)\npredict(2.5)\n",
    "print('done')\n",
)


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    folder = tmp_path_factory.mktemp("told") / "capture"
    record = ExecutedNotebook(*CELLS).capture(folder)
    found = read_record(Explanation, folder / "explanation.json")
    return found, (folder / "module.py").read_text(), record


def test_every_line_of_the_module_has_one_reason(told):
    found, text, _ = told

    covered = [
        line
        for reason in found.lines
        for line in range(reason.first_line, reason.last_line + 1)
    ]

    assert covered == list(range(1, text.count("\n") + 1))
    assert all(reason.why for reason in found.lines)


def test_a_line_is_in_because_something_reads_what_it_binds(told):
    found, text, _ = told
    reasons = {reason.name: reason for reason in found.lines if reason.name}

    assert reasons["predict"].why == "the root itself"
    assert reasons["helper"].why == "function: predict reads helper"
    assert reasons["helper"].chain == ("predict", "helper")
    assert (reasons["helper"].cell_id, reasons["helper"].execution_count) == ("c6", 6)
    assert reasons["math"].why == "imported: helper reads math"
    assert reasons["math"].chain == ("predict", "helper", "math")
    assert reasons["TABLE"].why == "value captured as it was: predict reads TABLE"
    assert reasons["_load"].why == "loads the captured values"
    lines = text.split("\n")
    assert lines[reasons["LIMIT"].first_line - 1] == "# euro"


CELL_REASONS = {
    1: "in: its import of math is written at the top; predict reads none of Counter, json",
    2: "in: it has the text of LIMIT; WEIGHTS travels as it is now (text), without this code",
    3: "out: predict reads none of data, mean",
    4: "in: TABLE travels as it is now (state/TABLE.json), without this code",
    5: "out: its helper is not what helper means now (cell In[6] (c6))",
    6: "in: it has the text of helper; predict reads none of unused",
    7: "in: it has the text of predict",
    8: "out: 2 golden cases recorded here; it defines nothing: it shows or computes",
    9: "out: it defines nothing: it shows or computes",
}


@pytest.mark.parametrize("count", CELL_REASONS)
def test_a_cell_is_in_or_out_for_a_reason(told, count):
    found, _, _ = told
    (cell,) = (cell for cell in found.cells if cell.execution_count == count)

    assert cell.why == CELL_REASONS[count]


def test_a_value_has_its_codec_size_reader_and_origin(told):
    found, _, record = told
    values = {value.name: value for value in found.values}
    (entry,) = record.state

    table = values["TABLE"]
    assert (table.type, table.codec, table.file) == ("list", "json", "TABLE.json")
    assert (table.size_bytes, table.reader) == (entry.size_bytes, "predict")
    assert (table.origin, table.cell_id) == ("cell In[4] (c4)", "c4")
    assert (values["LIMIT"].codec, values["LIMIT"].origin) == (
        "text",
        "cell In[2] (c2)",
    )


def test_lines_kept_are_counted_without_comments_and_blank_lines(told):
    found, _, _ = told

    assert found.lines_kept == 1 + 2 + 2  # LIMIT, helper, predict
    assert found.lines_of_notebook == 20


def test_magics_are_out_and_an_estimator_is_written_for_the_root(tmp_path):
    notebook = ExecutedNotebook(roots=("model",))
    notebook.namespace["get_ipython"] = lambda: SimpleNamespace(run_line_magic=print)
    for source in (
        "get_ipython().run_line_magic('time', '')\n",
        "import numpy as np\nfrom sklearn.linear_model import LinearRegression\n",
        "X_test = np.arange(20.0).reshape(10, 2)\nmodel = LinearRegression().fit(X_test, X_test[:, 0])\n",
    ):
        notebook.run(source)
    notebook.capture(tmp_path / "capture", "model")
    found = read_record(Explanation, tmp_path / "capture" / "explanation.json")

    assert found.cells[0].why == (
        "out: it holds no code but magics, shell commands and comments"
    )
    assert found.cells[2].why.startswith("in: model travels as it is now (state/model.")
    whys = {reason.name: reason.why for reason in found.lines}
    assert whys["predict"] == "function: written for the root"
    assert whys["model"] == "the root itself"


def test_tables_name_lines_cells_and_values_and_escape_what_they_show(told):
    found, _, _ = told

    text = explanation_text(found)
    html = tables_html("a < b", [("<caption>", ("<head>",), [("<cell>",)])], ["<note>"])

    assert text.splitlines()[0] == (
        "predict of test.ipynb: 5 of 20 lines of code kept, "
        f"{found.module_lines} lines in the module"
    )
    assert "In[6] c6" in text
    assert "TABLE" in text
    for raw in ("a < b", "<caption>", "<head>", "<cell>", "<note>"):
        assert raw not in html


def check(notebook, root="predict"):
    return check_root(
        root, live=notebook.live, codecs=all_codecs(), installed=installed_here
    )


def test_a_check_replays_in_this_process_and_leaves_nothing(tmp_path):
    import sys

    notebook = ExecutedNotebook(*CELLS)
    before = set(sys.modules)

    found = check(notebook)

    assert found.passed
    assert (found.cases, found.cases_replayed, found.rows) == (2, 2, 2)
    assert (found.lines_kept, found.lines_of_notebook) == (5, 20)
    assert [f.hazard for f in found.findings] == ["few-cases"]
    assert {n for n in set(sys.modules) - before if "nbship_check" in n} == set()


def test_a_check_names_every_hazard_with_its_cell():
    notebook = ExecutedNotebook(
        "import threading\nlock = threading.Lock()\n",
        "API_KEY = 'abcdefgh12345678'\n",
        "def predict(x):\n    with lock:\n        return len(API_KEY)\n",
        "predict(1)",
    )

    found = check(notebook)

    assert not found.passed
    assert [(f.hazard, f.name, f.cell_id) for f in found.findings] == [
        ("handle", "lock", "c1"),
        ("secret", "API_KEY", "c2"),
    ]
    assert all(f.severity == "blocker" and f.hint for f in found.findings)


def test_a_check_finds_an_answer_that_rests_on_what_was_changed_since():
    notebook = ExecutedNotebook(
        "RATES = {'a': 1}\ndef predict(x):\n    return RATES['a'] * x\n",
        "predict(2)",
        "RATES['a'] = 5",
    )

    (finding, *_) = check(notebook).findings

    assert (finding.hazard, finding.severity) == ("parity", "blocker")
    assert finding.message == "case 1: 10 where 2 was recorded"


def test_a_check_is_one_json_value_with_its_schema():
    from nbship.records.codec import json_text

    data = json.loads(json_text(check(ExecutedNotebook(*CELLS))))

    assert data["schema"] == "export-check/1"
    assert data["passed"] is True

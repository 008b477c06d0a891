"""Loading the extension costs little and brings in nothing heavy."""

from __future__ import annotations

import json
import subprocess
import sys

import nbformat
import pytest
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from nbformat.v4 import new_code_cell, new_notebook

HEAVY = {"mlflow", "wandb", "papermill", "pandas", "numpy", "anywidget", "sqlite3"}
LIMIT_MS = 20
SCRIPT = """
import sys, time, json
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance()
before = set(sys.modules)
begun = time.process_time()
shell.run_line_magic("load_ext", "nbship")
cost_ms = (time.process_time() - begun) * 1000
new = {name.partition(".")[0] for name in set(sys.modules) - before}
print(json.dumps({"cost_ms": cost_ms, "new": sorted(new)}))
"""


def loaded() -> dict:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True
    )
    return json.loads(done.stdout.splitlines()[-1])


def test_loading_takes_less_than_20_ms_of_cpu():
    assert min(loaded()["cost_ms"] for _ in range(3)) < LIMIT_MS


def test_loading_imports_nothing_heavy():
    assert not HEAVY & set(loaded()["new"])


@pytest.mark.kernel
@pytest.mark.parametrize(
    ("line", "ename", "text"),
    [
        ("%mlops log loss=1", "RunError", "no run is active"),
        ("%mlops strat x", "UsageError", "no verb 'strat'"),
        ("import nbship; nbship.log(loss='x')", "UsageError", "a number was expected"),
    ],
)
def test_headless_a_failed_line_fails_the_notebook_with_its_reason(
    tmp_path, line, ename, text
):
    cells = [new_code_cell("%load_ext nbship"), new_code_cell(line)]
    notebook = new_notebook(cells=cells)
    client = NotebookClient(
        notebook, kernel_name="python3", resources={"metadata": {"path": tmp_path}}
    )
    with pytest.raises(CellExecutionError) as caught:
        client.execute()
    assert caught.value.ename == ename
    (error,) = [o for o in cells[1].outputs if o.output_type == "error"]
    assert error.ename == ename
    assert text in error.evalue
    assert len(error.traceback) == 2
    nbformat.validate(notebook)

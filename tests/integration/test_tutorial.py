"""The tutorial runs from top to bottom."""

import shutil
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

BINDER = Path(__file__).resolve().parents[2] / "binder"
pytestmark = [
    pytest.mark.full,
    pytest.mark.kernel,
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]


@pytest.fixture(scope="module")
def executed(tmp_path_factory):
    folder = shutil.copytree(
        BINDER,
        tmp_path_factory.mktemp("tutorial") / "binder",
        ignore=shutil.ignore_patterns(".mlops"),
    )
    notebook = nbformat.read(folder / "tutorial.ipynb", as_version=4)
    NotebookClient(
        notebook, timeout=600, resources={"metadata": {"path": str(folder)}}
    ).execute()
    return folder, {cell.id: cell for cell in notebook.cells}


def _text(cell):
    parts = [
        o.get("text") or o.get("data", {}).get("text/plain", "") for o in cell.outputs
    ]
    return "".join(parts)


def test_no_cell_of_the_tutorial_fails(executed):
    _, cells = executed

    assert [
        i
        for i, c in cells.items()
        for o in c.get("outputs", [])
        if o.output_type == "error"
    ] == []


def test_the_export_of_the_tutorial_is_proven(executed):
    folder, cells = executed

    assert "parity" in _text(cells["export"]).lower()
    assert list((folder / ".mlops" / "exports").glob("*/dist/wine-*.whl"))


def test_the_job_of_the_tutorial_is_vetted_and_reported(executed):
    folder, _ = executed

    assert list((folder / ".mlops" / "verdicts").glob("*.json"))
    assert list((folder / ".mlops" / "reports").glob("*.html"))

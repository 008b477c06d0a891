"""A run recorded in a real notebook in JupyterLab: its widget and its row in the panel."""

from __future__ import annotations

import json

import pytest
from playwright.sync_api import expect

pytestmark = [pytest.mark.lab, pytest.mark.full, pytest.mark.kernel]

LOSSES = (
    "import nbship\nfor step in range(1, 11):\n    nbship.log(loss=1 / step, step=step)"
)


@pytest.fixture
def project(lab, request):
    """A folder of its own for each test: kernels outlive their page."""
    folder = lab.root / request.node.name
    folder.mkdir()
    (folder / "mlops.toml").write_text("trackers = []\n")
    return folder


def output(page, cell):
    return page.locator(".jp-Notebook .jp-CodeCell").nth(cell).locator(".jp-OutputArea")


def outputs_in_file(page, path, cell):
    """Save the notebook until its file holds the outputs of that cell."""
    for _ in range(100):
        page.keyboard.press("Control+s")
        cells = json.loads(path.read_text("utf-8"))["cells"]
        if cells[cell]["outputs"]:
            return cells[cell]["outputs"]
        page.wait_for_timeout(100)
    pytest.fail(f"{path}: cell {cell} has no outputs")


def test_a_running_run_is_shown_by_widget_and_panel(
    lab, project, open_lab, run_all, shoot
):
    notebook = f"{project.name}/penguins.ipynb"
    lab.write_notebook(
        notebook, "%load_ext nbship\n%mlops start penguins", "%mlops status", LOSSES
    )
    page = open_lab(notebook)
    run_all()

    view = output(page, 1).locator(".nbship-run-view")
    expect(view.locator("table")).to_contain_text("penguins")
    expect(view.get_by_role("img")).to_have_attribute(
        "aria-label", "loss: from 1 to 0.1 in 10 points"
    )
    row = page.locator("#nbship-panel .nbship-Run")
    expect(row).to_have_count(1)
    expect(row).to_contain_text("penguins")
    expect(row).to_contain_text("running")
    expect(row.locator("dd")).to_have_text("0.1")
    expect(row).to_have_attribute("data-stage", "design")
    shoot("recording")

    (shown,) = outputs_in_file(page, lab.root / notebook, 1)
    assert "application/vnd.jupyter.widget-view+json" in shown["data"]
    assert "<table>" in "".join(shown["data"]["text/html"])
    assert "penguins" in "".join(shown["data"]["text/plain"])


def test_a_stopped_run_is_shown_by_static_html_and_panel(
    lab, project, open_lab, run_all, shoot
):
    notebook = f"{project.name}/penguins.ipynb"
    lab.write_notebook(
        notebook,
        "%load_ext nbship\n%mlops start penguins",
        LOSSES,
        "%mlops log accuracy=0.975\n%mlops stop",
        "%mlops status",
        "%mlops statsu",
    )
    page = open_lab(notebook)
    run_all()

    static = output(page, 3).locator(".nbship-run")
    expect(static).to_contain_text("succeeded")
    expect(static.get_by_role("img").first).to_be_visible()
    row = page.locator("#nbship-panel .nbship-Run")
    expect(row).to_contain_text("succeeded")
    expect(row.locator("dt")).to_have_text(["loss", "accuracy"])
    expect(row.locator("dd")).to_have_text(["0.1", "0.975"])
    mistake = output(page, 4)
    expect(mistake).to_contain_text("Did you mean 'status'?")
    expect(mistake).not_to_contain_text("Traceback")
    shoot("recorded")

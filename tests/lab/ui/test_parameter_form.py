"""The form of a notebook's parameters in JupyterLab: typed in, checked, and submitted."""

from __future__ import annotations

import importlib.resources
import json

import nbformat
import pytest
from playwright.sync_api import expect

from support.notebook_files import write_notebook

pytestmark = [pytest.mark.lab, pytest.mark.full, pytest.mark.kernel]

PARAMETERS = """
from enum import Enum
from typing import Annotated, Literal
from annotated_types import Gt, Le
class Optimizer(Enum):
    SGD = "sgd"
    ADAM = "adam"
lr: Annotated[float, Gt(0), Le(1)] = 0.1  # learning rate
wait: float = 2.0  # [s] between two epochs
depth: int | None = None  # of the trees
how: Literal["mean", "median"] = "mean"
optimizer: Optimizer = Optimizer.ADAM
layers: list[int] = [64, 32]
seed: int  # of the generator
shuffle = True
"""


@pytest.fixture
def project(lab, request):
    folder = lab.root / request.node.name
    folder.mkdir()
    (folder / "mlops.toml").write_text("trackers = []\n")
    write_notebook(folder / "train.ipynb", "print(lr, seed)", parameters=PARAMETERS)
    return folder


def test_what_is_typed_into_the_form_is_checked_and_submitted(
    lab, project, open_lab, run_all, shoot
):
    notebook = f"{project.name}/main.ipynb"
    lab.write_notebook(
        notebook,
        "%load_ext nbship",
        "%mlops params train.ipynb --form",
        "%mlops submit train.ipynb --form",
    )
    page = open_lab(notebook)
    cells = page.locator(".jp-Notebook .jp-CodeCell")
    cells.nth(1).locator(".cm-content").click()
    page.get_by_role("menuitem", name="Run", exact=True).click()
    above = page.get_by_text("Run All Above Selected Cell", exact=True)
    page.locator(".lm-Menu-item", has=above).click()
    cells.nth(1).locator(".cm-content").click()
    page.keyboard.press("Shift+Enter")

    form = cells.nth(1).get_by_role("form", name="Parameters of train.ipynb")
    rate = form.get_by_label("lr", exact=True)
    rate.fill("5")
    expect(form.locator(".nbship-form-mistake", has_text="at most 1")).to_be_visible()
    expect(rate).to_have_attribute("aria-invalid", "true")
    expect(form).to_contain_text("needed: seed")
    shoot("form-mistake")
    script = importlib.resources.files("axe_playwright_python") / "axe.min.js"
    page.evaluate(script.read_text("utf-8"))
    faults = page.evaluate("axe.run('.nbship-form')")["violations"]
    assert [(f["id"], f["help"]) for f in faults] == []

    rate.fill("0.5")
    form.get_by_label("seed", exact=True).fill("7")
    form.get_by_label("optimizer", exact=True).select_option("SGD")
    expect(form.locator(".nbship-form-line")).to_have_text(
        "%mlops submit train.ipynb -p lr=0.5 -p optimizer=SGD -p seed=7"
    )
    expect(rate).to_have_attribute("aria-invalid", "false")
    shoot("form")

    cells.nth(2).locator(".cm-content").click()
    page.keyboard.press("Shift+Enter")
    said = cells.nth(2).locator(".jp-OutputArea")
    expect(said).to_contain_text("succeeded", timeout=120_000)

    (job,) = (project / ".mlops" / "jobs").iterdir()
    assert json.loads((job / "job.json").read_text())["values"] == {
        "lr": 0.5,
        "optimizer": "SGD",
        "seed": 7,
    }
    executed = nbformat.read(job / "attempts" / "1" / "output.ipynb", as_version=4)
    assert executed.cells[-1].outputs[0].text == "0.5 7\n"

"""The side panel in JupyterLab, seen in Chromium."""

from __future__ import annotations

import shutil

import pytest
from playwright.sync_api import TimeoutError as NothingCameError
from playwright.sync_api import expect

from nbship.adapters.store.files import FileStore
from support.runs import write_release, write_run

pytestmark = [pytest.mark.lab, pytest.mark.full]

JOB = "job-20261101-000000-0000"


@pytest.fixture
def store(lab):
    yield FileStore(lab.root / ".mlops")
    shutil.rmtree(lab.root / ".mlops", ignore_errors=True)


@pytest.fixture
def some_runs(store):
    write_run(store, 1, metrics={"accuracy": 0.9127, "loss": 0.3321})
    write_run(store, 2, status="failed", experiment="penguins-gradient-boosting")
    job = {"origin": "job", "job_id": "job-20261101-000000-0007"}
    metrics = {"accuracy": 0.9731, "f1_macro": 0.9702, "loss": 0.1123}
    write_run(store, 3, metrics=metrics, **job)
    shipped = write_run(
        store, 4, metrics={"accuracy": 0.9852}, origin="job", job_id=JOB
    )
    write_release(store, version="1.0.0", job_id=JOB, run_id=shipped)
    write_run(store, 5, status="running", metrics={"accuracy": float("nan")})
    broken = write_run(store, 6)
    (store.run_folder(broken) / "journal.jsonl").write_text("[]\n")


def rows(page):
    return page.locator("#nbship-panel .nbship-Run")


def test_without_runs_the_panel_says_what_to_do(open_lab, shoot):
    page = open_lab()
    expect(page.locator("#nbship-panel")).to_contain_text("No runs recorded yet")
    expect(page.locator("#nbship-panel")).to_contain_text("%mlops start")
    shoot("panel-empty")


@pytest.mark.parametrize("theme", ["JupyterLab Light", "JupyterLab Dark"])
def test_the_panel_lists_runs_with_stage_status_and_metrics(
    lab, some_runs, open_lab, shoot, theme
):
    lab.set_theme(theme)
    page = open_lab()
    expect(rows(page)).to_have_count(6)
    stages = [row.get_attribute("data-stage") for row in rows(page).all()]
    assert stages == ["design", "design", "production", "test", "design", "design"]
    expect(rows(page).nth(2)).to_contain_text("Released as penguins 1.0.0")
    expect(rows(page).nth(3)).to_contain_text("0.9731")
    expect(rows(page).nth(4)).to_contain_text("ValueError: no rows are left")
    expect(rows(page).nth(0)).to_contain_text("damaged")
    shoot(f"panel-{theme.split()[1].lower()}")


def test_one_stage_can_be_chosen_with_the_keyboard(some_runs, open_lab, shoot):
    page = open_lab()
    expect(rows(page)).to_have_count(6)
    stage = page.locator(".nbship-Stages button[data-stage='production']")
    stage.focus()
    page.keyboard.press("Enter")
    expect(stage).to_have_attribute("aria-pressed", "true")
    expect(rows(page)).to_have_count(1)
    shoot("panel-production")
    page.keyboard.press("Enter")
    expect(rows(page)).to_have_count(6)


def test_a_run_appears_without_a_click(store, open_lab):
    write_run(store, 1)
    page = open_lab()
    expect(rows(page)).to_have_count(1)
    write_run(store, 2)
    expect(rows(page)).to_have_count(2)


def test_the_notebook_of_a_run_opens_from_its_row(lab, store, open_lab):
    lab.write_notebook("penguins.ipynb", "1 + 1")
    write_run(store, 1)
    page = open_lab()
    button = page.locator(".nbship-Run-notebook")
    button.focus()
    page.keyboard.press("Enter")
    page.locator(".jp-Notebook .jp-CodeCell").first.wait_for()
    expect(page.locator(".lm-TabBar-tab", has_text="penguins.ipynb")).to_be_visible()


def test_the_panel_follows_the_notebook_into_its_project(lab, store, open_lab):
    write_run(store, 1, experiment="outer")
    inner = FileStore(lab.root / "birds" / ".mlops")
    write_run(inner, 2, experiment="inner")
    lab.write_notebook("birds/new.ipynb", "1 + 1")
    page = open_lab("birds/new.ipynb")
    expect(rows(page)).to_have_count(1)
    expect(rows(page)).to_contain_text("inner")
    expect(page.locator("#nbship-panel .nbship-Title")).to_have_text("Runs of birds")


def test_a_missing_server_extension_is_told_with_the_cure(open_lab, page, shoot):
    page.route("**/nbship/runs*", lambda route: route.fulfill(status=404, body=""))
    open_lab()
    expect(page.get_by_role("alert")).to_contain_text("jupyter server extension enable")
    shoot("panel-missing")


def test_a_server_that_does_not_answer_is_told_and_asked_again(
    store, open_lab, page, shoot
):
    write_run(store, 1)
    open_lab()
    expect(rows(page)).to_have_count(1)
    page.route("**/nbship/runs*", lambda route: route.abort())
    page.get_by_role("button", name="Refresh the runs").click()
    expect(page.get_by_role("alert")).to_contain_text("does not answer")
    expect(rows(page)).to_have_count(1)
    shoot("panel-offline")
    page.unroute("**/nbship/runs*")
    page.get_by_role("button", name="Refresh the runs").click()
    expect(page.get_by_role("alert")).to_have_count(0)


def test_a_hidden_panel_asks_nothing(store, open_lab, page):
    write_run(store, 1)
    open_lab()
    expect(rows(page)).to_have_count(1)
    page.locator(".lm-TabBar-tab[data-id='nbship-panel']").click()
    expect(page.locator("#nbship-panel")).to_be_hidden()
    asked = {"predicate": lambda r: "/nbship/" in r.url, "timeout": 4000}
    with pytest.raises(
        NothingCameError
    ):  # the settings of these tests ask every second
        page.wait_for_event("request", **asked)
    page.locator(".lm-TabBar-tab[data-id='nbship-panel']").click()
    expect(rows(page)).to_have_count(1)

"""Reports in real Chromium: inert, accessible, narrow and on paper."""

from __future__ import annotations

import importlib.resources
import json

import pytest
from playwright.sync_api import sync_playwright

from nbship.adapters.bundles.ssh_seal import SshSealer, create_key
from nbship.faces.report_exporter import ReportExporter
from nbship.records.policy import Policy
from nbship.records.vetting import Decision, Finding, Severity
from nbship.workbench import Workbench
from nbship.workflow.report import gather_facts, write_report
from nbship.workflow.review import decide
from support.hostile import hostile_notebook
from support.review_case import (
    AT,
    JOB_ID,
    ReviewCase,
    code,
    penguins_notebook,
    shown,
    waiver,
)
from support.tools import need_tool

pytestmark = [pytest.mark.lab, pytest.mark.full]

FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
)
WIDE = "<table><thead><tr>{}</tr></thead><tbody><tr>{}</tr></tbody></table>".format(
    "".join(f"<th>feature_{n}</th>" for n in range(30)), "<td>0.123456</td>" * 30
)
FINDINGS = (
    Finding(code="NB1", severity=Severity.NOTE, message="order", cell_id="load"),
    Finding(code="NB2", severity=Severity.WARNING, message="seed", cell_id="train"),
    Finding(code="NB301", severity=Severity.WARNING, message="split", waiver=waiver()),
)
UNFOLD = "document.querySelectorAll('details').forEach(d => { d.open = true })"
BLOCKER = Finding(code="SEC001", severity=Severity.BLOCKER, message="a secret")


@pytest.fixture(scope="module")
def browser():
    chromium = need_tool("chromium", "chromium-browser", "google-chrome")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def reports(tmp_path_factory):
    """Files of three reports: approved, blocked, and hostile."""
    folder = tmp_path_factory.mktemp("reports")
    hostile, _ = ReportExporter().from_notebook_node(hostile_notebook())
    (folder / "hostile.html").write_text(hostile, "utf-8")
    notebook = penguins_notebook()
    notebook.cells += [
        code("wide", "frame", shown({"text/html": WIDE})),
        code("long", "x = " + "'abc' + " * 60 + "''"),
        code("error", "1/0", count=None),
    ]
    for name, findings in (("approved", FINDINGS), ("blocked", (*FINDINGS, BLOCKER))):
        project = folder / name
        project.mkdir()
        (project / "mlops.toml").write_text("")
        case = ReviewCase(project, notebook)
        case.finish()
        _write(case, case.vet(*findings), folder / f"{name}.html")
    return folder


def _write(case, verdict, path):
    create_key(case.project / "key")
    sealer = SshSealer(case.project / "key")
    decide(
        case.store,
        verdict,
        decision=Decision.APPROVED if verdict.passed else Decision.REJECTED,
        reason="read it",
        reviewer="Ann",
        reviewers=(),
        sealer=sealer,
        approval_id="approval-20261123-093000-0000",
        at=AT,
    )
    facts = gather_facts(
        case.store,
        JOB_ID,
        report_id="report-20261123-093000-0000",
        at=AT,
        tool="nbship",
        owner="Ann",
        policy=Policy(),
        reviewers=(),
        sealer=sealer,
    )
    render = Workbench.open(case.project).render_report
    write_report(case.store, facts, render=render, path=path)


@pytest.fixture
def open_page(browser):
    contexts = []

    def open_page(path, *, width=1280, **options):
        context = browser.new_context(
            viewport={"width": width, "height": 900}, **options
        )
        contexts.append(context)
        page = context.new_page()
        page.heard = []
        page.on(
            "dialog", lambda d: (page.heard.append(f"dialog {d.message}"), d.dismiss())
        )
        page.on("console", lambda m: page.heard.append(f"console {m.text}"))
        page.on("pageerror", lambda e: page.heard.append(f"error {e}"))
        page.on("popup", lambda p: page.heard.append(f"popup {p.url}"))
        page.requested = []
        page.on("request", lambda r: page.requested.append(r.url))
        page.goto(path.as_uri(), wait_until="load")
        return page

    yield open_page
    for context in contexts:
        context.close()


@pytest.mark.parametrize("name", ["hostile", "approved", "blocked"])
def test_nothing_runs_nothing_leaves_and_the_policy_is_never_hit(
    open_page, reports, name
):
    page = open_page(reports / f"{name}.html")
    page.evaluate(UNFOLD)
    page.locator("img").last.scroll_into_view_if_needed()
    assert page.heard == []
    outside = [u for u in page.requested if not u.startswith(("file:", "data:"))]
    assert outside == []
    assert page.evaluate("document.scripts.length") == 0
    assert page.url == (reports / f"{name}.html").as_uri()


def test_a_click_on_any_link_of_a_hostile_notebook_runs_nothing(open_page, reports):
    page = open_page(reports / "hostile.html")
    hrefs = page.evaluate("Array.from(document.links, a => [a.protocol, a.rel])")
    assert {protocol for protocol, _ in hrefs} <= {
        "file:",
        "https:",
        "http:",
        "mailto:",
    }
    page.evaluate("document.querySelectorAll('a:not([href])').forEach(a => a.click())")
    assert page.heard == []


@pytest.mark.parametrize("name", ["approved", "blocked"])
@pytest.mark.parametrize(
    ("scheme", "width"), [("light", 1280), ("dark", 1280), ("light", 400)]
)
def test_axe_finds_no_serious_fault(open_page, reports, name, scheme, width):
    page = open_page(
        reports / f"{name}.html", width=width, color_scheme=scheme, bypass_csp=True
    )
    page.evaluate(UNFOLD)
    script = importlib.resources.files("axe_playwright_python") / "axe.min.js"
    page.evaluate(script.read_text("utf-8"))
    found = page.evaluate("axe.run()")
    serious = [
        {"rule": v["id"], "nodes": [n["html"] for n in v["nodes"]]}
        for v in found["violations"]
        if v["impact"] in {"serious", "critical"}
    ]
    assert not serious, json.dumps(serious, indent=1)
    assert len(found["passes"]) > 15


@pytest.mark.parametrize("name", ["approved", "blocked", "hostile"])
def test_at_400_pixels_nothing_is_wider_than_the_page(open_page, reports, name):
    page = open_page(reports / f"{name}.html", width=400)
    assert page.evaluate("document.documentElement.scrollWidth") == 400
    if name == "approved":
        table = page.locator("#cell-6 .scroll")
        assert table.evaluate("e => e.scrollWidth > e.clientWidth")


def test_the_skip_link_is_the_first_stop_and_leads_to_the_notebook(open_page, reports):
    page = open_page(reports / "approved.html")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the notebook"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "notebook"


def test_a_finding_leads_to_its_cell_and_back(open_page, reports):
    page = open_page(reports / "approved.html")
    page.locator("#finding-1").get_by_role("link", name="cell 5").click()
    assert page.url.endswith("#cell-5")
    page.locator("#cell-5").get_by_role("link", name="NB2").click()
    assert page.url.endswith("#finding-1")


def test_printing_opens_the_code_and_leaves_out_the_navigation(
    open_page, reports, tmp_path
):
    page = open_page(reports / "approved.html")
    code_block = page.locator("#cell-2 pre.highlight")
    assert not code_block.is_visible()
    page.emulate_media(media="print")
    assert code_block.bounding_box()["height"] > 10
    assert not page.locator("nav").is_visible()
    paper = page.pdf(path=tmp_path / "report.pdf", prefer_css_page_size=True)
    assert paper.startswith(b"%PDF")

"""Table and plot of a sweep in real Chromium: as a page, and as a widget that lights up."""

from __future__ import annotations

import json

import pytest
from playwright.sync_api import sync_playwright

from nbship.widgets import sweep_view
from nbship.widgets.sweep_table import sweep_html, sweep_page
from support.sweep_case import line_results, mixed_results
from support.tools import need_tool

pytestmark = [pytest.mark.lab, pytest.mark.full]

FLAGS = ("--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run")
#: as anywidget calls it, with a model that holds one state
HARNESS = """<!doctype html><body data-jp-theme-light="false"><div id="el"></div>
<script type="module">
{module}
const model = {{ get: () => {html}, on: () => {{}}, off: () => {{}} }};
window.end = view.render({{ model, el: document.getElementById("el") }});
</script></body>"""


@pytest.fixture(scope="module")
def browser():
    chromium = need_tool("chromium", "chromium-browser", "google-chrome")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def page(browser):
    page = browser.new_page(viewport={"width": 1100, "height": 800})
    page.problems = []
    page.on("console", lambda message: page.problems.append(message.text))
    page.on("pageerror", lambda error: page.problems.append(str(error)))
    yield page
    page.close()


@pytest.mark.parametrize("results", [mixed_results(), line_results()])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_can_be_read_in_light_and_dark_and_on_a_phone(page, results, scheme):
    page.emulate_media(color_scheme=scheme)
    page.set_content(sweep_page(results, link=lambda row: row.executed))
    colours = page.evaluate(
        "() => [document.querySelector('h1'), document.body].map("
        "e => getComputedStyle(e)).map(s => [s.color, s.backgroundColor])"
    )
    ink, ground = colours[0][0], colours[1][1]
    assert (sum(numbers(ink)) < sum(numbers(ground))) == (scheme == "light")
    chart = page.locator("svg.sw-chart").bounding_box()
    assert chart["width"] > 600
    page.set_viewport_size({"width": 380, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") <= 380
    assert page.problems == []


def numbers(colour):
    return [float(word) for word in colour.strip("rgba()").split(",")[:3]]


def test_a_row_of_the_widget_lights_its_line_up(page):
    source = (sweep_view._HERE / "sweep_view.js").read_text("utf-8")
    html = json.dumps(sweep_html(mixed_results(), link=lambda row: row.executed))
    module = source.replace("export default", "const view =")
    page.set_content(HARNESS.format(module=module, html=html.replace("</", "<\\/")))
    line = page.locator("path[data-row='14']")
    assert "sw-lit" not in line.get_attribute("class")
    page.locator("tr[data-row='14'] td").first.hover()
    assert "sw-lit" in line.get_attribute("class")
    page.mouse.move(0, 0)
    assert "sw-lit" not in line.get_attribute("class")
    page.evaluate("window.end()")
    page.locator("tr[data-row='14'] td").first.hover()
    assert "sw-lit" not in line.get_attribute("class")
    assert page.problems == []

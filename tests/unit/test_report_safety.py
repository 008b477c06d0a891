"""Nothing that a notebook brings along acts, loads or covers anything in a report."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nbship.faces.report_clean import clean_html
from nbship.faces.report_exporter import ReportExporter
from nbship.faces.report_markdown import clean_markdown
from support.hostile import HTML, MARKDOWN, hostile_notebook
from support.html import Page
from support.review_case import code, notebook_of, shown

FORBIDDEN = {
    "script", "iframe", "object", "embed", "form", "input", "button", "base", "svg",
    "math", "video", "audio", "frame", "textarea", "template", "applet",
}  # fmt: skip
LINK = re.compile(r"#|https?://|mailto:")


def assert_inert(page: Page) -> None:
    for element in page.elements:
        assert element.tag not in FORBIDDEN, element
        for name, value in element.attributes.items():
            assert not name.startswith("on"), element
            assert name not in {"srcset", "srcdoc", "action", "ping", "target"}, element
            if name == "href" and element.tag == "a":
                assert LINK.match(value), element
                assert value[0] == "#" or "noopener" in element.attributes["rel"]
            elif name in {"src", "href"}:
                assert value.startswith("data:"), element
            elif name == "style":
                assert not re.search(r"\(|position", value), element


@pytest.fixture(scope="module")
def hostile():
    text, _ = ReportExporter().from_notebook_node(hostile_notebook())
    return Page(text)


def test_a_hostile_notebook_leaves_nothing_active_in_the_page(hostile):
    assert_inert(hostile)
    metas = {m.attributes.get("http-equiv", "").lower() for m in hostile.all("meta")}
    assert metas == {"", "content-security-policy"}
    assert [link.attributes["href"] for link in hostile.all("link")] == ["data:,"]


def test_the_policy_allows_no_script_no_network_and_no_form(hostile):
    policy = next(
        m.attributes["content"]
        for m in hostile.all("meta")
        if "http-equiv" in m.attributes
    )
    assert policy == (
        "default-src 'none'; img-src data:; style-src 'unsafe-inline'; "
        "base-uri 'none'; form-action 'none'"
    )


def test_a_notebook_cannot_pose_as_the_report(hostile):
    assert len(hostile.all("h1")) == 1
    assert hostile.all("h1")[0].text == "</title><script>alert(1)</script>"
    assert [e.attributes["id"] for e in hostile.all("main")] == ["content"]
    assert hostile.by_id("nb-content").attributes.get("class", "") == ""
    assert not [e for e in hostile.elements if e.has_class("banner")]


@pytest.mark.parametrize("html", HTML)
def test_each_attack_alone_is_cleaned_into_well_formed_html(html):
    assert_inert(Page(clean_html(html, label="output of cell 1")))


def test_markdown_is_cleaned():
    page = Page(clean_markdown(MARKDOWN, attachments={}, label="text of cell 1"))
    assert_inert(page)
    assert "https://evil.example/y.png" in page.elements[0].text


_TAGS = st.sampled_from(
    ["<table>", "<th>", "<thead>", "</table>", "<img src=x alt='>'>", "<h2 id=a>", '"',
     "<p title='", "'>", "<script>", "</script>", "<svg>", "<style>", "</h2>", "<!--", "x"]
)  # fmt: skip


@given(st.lists(_TAGS, max_size=12).map("".join))
def test_no_nesting_of_tags_gets_anything_through(html):
    assert_inert(Page(clean_html(html, label='"<b>')))


@given(st.text(max_size=60))
def test_no_text_gets_anything_through(text):
    assert_inert(Page(clean_html(text, label="x")))


def test_an_output_of_every_form_at_once_shows_the_picture_only():
    forms = {"text/html": "<b>x</b>", "text/plain": "x", "image/png": "!!"}
    text, _ = ReportExporter().from_notebook_node(
        notebook_of(code("a", "x", shown(forms)))
    )
    assert "<b>x</b>" in text  # the picture is none, so the next form serves

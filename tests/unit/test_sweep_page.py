"""Table and plot of a sweep: one row a job, linked, the best one marked, nothing runs."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from nbship.records.codec import from_json, to_json
from nbship.records.domains import Domain
from nbship.records.sweep import SweepResults
from nbship.verbs.sweep_words import results_text
from nbship.widgets.sweep_chart import sweep_chart
from nbship.widgets.sweep_table import best_text, summary, sweep_html, sweep_page
from nbship.widgets.sweep_view import make_sweep_view
from support.html import Page
from support.sweep_case import (
    DEPTH,
    HOW,
    LR,
    line_results,
    mixed_results,
    row_of,
    sweep_of,
)


def link(row):
    return f"../../{row.executed}"


def page_of(results):
    return Page(sweep_page(results, link=link))


def body_rows(page):
    return [r for r in page.all("tr") if "data-row" in r.attributes]


def shapes(page, number):
    return [
        e
        for e in page.all("path", "circle")
        if e.attributes.get("data-row") == str(number)
    ]


def test_each_job_is_a_row_linked_to_its_executed_notebook():
    results = mixed_results()
    page = page_of(results)
    by_number = {row.number: row for row in results.rows}
    rows = body_rows(page)
    assert len(rows) == 24
    for found in rows:
        row = by_number[int(found.attributes["data-row"])]
        links = [a for a in page.all("a") if found in a.parents]
        assert [a.attributes["href"] for a in links] == (
            [link(row)] if row.executed else []
        )
        assert all(str(value) in found.text for value in row.values.values())


def test_the_best_row_stands_first_and_is_marked():
    page = page_of(mixed_results())
    best, *others = body_rows(page)
    assert best.attributes["data-row"] == "13"
    assert best.has_class("sw-best")
    assert "★" in best.text
    assert not any(row.has_class("sw-best") for row in others)
    assert [s.attributes["class"] for s in shapes(page, 13)] == ["sw-job sw-best"]
    assert "accuracy 0.9 with lr=0.01, depth=4, how=mean" in page.all("main")[0].text


def test_failed_and_pruned_rows_say_why():
    page = page_of(mixed_results())
    texts = {row.attributes["data-row"]: row.text for row in body_rows(page)}
    assert "ValueError in cell fit: the input holds <NaN> & inf" in texts["4"]
    assert "behind the median of earlier jobs" in texts["7"]
    assert "killed by SIGKILL" in texts["11"]
    assert "waiting" in texts["24"]
    assert "reused" in texts["13"]
    assert shapes(page, 7)[0].has_class("sw-pruned")
    assert shapes(page, 4)[0].has_class("sw-failed")


def test_a_pruned_job_is_no_success_in_the_summary():
    assert summary(mixed_results()) == (
        "24 jobs: 19 succeeded, 1 failed, 1 pruned, 1 killed, 1 running, 1 waiting"
    )


def test_the_page_runs_nothing_and_asks_nobody():
    text = sweep_page(mixed_results(), link=link)
    page = Page(text)
    assert not page.all("script", "link", "img", "iframe", "object")
    assert "http" not in text.replace("http://www.w3.org/2000/svg", "")
    assert not [n for e in page.elements for n in e.attributes if n.startswith("on")]
    assert text.count("<style>") == 1


def test_what_users_wrote_is_escaped():
    evil = "<script>alert('x')</script>"
    domain = Domain(name=evil, text="", values=(evil, "\"'>"))
    rows = (
        row_of(1, values={evil: evil}, metrics={evil: 1.0}),
        row_of(2, "failed", values={evil: "\"'>"}, cause=evil),
    )
    sweep = sweep_of(domain, notebook=evil, metric=evil, sharing_ends=evil)
    results = SweepResults(
        sweep=sweep, metric=evil, direction="maximize", rows=rows, best=1
    )
    page = page_of(results)
    assert not page.all("script")
    assert evil in page.all("h1")[0].text


def test_several_parameters_become_parallel_coordinates():
    page = Page(sweep_chart(mixed_results()))
    names = [e.text for e in page.all("text") if e.has_class("sw-name")]
    assert names == ["lr", "depth", "how", "accuracy"]
    assert len([e for e in page.all("path") if e.has_class("sw-job")]) == 24
    (svg,) = page.all("svg")
    assert svg.attributes["aria-label"] == "accuracy of 20 jobs over lr, depth, how"
    titles = {e.text for e in page.all("title")}
    assert "13: lr=0.01, depth=4, how=mean — accuracy 0.9" in titles
    assert "7: lr=0.001, depth=5, how=mean — accuracy 0.41 (pruned)" in titles
    assert "11: lr=0.01, depth=3, how=mean — killed" in titles


def test_one_parameter_becomes_the_metric_over_it_in_equal_ratios():
    results = line_results()
    page = Page(sweep_chart(results))
    circles = {e.attributes["data-row"]: e.attributes for e in page.all("circle")}
    assert set(circles) == {"1", "2", "3", "4", "5", "7"}
    by_lr = sorted(circles, key=lambda n: float(circles[n]["cx"]))
    assert by_lr == ["7", "1", "5", "3", "4", "2"]
    step = float(circles["5"]["cx"]) - float(circles["1"]["cx"])
    wide = float(circles["2"]["cx"]) - float(circles["4"]["cx"])
    assert step == pytest.approx(wide, abs=0.2)  # 0.2 of the range, both
    assert float(circles["3"]["cy"]) == max(float(c["cy"]) for c in circles.values())
    assert shapes(page, 6)[0].has_class("sw-cross")
    marks = [e.text for e in page.all("text") if e.has_class("sw-mark")]
    assert {"0.0001", "0.01", "1"} <= set(marks)


@pytest.mark.parametrize(
    "space", [(LR,), (DEPTH,), (HOW,), (LR, HOW), (LR, DEPTH, HOW)]
)
@pytest.mark.parametrize("metrics", [{}, {"accuracy": 0.0}, {"accuracy": float("nan")}])
def test_whatever_there_is_can_be_drawn(space, metrics):
    values = {domain.name: domain.values[0] for domain in space}
    rows = (
        row_of(1, values=values, metrics=metrics),
        row_of(2, "waiting", values=values),
    )
    for metric in ("accuracy", ""):
        results = SweepResults(
            sweep=sweep_of(*space, metric=metric), metric=metric, rows=rows
        )
        page_of(results)
        assert results_text(results).startswith(results.sweep.id)
    assert best_text(results) == ""


def test_smaller_is_better_where_the_direction_says_so():
    page = page_of(line_results())
    assert [r.attributes["data-row"] for r in body_rows(page)] == list("3452176")


def test_the_text_shows_the_same_rows():
    lines = results_text(mixed_results()).split("\n")
    assert lines[1].split() == [
        "#",
        "lr",
        "depth",
        "how",
        "accuracy",
        "status",
        "took",
        "job",
    ]
    assert lines[2].split()[:6] == ["*", "13", "0.01", "4", "mean", "0.9"]
    assert lines[-1].startswith("  executed once: load, clean, split; cell fit")


def test_the_widget_shows_the_same_html():
    html = sweep_html(mixed_results(), link=link)
    assert make_sweep_view(html).html == html


def test_results_survive_json():
    results = replace(mixed_results(), best=None)
    data = json.loads(json.dumps(to_json(results)))
    assert from_json(SweepResults, data) == results

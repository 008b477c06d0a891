"""What a report says, and where."""

from __future__ import annotations

import pytest
from nbformat.v4 import new_markdown_cell, new_output

from nbship.adapters.bundles.ssh_seal import SshSealer, create_key
from nbship.errors import JobError, NotebookError
from nbship.faces.report_cells import view_cells, view_findings
from nbship.faces.report_exporter import ReportExporter
from nbship.records.codec import json_text
from nbship.records.digest import digest_tree
from nbship.records.explanation import (
    CellReason,
    Explanation,
    LineReason,
    ValueReason,
)
from nbship.records.job import CapturedRoot, JobStatus
from nbship.records.policy import Policy
from nbship.records.vetting import Decision, Finding, Severity
from nbship.resources import template_folder
from nbship.workbench import Workbench
from nbship.workflow.report import gather_facts, write_report
from nbship.workflow.review import decide
from support.html import Page
from support.review_case import (
    AT,
    JOB_ID,
    ReviewCase,
    code,
    notebook_of,
    penguins_notebook,
    shown,
    tiny_png,
    waiver,
)

WARNING = Finding(
    code="NB301",
    severity=Severity.WARNING,
    message="train_test_split without random_state",
    fix="Pass random_state=seed.",
    cell_id="train",
    line=2,
)
BLOCKER = Finding(
    code="SEC001", severity=Severity.BLOCKER, message="A secret", cell_id="load"
)


def facts_of(case, *, owner="Ann"):
    return gather_facts(
        case.store,
        JOB_ID,
        report_id="report-20261123-093000-0000",
        at=AT,
        tool="nbship 0",
        owner=owner,
        policy=Policy(),
        reviewers=(),
        sealer=SshSealer(None),
    )


def page_of(case):
    render = Workbench.open(case.project).render_report
    path = case.store.folder / "reports" / "report-20261123-093000-0000.html"
    write_report(case.store, facts_of(case), render=render, path=path)
    return Page(path.read_text("utf-8"))


def plain_page(*cells):
    text, _ = ReportExporter().from_notebook_node(notebook_of(*cells))
    return Page(text)


@pytest.fixture
def case(tmp_path):
    (tmp_path / "mlops.toml").write_text("")
    return ReviewCase(tmp_path)


def test_the_sections_stand_in_the_order_of_the_questions(case):
    case.finish()
    case.vet(
        BLOCKER,
        Finding(code="NB9", severity=Severity.NOTE, message="x", waiver=waiver()),
    )
    page = page_of(case)
    assert [h.attributes["id"] for h in page.all("h2") if "id" in h.attributes] == [
        "metrics", "findings", "waivers", "parameters", "provenance", "approvals", "notebook",
    ]  # fmt: skip
    assert page.all("h1")[0].text == "Penguin species from their measures"


@pytest.mark.parametrize(
    ("findings", "tone", "word"),
    [
        ((), "passed", "Passed"),
        ((WARNING,), "passed", "Passed"),
        ((BLOCKER, WARNING), "blocked", "Blocked"),
        (
            (Finding(code="N", severity=Severity.BLOCKER, message="m", waiver=waiver()),),
            "waived",
            "Passed with waivers",
        ),
    ],
)  # fmt: skip
def test_the_banner_says_the_verdict_in_words(case, findings, tone, word):
    case.finish()
    case.vet(*findings)
    page = page_of(case)
    banner = next(e for e in page.elements if e.has_class("banner"))
    assert banner.has_class(tone)
    assert word in banner.text
    icon = next(e for e in page.elements if e.has_class("icon"))
    assert icon.attributes["aria-hidden"] == "true"


def test_a_job_that_was_not_vetted_says_so(case):
    case.finish()
    page = page_of(case)
    assert "Not vetted" in next(e for e in page.elements if e.has_class("banner")).text
    assert f"mlops vet {JOB_ID}" in page.by_id("content").text


def test_findings_link_to_their_cells_and_cells_link_back(case):
    case.finish()
    case.vet(WARNING, BLOCKER)
    page = page_of(case)
    first = page.by_id("finding-1")
    assert first.has_class("blocker")
    link = next(a for a in page.all("a") if first in a.parents)
    cell = page.by_id(link.attributes["href"].removeprefix("#"))
    assert "Cell 3" in cell.text
    back = [a.attributes["href"] for a in page.all("a") if cell in a.parents]
    assert back == ["#finding-1"]
    assert "cell 5, line 2" in page.by_id("finding-2").text


def test_every_link_inside_the_page_leads_somewhere(case):
    case.finish()
    case.vet(WARNING)
    page = page_of(case)
    ids = [e.attributes["id"] for e in page.elements if "id" in e.attributes]
    assert len(ids) == len(set(ids))
    targets = {
        a.attributes["href"][1:]
        for a in page.all("a")
        if a.attributes["href"][0] == "#"
    }
    assert targets <= set(ids)


def test_a_cell_without_id_of_its_own_is_found_by_its_position(case):
    for cell in case.notebook.cells:
        cell.pop("id", None)
    finding = Finding(code="X", severity=Severity.NOTE, message="m", cell_id="cell-3")
    cells = view_cells(case.notebook, outcome=None, executions=())
    view = view_findings([finding], cells)[0]
    assert view.cell is cells[4]  # the injected cell does not count


def test_what_papermill_put_in_does_not_shift_the_numbers_of_cells(case):
    marker = new_markdown_cell("An Exception was encountered", id="marker")
    marker.metadata["tags"] = ["papermill-error-cell-tag"]
    case.notebook.cells.insert(0, marker)
    cells = view_cells(case.notebook, outcome=None, executions=())
    assert [(c.id, c.name, c.anchor) for c in cells[1:4]] == [
        ("params", "Cell 2", "cell-2"),
        ("injected", "Values of this job", "cell-2-values"),
        ("load", "Cell 3", "cell-3"),
    ]


def test_metrics_stand_beside_what_they_must_reach(case):
    case.finish()
    case.vet()
    page = page_of(case)
    row = next(r for r in page.all("tr") if r.text.startswith("accuracy"))
    assert [c.text for c in row.children] == [
        "accuracy", "0.9837", "≥ 0.95", "0.979", "+0.0047", "✓ met",
    ]  # fmt: skip


def test_parameters_show_their_default_and_what_was_used(case):
    case.finish()
    page = page_of(case)
    rows = [r for r in page.all("tr") if r.text.startswith(("test_size", "seed"))]
    assert [c.text for c in rows[0].children] == [
        "test_size", "float", "0.25", "0.3 changed", "share held out",
    ]  # fmt: skip
    assert "changed" not in rows[1].text


def test_provenance_names_data_packages_commit_and_digests(case):
    outcome = case.finish()
    verdict = case.vet()
    text = page_of(case).by_id("content").text
    for fact in (
        "data/penguins.csv", "14.9 KiB", "CPython 3.11.7", "2 packages", "pandas3.1.1",
        "0f" * 20, "with uncommitted changes", outcome.output_digest, outcome.roots[0].digest,
        *verdict.subject.values(),
    ):  # fmt: skip
        assert fact in text


def test_answers_are_listed_with_the_fingerprint_of_their_key(case, tmp_path):
    case.finish()
    verdict = case.vet()
    create_key(tmp_path / "key")
    sealer = SshSealer(tmp_path / "key")
    for number, decision in enumerate((Decision.APPROVED, Decision.REJECTED)):
        decide(
            case.store,
            verdict,
            decision=decision,
            reason="leak found",
            reviewer="Bob",
            reviewers=(),
            sealer=sealer,
            approval_id=f"approval-20261123-09300{number}-0000",
            at=AT.replace(second=number),
        )
    page = page_of(case)
    rows = [r for r in page.all("tr") if r.text.startswith("Bob")]
    assert len(rows) == 1
    assert "✕ rejectedleak found" in rows[0].text
    assert "SHA256:" in rows[0].text


def test_a_failed_job_names_its_cause_and_marks_its_cell(case):
    error = new_output(
        "error", ename="ZeroDivisionError", evalue="by zero", traceback=["x"]
    )
    notebook = notebook_of(
        code("ok", "1"), code("boom", "1/0", error), code("rest", "2", count=None)
    )
    other = ReviewCase(case.project / "other", notebook)
    other.finish(JobStatus.FAILED, cause="ZeroDivisionError: by zero", cell_id="boom")
    page = page_of(other)
    assert "Cause: ZeroDivisionError: by zero" in page.all("header")[0].text
    cell = page.by_id("cell-2")
    assert cell.has_class("failing")
    assert "failed here" in cell.text
    details = next(d for d in page.all("details") if cell in d.parents)
    assert "open" in details.attributes
    assert "not run" in page.by_id("cell-3").text
    assert [a.text for a in page.all("a") if a.has_class("bad")] == ["cell 2 failed"]


def test_a_job_that_never_wrote_a_notebook_shows_the_submitted_one(case):
    attempt = case.store.attempt_folder(JOB_ID, 1)
    case.finish(JobStatus.FAILED, cause="no kernel", output_digest="")
    submitted = case.store.job_folder(JOB_ID) / "input.ipynb"
    (attempt / "output.ipynb").rename(submitted)
    case.use_snapshot(submitted)
    assert "no kernel" in page_of(case).all("header")[0].text


def test_a_job_without_outcome_is_refused(case):
    with pytest.raises(JobError, match="no outcome yet"):
        facts_of(case)


def test_an_executed_notebook_that_is_no_json_is_refused(case):
    (case.store.attempt_folder(JOB_ID, 1) / "output.ipynb").write_text("{")
    case.finish()
    with pytest.raises(NotebookError, match=r"output\.ipynb: cannot be read"):
        page_of(case)


def test_a_notebook_changed_after_the_job_is_not_shown_under_its_verdict(case):
    case.finish()
    with (case.store.attempt_folder(JOB_ID, 1) / "output.ipynb").open("a") as file:
        file.write(" ")
    with pytest.raises(NotebookError, match="changed since the job ran"):
        page_of(case)


def test_a_plain_notebook_has_no_verdict_and_no_provenance():
    text, _ = ReportExporter().from_notebook_node(penguins_notebook())
    page = Page(text)
    assert [h.attributes.get("id") for h in page.all("h2")] == [None, "notebook"]
    assert "No verdict belongs to this page" in page.all("footer")[0].text


def test_pictures_have_the_authors_text_or_their_place():
    with_text = shown({"image/png": tiny_png()}, alt="rising line")
    by_form = shown({"image/png": tiny_png()}, **{"image/png": {"alt": "falling"}})
    without = shown({"image/png": tiny_png(), "text/html": "<b>same</b>"})
    page = plain_page(code("a", "x", with_text, by_form), code("b", "x", without))
    assert [i.attributes["alt"] for i in page.all("img")] == [
        "rising line", "falling", "Figure 3, output of cell 2",
    ]  # fmt: skip
    assert "same" not in page.by_id("cell-2").text


def test_a_data_frame_keeps_its_table_with_scopes():
    page = Page(ReportExporter().from_notebook_node(penguins_notebook())[0])
    frame = next(t for t in page.all("table") if t.has_class("dataframe"))
    heads = [e for e in page.all("th") if frame in e.parents]
    assert [h.attributes["scope"] for h in heads] == ["col"] * 4 + ["row"] * 2
    assert any(p.attributes.get("tabindex") == "0" for p in frame.parents)


def test_interactive_outputs_fall_back_to_text_with_a_remark():
    widget = {
        "application/vnd.jupyter.widget-view+json": {},
        "text/plain": "IntSlider(3)",
    }
    plotly = {
        "text/html": "<div id=x></div><script>plot()</script>",
        "text/plain": "Figure({})",
    }
    script = {"application/javascript": "alert(1)"}
    page = plain_page(
        *(code(str(n), "x", shown(d)) for n, d in enumerate((widget, plotly, script)))
    )
    texts = [page.by_id(f"cell-{n}").text for n in (1, 2, 3)]
    assert "IntSlider(3)" in texts[0]
    assert "without a live kernel" in texts[0]
    assert "Figure({})" in texts[1]
    assert "Active parts" in texts[1]
    assert "a report runs no scripts" in texts[2]


def test_formulas_stay_text_and_headings_move_below_the_reports_own():
    page = Page(ReportExporter().from_notebook_node(penguins_notebook())[0])
    assert r"$L = -\sum_i y_i \log p_i$" in page.by_id("cell-1").text
    assert page.by_id("nb-Penguin-species-from-their-measures").tag == "h3"


def test_long_output_is_folded_and_loses_nothing():
    text = "\n".join(f"line {n}" for n in range(1, 101))
    page = plain_page(code("a", "x", new_output("stream", name="stdout", text=text)))
    pres = [p for p in page.all("pre") if not p.has_class("highlight")]
    assert [p.text.count("line") for p in pres] == [60, 40]
    assert "40 more lines" in page.by_id("cell-1").text


def test_landmarks_names_and_language_are_there():
    page = Page(ReportExporter().from_notebook_node(penguins_notebook())[0])
    assert page.all("html")[0].attributes["lang"] == "en"
    assert [len(page.all(t)) for t in ("header", "nav", "main", "footer", "h1")] == [
        1
    ] * 5
    skip = page.all("a")[0]
    assert skip.attributes["href"] == "#notebook"
    for section in page.all("section"):
        page.by_id(section.attributes["aria-labelledby"])


def test_the_style_sheet_stays_small():
    assert (template_folder("report") / "report.css").stat().st_size <= 15_000


def explained(folder):
    told = Explanation(
        root="predict",
        notebook="penguins.ipynb",
        module_lines=9,
        lines_kept=3,
        lines_of_notebook=40,
        lines=(
            LineReason(first_line=5, last_line=7, name="predict", kind="function", why="the root <itself>", cell_id="train", execution_count=5),
        ),
        cells=(CellReason(cell_id="plot", execution_count=4, lines=1, lines_in=0, why="out: it defines nothing"),),
        values=(ValueReason(name="model", type="sklearn.LogisticRegression", codec="skops", file="model.skops", size_bytes=2048, reader="predict", origin="cell In[5] (train)"),),
        remarks=("not proven: 3 rows",),
    )  # fmt: skip
    folder.mkdir(parents=True)
    (folder / "explanation.json").write_text(json_text(told))
    return CapturedRoot(name="predict", digest=digest_tree(folder))


def test_what_would_ship_is_explained_line_by_line_and_cell_by_cell(case):
    folder = case.store.attempt_folder(JOB_ID, 1) / "roots" / "predict"
    case.finish(roots=(explained(folder),))

    page = page_of(case)

    text = page.by_id("content").text
    assert "3 of 40 lines of code are kept" in text
    for fact in ("5\N{EN DASH}7", "the root <itself>", "model", "skops", "2.0 KiB", "out: it defines nothing", "not proven: 3 rows"):  # fmt: skip
        assert fact in text


def test_an_explanation_that_was_changed_since_is_not_shown(case):
    folder = case.store.attempt_folder(JOB_ID, 1) / "roots" / "predict"
    root = explained(folder)
    (folder / "more.txt").write_text("added")
    case.finish(roots=(root,))

    assert "lines of code are kept" not in page_of(case).by_id("content").text

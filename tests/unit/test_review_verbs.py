"""`mlops report`, `approve`, `reject` and `key`, as a person calls them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from nbship.faces.cli import main
from nbship.records.vetting import Finding, Severity
from nbship.verbs.answer import Context
from nbship.verbs.parser import run_words
from nbship.workbench import Workbench
from support.review_case import JOB_ID, VERDICT_ID, ReviewCase


@pytest.fixture
def case(tmp_path, monkeypatch):
    (tmp_path / "mlops.toml").write_text(
        'trackers = []\n[review]\nkey = "keys/reviewer"\n'
    )
    monkeypatch.chdir(tmp_path)
    case = ReviewCase(tmp_path)
    case.finish()
    return case


def said(capsys):
    return capsys.readouterr()


def test_a_key_is_created_where_the_settings_want_it(case, capsys):
    assert main(["key"]) == 0
    out = said(capsys).out
    assert "among review.reviewers:\nssh-ed25519 AAAA" in out
    assert (case.project / "keys/reviewer").stat().st_mode & 0o777 == 0o600
    assert main(["key"]) == 3
    assert "never overwritten" in said(capsys).err


def test_a_verdict_is_approved_and_the_report_shows_it(case, capsys):
    case.vet()
    assert main(["key"]) == 0
    assert main(["approve", "last", "--reason", "read it", "--reviewer", "Ann"]) == 0
    assert f"{VERDICT_ID} of {JOB_ID}: approved by Ann" in said(capsys).out
    assert main(["report", "last"]) == 0
    path = Path(said(capsys).out.strip()).absolute()
    assert path.parent == case.store.folder / "reports"
    assert "approved</span>" in path.read_text("utf-8")


def test_a_rejection_is_answered_as_json(case, capsys):
    case.vet()
    main(["key"])
    said(capsys)
    assert main(["reject", VERDICT_ID, "--reason", "leak", "--json"]) == 0
    record = json.loads(said(capsys).out)
    assert (record["schema"], record["decision"]) == ("approval/1", "rejected")


def test_a_blocked_verdict_is_refused_without_a_trace(case, capsys):
    case.vet(Finding(code="SEC001", severity=Severity.BLOCKER, message="x"))
    main(["key"])
    assert main(["approve", "last", "--reason", "please"]) == 3
    assert "a blocked verdict cannot be approved" in said(capsys).err
    assert not (case.store.folder / "approvals").exists()


def test_without_a_key_an_approval_says_how_to_get_one(case, capsys):
    case.vet()
    assert main(["approve", "last", "--reason", "ok"]) == 3
    assert "hint: Make one, `mlops key" in said(capsys).err


def test_a_copy_of_the_report_is_written_where_it_is_wanted(case, capsys):
    wanted = case.project / "out" / "penguins.html"
    assert main(["report", JOB_ID, "--output", str(wanted), "--json"]) == 0
    answer = json.loads(said(capsys).out)
    assert answer["path"] == str(wanted)
    stored = case.store.folder / "reports" / f"{answer['id']}.html"
    assert stored.read_bytes() == wanted.read_bytes()


def test_a_report_of_an_unknown_job_is_refused(case, capsys):
    assert main(["report", "job-2020"]) == 3
    assert "no job 'job-2020'" in said(capsys).err


def test_a_notebook_links_a_report_that_jupyter_serves(case, monkeypatch):
    monkeypatch.chdir(case.project)
    context = Context(workbench=Workbench.open())

    stored, _ = run_words(["report", JOB_ID], context)
    copied, _ = run_words(["report", JOB_ID, "--output", "a <b>.html"], context)

    assert stored.html == ""
    assert copied.html == (
        '<pre><a href="a%20%3Cb%3E.html" target="_blank">a &lt;b&gt;.html</a></pre>'
    )

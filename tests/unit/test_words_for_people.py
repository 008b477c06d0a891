"""Paths, causes and mirrors as people read them."""

from pathlib import Path

import pytest

import nbship
from nbship.capture.summary import cause_text, mirror_text
from nbship.errors import UsageError
from nbship.records.mirror import Mirror
from nbship.verbs.words import place


def test_a_path_below_the_current_folder_is_written_from_there(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    assert place(tmp_path / ".mlops" / "reports" / "r.html") == ".mlops/reports/r.html"
    assert place(Path("/elsewhere/r.html")) == "/elsewhere/r.html"


def test_a_cause_names_its_cell_before_the_errors_further_lines():
    assert cause_text("UsageError", "no verb 'x'\nhint: Try y", "cell c1 ('z')") == (
        "UsageError: no verb 'x' in cell c1 ('z')\nhint: Try y"
    )
    assert cause_text("AssertionError", "", "cell c1 ('z')") == (
        "AssertionError in cell c1 ('z')"
    )


def test_a_mirror_of_a_run_that_ended_does_not_follow_any_more():
    mirror = Mirror(run_id="run-1", tracker="mlflow", metrics=3)

    assert mirror_text(mirror, 3) == "follows"
    assert mirror_text(mirror, 3, is_ended=True) == "finishing"
    assert mirror_text(mirror, 5, is_ended=True) == "2 metrics behind"


def test_a_metric_without_a_name_is_refused():
    with pytest.raises(UsageError, match="3 has no name"):
        nbship.log(3)

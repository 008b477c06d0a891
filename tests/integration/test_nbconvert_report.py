"""`jupyter nbconvert --to nbship-report` finds our exporter and its template."""

from __future__ import annotations

import subprocess
import sys

import nbformat

from support.html import Page
from support.review_case import penguins_notebook


def test_nbconvert_writes_a_report_of_any_executed_notebook(tmp_path):
    nbformat.write(penguins_notebook(), tmp_path / "executed.ipynb")
    words = ["nbconvert", "--to", "nbship-report", "executed.ipynb"]
    subprocess.run(
        [sys.executable, "-m", *words], cwd=tmp_path, check=True, capture_output=True
    )
    page = Page((tmp_path / "executed.html").read_text("utf-8"))
    assert page.all("h1")[0].text == "Penguin species from their measures"
    assert not page.all("script")

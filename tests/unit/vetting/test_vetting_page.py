"""docs/vetting.md tells of every code, and its example works."""

import re
from pathlib import Path

import pytest

from nbship.records.vetting import Severity
from nbship.testing import ask_gate, make_dossier, make_notebook
from nbship.vetting.gates import BUILT_IN
from nbship.vetting.ruff_rules import SELECTED, weight_of
from nbship.vetting.titles import titles_of

PAGE = (Path(__file__).resolve().parents[3] / "docs" / "vetting.md").read_text("utf-8")


@pytest.mark.parametrize("code", sorted(titles_of(BUILT_IN)))
def test_every_code_has_its_row(code):
    assert re.search(rf"^\| {code} \|", PAGE, re.MULTILINE)


@pytest.mark.parametrize("code", sorted({*SELECTED} - {"F821", "PLE"}))
def test_every_code_of_ruff_stands_under_its_weight(code):
    letter = {Severity.BLOCKER: r"\*\*B\*\*", Severity.WARNING: "W", Severity.NOTE: "N"}
    row = rf"^\| {letter[weight_of(code)]} \| .*\b{code}\b"
    assert re.search(row, PAGE, re.MULTILINE)


def test_the_example_of_a_gate_works():
    [example] = re.findall(r"```python\n(from nbship.records.*?)```", PAGE, re.DOTALL)
    names = {}
    exec(compile(example, "docs/vetting.md", "exec"), names)  # noqa: S102
    dossier = make_dossier(make_notebook("print(1)"))
    assert [f.code for f in ask_gate(names["NoPrint"](), dossier)] == ["ACME1"]

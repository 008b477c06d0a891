"""What every linter promises; ruff's adapter is the one there is."""

import pytest

from nbship.adapters.probes.lint import RuffLinter
from nbship.errors import VettingError
from nbship.records.vetting import LintFinding
from nbship.vetting.ruff_rules import SELECTED


@pytest.fixture
def linter():
    return RuffLinter(SELECTED)


def places(findings):
    return [(f.code, f.cell_id, f.line) for f in findings]


def test_findings_name_code_cell_and_line_within_the_cell(linter):
    sources = [("a", "# x\n\nimport os\nx = 1"), ("b", "y = x\n\nprint(z, y)")]
    found = linter.lint(sources)
    assert places(found) == [("F401", "a", 3), ("F821", "b", 3)]
    assert found[1] == LintFinding(
        code="F821", message="Undefined name `z`", cell_id="b", line=3
    )


def test_names_of_earlier_cells_are_known_and_those_of_later_ones_are_not(linter):
    assert linter.lint([("a", "x = 1"), ("b", "print(x)")]) == ()
    assert places(linter.lint([("a", "print(x)"), ("b", "x = 1")])) == [
        ("F821", "a", 1)
    ]


def test_a_cell_that_cannot_be_read_does_not_hide_the_others(linter):
    sources = [("a", "import os"), ("b", "1 +"), ("c", "f(]"), ("d", "print(z)")]
    assert places(linter.lint(sources)) == [("F401", "a", 1), ("F821", "d", 1)]


def test_comments_do_not_silence_it(linter):
    assert places(linter.lint([("a", "# ruff: noqa\nimport os  # noqa")])) == [
        ("F401", "a", 2)
    ]


def test_what_ipython_gives_every_notebook_is_known(linter):
    assert linter.lint([("a", "display(get_ipython())\nawait f()")]) == (
        LintFinding(code="F821", message="Undefined name `f`", cell_id="a", line=2),
    )


@pytest.mark.parametrize("sources", [[], [("a", "")], [("a", "\ud800 = '\x00'")]])
def test_empty_and_odd_notebooks_are_linted(linter, sources):
    assert linter.lint(sources) == ()


def test_settings_of_the_folder_do_not_matter(linter, tmp_path, monkeypatch):
    (tmp_path / "ruff.toml").write_text('[lint]\nignore = ["F401"]\n')
    monkeypatch.chdir(tmp_path)
    assert places(linter.lint([("a", "import os")])) == [("F401", "a", 1)]


def test_a_selection_that_ruff_refuses_is_an_error():
    with pytest.raises(VettingError, match="ruff did not lint the notebook"):
        RuffLinter(("NOSUCHRULE",)).lint([("a", "1")])

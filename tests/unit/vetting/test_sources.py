"""Cells as plain Python, line for line."""

import ast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from IPython.core.inputtransformer2 import TransformerManager

from nbship.vetting.sources import Escape, read_source
from nbship.vetting.statements import statement_starts

STATEMENTS = st.sampled_from(
    (
        "x = 1",
        "def f(a,\n      b):\n    return (a\n            % b)",
        "text = '''\n%not a magic\n!nor a command\n'''",
        "total = 7 \\\n    % 3",
        "values = [\n    1,  # a comment with ' and (\n    2,\n]",
        "print('it\\'s', \"100%\")  # really?",
        "if x:\n    y = 2\nelse:\n    y = 3",
        "s = f'{x!r:>10}'",
    )
)
ESCAPES = st.sampled_from(
    (
        "%matplotlib inline",
        "%time y = 2 + 2",
        "%timeit -n 1 -r 1 sum([1, 2])",
        "%mlops log loss=0.1 note='(unclosed'",
        "!pip list | grep 'it''s",
        "!echo a \\\n    b",
        "!!ls",
        "files = !ls *.py",
        "name = %env HOME",
        "x?",
        "x.real??",
        "?x",
    )
)


@given(st.text())
def test_any_text_is_read_without_an_error_and_keeps_its_lines(source):
    code = read_source(source)
    normalized = source.replace("\r\n", "\n").replace("\r", "\n")
    assert code.text.count("\n") == normalized.count("\n")
    assert 1 <= code.problem_line <= normalized.count("\n") + 1
    assert (code.tree is None) == bool(code.problem)


@given(st.text(alphabet="%!?'\"\\\n ()[]{}#=abx1.,;/:", max_size=80))
def test_text_made_of_the_signs_that_matter_keeps_its_lines(source):
    code = read_source(source)
    assert code.text.count("\n") == source.count("\n")
    assert all(1 <= e.line <= source.count("\n") + 1 for e in code.escapes)


@given(st.lists(STATEMENTS, min_size=1, max_size=6))
def test_python_is_left_as_it_is(statements):
    source = "\n".join(statements)
    assert read_source(source).text == source


@given(st.lists(STATEMENTS | ESCAPES, min_size=1, max_size=8))
def test_what_ipython_can_run_is_python_afterwards(pieces):
    source = "\n".join(pieces)
    ast.parse(
        TransformerManager().transform_cell(source)
    )  # IPython agrees that it is code
    code = read_source(source)
    assert code.tree is not None, code.problem
    assert code.text.count("\n") == source.count("\n")


@given(st.lists(STATEMENTS | ESCAPES, min_size=1, max_size=8))
def test_reading_twice_changes_nothing_more(pieces):
    once = read_source("\n".join(pieces)).text
    assert read_source(once).text == once


@given(st.lists(STATEMENTS, min_size=1, max_size=5), ESCAPES)
def test_statements_stay_on_their_lines(statements, escape):
    python = "\n".join(statements)
    lines = read_source(f"{python}\n{escape}\n{python}").text.split("\n")
    count = python.count("\n") + 1
    assert "\n".join(lines[:count]) == python
    assert "\n".join(lines[-count:]) == python


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("%time x = f()", "x = f()"),
        ("%timeit -n 10 -r 3 f(1)", "f(1)"),
        ("files = !ls", "files = get_ipython()  # !ls"),
        ("if x:\n    %time y = 1\n    !ls", "if x:\n    y = 1\n    pass  # !ls"),
        ("%%time\nx = 1", "# %%time\nx = 1"),
        ("%%capture out\nx = 1", "out = get_ipython()  # %%capture out\nx = 1"),
        ("%%mlops step\nx = 1", "# %%mlops step\nx = 1"),
        ("%%mlops note\nfree words", "# %%mlops note\n# free words"),
        ("%%bash\nls -l", "# %%bash\n# ls -l"),
        (
            "%%sql found <<\nselect 1",
            "found = get_ipython()  # %%sql found <<\n# select 1",
        ),
        ("pip install numpy", "# pip install numpy"),
        ("ls", "# ls"),
        ("ls = 3", "ls = 3"),
        ("  x = 1\n  y = 2", "x = 1\ny = 2"),
        ("\n%%time\n\nx = 1", "\n# %%time\n\nx = 1"),
        ("x = 1\r\ny = 2", "x = 1\ny = 2"),
    ],
)
def test_magics_become_python_that_binds_the_same_names(source, text):
    assert read_source(source).text == text


def test_what_was_set_aside_is_kept_with_its_line():
    code = read_source("x = 1\n!pip install \\\n    numpy\n%time y = 2")
    assert code.escapes == (
        Escape(line=2, text="!pip install \\\n    numpy"),
        Escape(line=4, text="%time y = 2"),
    )


def test_a_syntax_error_under_a_magic_is_reported_on_its_own_line():
    code = read_source("%%time\n1 +")
    assert (code.tree, code.problem_line) == (None, 2)


def test_statements_begin_outside_brackets_strings_and_continuations():
    lines = ["f(1,", "%2)", "'''", "!no", "'''", "x = \\", "!no", "!yes (", "y"]
    starts = statement_starts(lines, is_escape=lambda line: line.startswith(("%", "!")))
    assert list(starts) == [True, False, True, False, False, True, False, True, True]

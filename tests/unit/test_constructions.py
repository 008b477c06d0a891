"""Statements that make a value from literals stay the author's, while they still give the value."""

from __future__ import annotations

import pytest

from support.executed import ExecutedNotebook, replay

READ = (
    "def predict(n):\n"
    "    is_set = isinstance(VALUE, (set, frozenset))\n"
    "    return [n, repr(sorted(VALUE) if is_set else VALUE)]"
)
HEAD = "import re\nimport datetime as dt\nfrom decimal import Decimal\nimport pandas as pd\n"


def exported(tmp_path, *cells):
    """Run cells, export ``predict``, replay it in a fresh process, return the module's text."""
    notebook = ExecutedNotebook(*cells, roots=("predict",))
    text = notebook.text(tmp_path / "capture", "predict")
    assert replay(tmp_path / "capture", tmp_path / "fresh")["differences"] == []
    return text


@pytest.mark.parametrize(
    "statement",
    [
        'VALUE = re.compile(r"\\d+", re.I | re.M)  # digits',
        "VALUE = dt.datetime(2026, 6, 30)  # day of the extract",
        'VALUE = dt.date.fromisoformat("2026-06-30") # as the file says',
        "VALUE = frozenset({'the', 'of'})  # stop words",
        "VALUE = set('the of a'.split())  # the same",
        "VALUE = 60 * 60 * 24 / 7.0  # seconds",
        "VALUE = -(3 + 4) % 5  # why not",
        "VALUE = [Decimal('1.10'), dt.timedelta(days=2)]  # price, delay",
        "VALUE = {\n    1: range(3),  # first\n    2: float('inf'),\n}",
        "VALUE = pd.Timestamp('2026-06-30', tz='UTC')  # until",
        "VALUE: float = float('2') / 3  # annotated",
    ],
)
def test_a_statement_that_makes_a_value_is_kept_with_its_comment(tmp_path, statement):
    text = exported(
        tmp_path,
        HEAD,
        statement,
        READ,
        "predict(1)",
    )

    assert statement in text
    assert "_load" not in text


def test_a_statement_that_no_longer_gives_the_value_is_not_kept(tmp_path):
    text = exported(
        tmp_path,
        HEAD,
        "VALUE = set('the of a'.split())  # stop words",
        "VALUE.add('to')",
        "def predict(n):\n    return [n, sorted(VALUE)]",
        "predict(1)",
    )

    assert "# stop words" not in text
    assert "VALUE = {'a', 'of', 'the', 'to'}" in text


@pytest.mark.parametrize(
    ("before", "statement"),
    [
        ("START = 3", "VALUE = Decimal(START)"),
        ("def Decimal(text):\n    return float(text)", "VALUE = Decimal('1.5')"),
        ("", "VALUE = dt.datetime.fromtimestamp(0, dt.timezone.utc)"),
        ("", "VALUE = 'a b'.replace('a', 'b')"),
        ("", "VALUE = max(1, 2)"),
    ],
    ids=["a name", "a function of the notebook", "a clock", "a method", "a call"],
)
def test_a_statement_that_does_more_is_not_repeated(tmp_path, before, statement):
    text = exported(
        tmp_path,
        HEAD,
        before,
        statement,
        READ,
        "predict(1)",
    )

    assert statement not in text

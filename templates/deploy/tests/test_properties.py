"""What holds for every input, shown on inputs drawn from the recorded ones."""

from __future__ import annotations

import copy
import random
from typing import Any

import pytest

#: draws of recorded rows; the seed makes a failure repeatable
DRAWS = 20
SEED = 20_260_101


def test_the_same_input_gives_the_same_answer(
    package: Any, case: dict[str, Any]
) -> None:
    first, second = (_answer(package, case) for _ in range(2))

    assert package.encode(first) == package.encode(second)


def test_an_input_is_left_as_the_notebook_left_it(
    package: Any, case: dict[str, Any]
) -> None:
    arguments, named = package.arguments(case)
    before = [package.encode(item) for item in (*arguments, *named.values())]

    package.predict(*arguments, **named)

    assert package.golden.differences_after(case, arguments, named) == []
    if not case.get("changed"):
        after = [package.encode(item) for item in (*arguments, *named.values())]
        assert after == before


def test_answers_do_not_depend_on_what_was_asked_before(package: Any) -> None:
    cases = package.cases()
    order = copy.copy(cases)
    random.Random(SEED).shuffle(order)  # noqa: S311  # no secret

    answers = {case["case"]: _answer(package, case) for case in order}

    for case in cases:
        assert package.values.compare(case["output"], answers[case["case"]]) == []


def test_drawn_rows_are_answered_as_many_as_they_are(package: Any) -> None:
    rows = _rows(package)
    draw = random.Random(SEED)  # noqa: S311  # no secret
    for _ in range(DRAWS):
        places = [draw.randrange(len(rows)) for _ in range(draw.randint(1, 8))]

        answer = package.predict(_take(rows, places))

        assert len(answer) == len(places)


def test_a_row_alone_is_answered_as_among_others(package: Any) -> None:
    rows = _rows(package)
    together = package.predict(rows)
    draw = random.Random(SEED)  # noqa: S311  # no secret
    for _ in range(DRAWS):
        place = draw.randrange(len(rows))

        alone = package.predict(_take(rows, [place]))

        recorded = package.values.encode(_reset(_take(together, [place])))
        if package.values.compare(recorded, _reset(alone)):
            pytest.skip("answers depend on the other rows: do not batch requests")


def _answer(package: Any, case: dict[str, Any]) -> Any:
    arguments, named = package.arguments(case)
    return package.predict(*arguments, **named)


def _rows(package: Any) -> Any:
    """Return the recorded table with the most rows; only tables are asked about rows."""
    if package.form == "arguments":
        pytest.skip("predict takes the arguments of one call, no table")
    tables = []
    for case in package.cases():
        arguments, named = package.arguments(case)
        tables += [*arguments, *named.values()]
    table = max(tables, key=len)
    if not hasattr(package.predict(table), "__len__"):
        pytest.skip("predict gives one answer for a whole table")
    return table


def _take(table: Any, places: list[int]) -> Any:
    return table.iloc[places] if hasattr(table, "iloc") else table[places]


def _reset(answer: Any) -> Any:
    """Leave out which row of the table an answer came from."""
    return answer.reset_index(drop=True) if hasattr(answer, "iloc") else answer

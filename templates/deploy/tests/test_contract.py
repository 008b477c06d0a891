"""What the package takes, and what it refuses: with the place named, and never by a traceback."""

from __future__ import annotations

import csv
import json
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from pathlib import Path

#: exit code where the input was not understood
WRONG_INPUT = 2


def test_one_row_gets_one_answer(package: Any, tmp_path: Path) -> None:
    assert len(_predict(package, tmp_path, _lines(package)[:1])) == 1


def test_as_many_answers_come_back_as_rows_went_in(
    package: Any, tmp_path: Path
) -> None:
    lines = _lines(package)

    assert len(_predict(package, tmp_path, lines)) == len(lines)


def test_a_column_too_many_changes_no_answer(package: Any, tmp_path: Path) -> None:
    _demand_frame(package)
    lines = _lines(package)[:3]

    wider = [{**line, "a_column_that_nobody_knows": 1} for line in lines]

    assert _predict(package, tmp_path, wider) == _predict(package, tmp_path, lines)


def test_a_missing_column_is_refused_by_its_name(
    package: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _demand_frame(package)
    (line, *_) = _lines(package)
    for column in package.inputs:
        short = {key: value for key, value in line.items() if key != column["name"]}

        _refuse(package, tmp_path, json.dumps(short))

        assert column["name"] in capsys.readouterr().err


def test_a_text_where_a_number_belongs_is_refused_by_its_column(
    package: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _demand_frame(package)
    (line, *_) = _lines(package)
    numbers = [c for c in package.inputs if c["dtype"].startswith(("int", "float"))]
    for column in numbers:
        wrong = {**line, column["name"]: "no number"}

        _refuse(package, tmp_path, json.dumps(wrong))

        assert column["name"] in capsys.readouterr().err


@pytest.mark.parametrize("text", ["", "{", '"text"', "[[]", "\x00"])
def test_what_is_no_input_is_refused_in_words(
    package: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str
) -> None:
    _refuse(package, tmp_path, text)

    said = capsys.readouterr().err
    assert said.strip()
    assert "Traceback" not in said


def test_a_file_that_is_not_there_is_refused_in_words(
    package: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert package.command("predict", str(tmp_path / "none.jsonl")) == WRONG_INPUT
    assert "none.jsonl" in capsys.readouterr().err


def test_csv_and_json_lines_get_the_same_answers(package: Any, tmp_path: Path) -> None:
    _demand_frame(package)
    lines = [_lines(package)[0]]
    table, out = tmp_path / "rows.csv", tmp_path / "out.jsonl"
    with table.open("w", encoding="utf-8", newline="") as target:
        writer = csv.DictWriter(target, list(lines[0]))
        writer.writeheader()
        writer.writerows(lines)

    assert package.command("predict", str(table), "--output", str(out)) == 0

    answers = [json.loads(line) for line in out.read_text("utf-8").splitlines()]
    assert answers == _predict(package, tmp_path, lines)


def _lines(package: Any) -> list[Any]:
    """Write recorded inputs as lines of a file: rows of a table, else arguments of calls."""
    if package.is_for_python:
        pytest.skip("predict takes or gives objects: it is called in Python")
    if package.form == "arguments":
        return [_line(package, case) for case in package.cases()]
    arguments, named = package.arguments(package.cases()[0])
    (table,) = (*arguments, *named.values())
    if package.form == "array":
        return list(json.loads(json.dumps(table.tolist())))
    text = table.to_json(orient="records", date_format="iso", double_precision=15)
    return list(json.loads(text))


def _line(package: Any, case: dict[str, Any]) -> Any:
    """Write a call by name where it has names, else by position."""
    names = [column["name"] for column in package.inputs]
    by_position = dict(zip(names, case["args"], strict=False))
    return {**by_position, **case["kwargs"]} if case["kwargs"] else case["args"]


def _demand_frame(package: Any) -> None:
    if package.form != "frame":
        pytest.skip("predict takes no data frame")


def _predict(package: Any, folder: Path, lines: list[Any]) -> list[Any]:
    source, target = folder / "in.jsonl", folder / "answers.jsonl"
    source.write_text("".join(json.dumps(line) + "\n" for line in lines), "utf-8")
    assert package.command("predict", str(source), "--output", str(target)) == 0
    return [json.loads(line) for line in target.read_text("utf-8").splitlines()]


def _refuse(package: Any, folder: Path, text: str) -> None:
    source = folder / "wrong.jsonl"
    source.write_text(text + "\n", "utf-8")
    assert package.command("predict", str(source)) == WRONG_INPUT

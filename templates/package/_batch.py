"""Answer a file of inputs: JSON lines, or CSV where ``predict`` takes a data frame.

What a line holds depends on what ``predict`` takes. Data frame: one row, an object by column
name. Array: one row, a list. Anything else: the arguments of one call, an object by name or a
list by position. A data frame or array is answered in one call, all other lines one by one.
"""

from __future__ import annotations

import csv
import json
import math
from typing import TYPE_CHECKING, Any, TextIO

from . import _about, _inputs, _problems, _replay, _values
from ._problems import InputError, Problem

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = [
    "InputError",
    "answer_file",
    "frame_of",
    "looks_as_csv",
    "plain",
    "write_csv",
]


def answer_file(source: TextIO, *, is_csv: bool) -> tuple[list[Any], list[str]]:
    """Predict for every line.

    Parameters
    ----------
    source
        The open input.
    is_csv
        True for CSV with a header, False for JSON lines.

    Returns
    -------
    tuple
        JSON values, one a line of the output, and remarks for the reader.

    Raises
    ------
    InputError
        If a line cannot be read, or does not fit the signature; all lines together.
    """
    form = _inputs.form()
    if is_csv and form != "frame":
        raise InputError("CSV fits data frames only; give JSON lines")
    rows = list(_csv_rows(source) if is_csv else _json_rows(source))
    if not rows:
        raise InputError("the input has no row")
    predict = _about.predict_function()
    if form == "arguments":
        return _answer_calls(predict, rows)
    table, remarks = _table(rows, is_text=is_csv)
    return _lines(_call(predict, table), len(rows)), remarks


def looks_as_csv(text: str) -> bool:
    """Return whether a text without a file name is CSV: rows of a frame, and no JSON."""
    return _inputs.form() == "frame" and not text.lstrip().startswith(("{", "["))


def write_csv(lines: list[Any], target: TextIO) -> None:
    """Write answers as CSV: an object's keys become columns, any other value ``prediction``."""
    rows = [line if isinstance(line, dict) else {"prediction": line} for line in lines]
    names = list(dict.fromkeys(name for row in rows for name in row))
    writer = csv.DictWriter(target, names, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)


def frame_of(rows: list[tuple[int, Any]]) -> tuple[Any, list[str]]:
    """Build the data frame that ``predict`` takes, with the dtypes of the golden cases.

    Raises
    ------
    InputError
        If a column is missing or a value does not fit its dtype.
    """
    return _table(rows, is_text=True)


def plain(value: Any) -> Any:  # noqa: PLR0911  # one line a type
    """Turn an answer into JSON that every reader knows; NaN and infinities become null."""
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if hasattr(value, "to_dict") and hasattr(value, "columns"):
        return plain(value.to_dict("records"))
    if hasattr(value, "tolist"):
        return plain(value.tolist())
    if hasattr(value, "isoformat"):
        return value.isoformat() if value == value else None  # noqa: PLR0124  # NaT
    return None if type(value).__name__ == "NAType" else _values.encode(value)


def _json_rows(source: TextIO) -> Iterable[tuple[int, Any]]:
    for number, line in enumerate(source, 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except json.JSONDecodeError as error:
            raise InputError(f"line {number}: not JSON: {error}") from error
        if not isinstance(row, (dict, list)):
            raise InputError(
                f"line {number}: {row!r} where an object or a list was expected"
            )
        yield number, row


def _csv_rows(source: TextIO) -> Iterable[tuple[int, Any]]:
    reader = csv.DictReader(source)
    for row in reader:
        if None in row or None in row.values():
            raise InputError(
                f"line {reader.line_num}: not as many fields as the header"
            )
        yield (
            reader.line_num,
            {key: value or None for key, value in row.items()},
        )


def _table(rows: Sequence[tuple[int, Any]], *, is_text: bool) -> tuple[Any, list[str]]:
    table, warnings = _inputs.table_of(
        [row for _, row in rows],
        places=[f"line {number}" for number, _ in rows],
        is_text=is_text,
        allows_extra=True,
    )
    return table, _remarks(warnings)


def _answer_calls(
    predict: Any, rows: Sequence[tuple[int, Any]]
) -> tuple[list[Any], list[str]]:
    calls: list[tuple[list[Any], dict[str, Any]]] = []
    problems: list[Problem] = []
    warnings: list[Problem] = []
    for i, (number, row) in enumerate(rows):
        try:
            args, named, told = _inputs.call_of(
                row, prefix=f"[{i}]", place=f"line {number}"
            )
        except InputError as error:
            problems += error.problems
            continue
        calls.append((args, named))
        warnings += told
    if problems:
        raise InputError.of(problems)
    answers = [
        _call_line(predict, number, *call)
        for (number, _), call in zip(rows, calls, strict=True)
    ]
    return [plain(answer) for answer in answers], _remarks(warnings)


def _remarks(warnings: Sequence[Problem]) -> list[str]:
    """Say each kind of remark once, with its first place."""
    extra = {w.path.rpartition(".")[2] for w in warnings if w.code == _problems.EXTRA}
    remarks = [f"not used: {', '.join(sorted(extra))}"] if extra else []
    told: dict[tuple[str, str], list[Problem]] = {}
    for warning in warnings:
        if warning.code != _problems.EXTRA:
            field = warning.path.partition("]")[2]
            told.setdefault((warning.code, field), []).append(warning)
    for group in told.values():
        more = f" (and {len(group) - 1} more)" if len(group) > 1 else ""
        remarks.append(f"{group[0].message}{more}")
    return remarks


def _call(predict: Any, value: Any) -> Any:
    case = next(_replay.golden_cases())
    try:
        if case["args"]:
            return predict(value)
        return predict(**{next(iter(case["kwargs"])): value})
    except Exception as error:
        raise _refusal(f"predict refused it: {_named(error)}") from error


def _call_line(
    predict: Any, number: int, args: list[Any], named: dict[str, Any]
) -> Any:
    try:
        return predict(*args, **named)
    except Exception as error:
        text = f"line {number}: predict refused it: {_named(error)}"
        raise _refusal(text) from error


def _refusal(text: str) -> InputError:
    return InputError(text, [Problem("", _problems.REFUSED, found=text)])


def _named(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"


def _lines(answer: Any, count: int) -> list[Any]:
    values = plain(answer)
    if isinstance(values, list) and len(values) == count:
        return values
    return [values]

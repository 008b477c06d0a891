"""Answer files of inputs: JSON lines, or CSV and Parquet where ``predict`` takes a data frame.

What a line holds depends on what ``predict`` takes. Data frame: one row, an object by column
name. Array: one row, a list. Anything else: the arguments of one call, an object by name or a
list by position. Where rows are answered one by one, as :mod:`..answering._paths` tells, a few thousand are
read, answered and written at a time; else a data frame or array is answered in one call.
"""

from __future__ import annotations

import csv
import json
import math
from typing import TYPE_CHECKING, Any

from .. import _about, _cells, _values
from ..inputs import _inputs, _problems
from ..inputs._problems import InputError, Problem
from ..parity import _replay

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    Rows = list[tuple[int, Any]]

__all__ = ["InputError", "answers_of", "csv_rows", "json_rows", "looks_as_csv", "plain"]


def answers_of(
    chunks: Iterable[Rows], *, kind: str, remark: Callable[[str], object]
) -> Iterator[list[Any]]:
    """Predict for every row.

    Parameters
    ----------
    chunks
        Rows with their numbers, a few thousand at a time.
    kind
        ``csv``, ``parquet`` or ``jsonl``.
    remark
        Told what a reader should know, once.

    Yields
    ------
    list
        JSON values, one for each line of the output.

    Raises
    ------
    InputError
        If a row cannot be read, or does not fit the signature; all rows of a part together.
    """
    form = _inputs.form()
    if kind != "jsonl" and form != "frame":
        raise InputError("CSV and Parquet fit data frames only; give JSON lines")
    predict = _about.predict_function()
    told: set[str] = set()
    is_empty = True
    for rows in _whole_or_chunks(chunks, form, predict, remark):
        is_empty = False
        if form == "arguments":
            answers, remarks = _answer_calls(predict, rows)
        else:
            table, remarks = _table(rows, is_text=kind == "csv")
            answers = _lines(_call(predict, table), len(rows))
        for text in remarks:
            if text not in told:
                remark(text)
        told.update(remarks)
        yield answers
    if is_empty:
        raise InputError("the input has no row")


def _whole_or_chunks(
    chunks: Iterable[Rows],
    form: str,
    predict: Any,
    remark: Callable[[str], object],
) -> Iterator[Rows]:
    """Join the chunks of a second one or more where rows may not be parted."""
    parts = iter(chunks)
    first = next(parts, None)
    second = next(parts, None)
    if first is None or second is None:
        yield from [first] if first else []
        return
    if form in {"frame", "array"}:
        from ..answering import _contract, _paths

        is_by_row, why = _paths.by_row(predict, _contract.contract_of(predict))
        if not is_by_row:
            remark(f"answered in one call, in memory: {why}")
            yield [*first, *second, *(row for part in parts for row in part)]
            return
    yield first
    yield second
    yield from parts


def looks_as_csv(text: str) -> bool:
    """Return whether a text without a file name is CSV: rows of a frame, and no JSON."""
    return _inputs.form() == "frame" and not text.lstrip().startswith(("{", "["))


def frame_of(rows: Rows) -> tuple[Any, list[str]]:
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


def json_rows(source: Iterable[str]) -> Iterator[tuple[int, Any]]:
    """Read JSON lines.

    Raises
    ------
    InputError
        If a line holds no object and no list.
    """
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


def csv_rows(source: Iterable[str]) -> Iterator[tuple[int, Any]]:
    """Read CSV with a header.

    Raises
    ------
    InputError
        If a line has not as many fields as the header.
    """
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
    cell = _cells.place_of(error)
    return f"{type(error).__name__}: {error}" + (f" ({cell})" if cell else "")


def _lines(answer: Any, count: int) -> list[Any]:
    values = plain(answer)
    if isinstance(values, list) and len(values) == count:
        return values
    return [values]

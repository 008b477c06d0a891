"""Answer files of inputs: JSON lines, or CSV and Parquet where ``predict`` takes a data frame.

What a line holds depends on what ``predict`` takes. Data frame: one row, an object by column
name. Array: one row, a list. Anything else: the arguments of one call, an object by name or a
list by position. Where rows are answered one by one, as :mod:`._paths` tells, a few thousand are
read, answered and written at a time; else a data frame or array is answered in one call.
"""

from __future__ import annotations

import csv
import json
import math
from typing import TYPE_CHECKING, Any

from . import _about, _cells, _replay, _values

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    Rows = list[tuple[int, Any]]

_TRUTH = {"true": True, "1": True, "false": False, "0": False}


class InputError(ValueError):
    """Input that ``predict`` does not take; the message names line and column."""


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
        If a row cannot be read, lacks a column, or holds a value of another type.
    """
    form = _about.capture()["signature"]["input_form"]
    if kind != "jsonl" and form != "frame":
        raise InputError("CSV and Parquet fit data frames only; give JSON lines")
    predict = _about.predict_function()
    told: set[str] = set()
    is_empty = True
    for rows in _whole_or_chunks(chunks, form, predict, remark):
        is_empty = False
        if form == "frame":
            frame, remarks = frame_of(rows)
            for text in remarks:
                if text not in told:
                    remark(text)
            told.update(remarks)
            yield _lines(_call(predict, frame), len(rows))
        elif form == "array":
            yield _lines(_call(predict, _array_of(rows)), len(rows))
        else:
            yield [plain(_call_line(predict, number, row)) for number, row in rows]
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
        from . import _contract, _paths

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
    form = _about.capture()["signature"]["input_form"]
    return form == "frame" and not text.lstrip().startswith(("{", "["))


def frame_of(rows: Rows) -> tuple[Any, list[str]]:
    """Build the data frame that ``predict`` takes, with the dtypes of the golden cases.

    Raises
    ------
    InputError
        If a column is missing or a value does not fit its dtype.
    """
    import pandas as pd

    recorded = _recorded(pd.DataFrame)
    columns: dict[str, Any] = {}
    for name in recorded.columns:
        column = [(number, _cell(row, name, number)) for number, row in rows]
        columns[name] = _column(column, name, recorded[name].dtype)
    extra = sorted(
        {str(key) for _, row in rows for key in row} - set(map(str, columns))
    )
    remarks = [f"not used: {', '.join(extra)}"] if extra else []
    return pd.DataFrame(columns, columns=recorded.columns), remarks


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


def _recorded(kind: type) -> Any:
    case = next(_replay.golden_cases())
    values = map(_values.decode, [*case["args"], *case["kwargs"].values()])
    return next(value for value in values if isinstance(value, kind))


def _call(predict: Any, value: Any) -> Any:
    case = next(_replay.golden_cases())
    try:
        if case["args"]:
            return predict(value)
        return predict(**{next(iter(case["kwargs"])): value})
    except Exception as error:
        raise InputError(f"predict refused it: {_named(error)}") from error


def _call_line(predict: Any, number: int, row: Any) -> Any:
    try:
        if isinstance(row, dict):
            return predict(**{key: _values.decode(item) for key, item in row.items()})
        return predict(*[_values.decode(item) for item in row])
    except Exception as error:
        raise InputError(
            f"line {number}: predict refused it: {_named(error)}"
        ) from error


def _named(error: Exception) -> str:
    cell = _cells.place_of(error)
    return f"{type(error).__name__}: {error}" + (f" ({cell})" if cell else "")


def _lines(answer: Any, count: int) -> list[Any]:
    values = plain(answer)
    if isinstance(values, list) and len(values) == count:
        return values
    return [values]


def _array_of(rows: list[tuple[int, Any]]) -> Any:
    import numpy as np

    dtype = _recorded(np.ndarray).dtype
    try:
        return np.array([row for _, row in rows], dtype=dtype)
    except (TypeError, ValueError) as error:
        raise InputError(f"the lines are no array of {dtype}: {error}") from error


def _cell(row: Any, name: Any, number: int) -> Any:
    if not isinstance(row, dict):
        raise InputError(
            f"line {number}: a list where an object by column was expected"
        )
    if str(name) not in row:
        raise InputError(f"line {number}: no column {str(name)!r}")
    return _values.decode(row[str(name)])


def _column(cells: list[tuple[int, Any]], name: Any, dtype: Any) -> Any:
    import pandas as pd

    values = [
        _typed(value, str(dtype), f"line {number}, column {str(name)!r}")
        for number, value in cells
    ]
    if isinstance(dtype, pd.CategoricalDtype):
        for number, value in cells:
            if value is not None and value not in dtype.categories:
                known = ", ".join(map(repr, dtype.categories[:10]))
                raise InputError(
                    f"line {number}, column {str(name)!r}: {value!r} is none of {known}"
                )
    try:
        return pd.Series(values, dtype=object if dtype.kind == "b" else None).astype(
            dtype
        )
    except (TypeError, ValueError) as error:
        raise InputError(f"column {str(name)!r} is no {dtype}: {error}") from error


def _typed(value: Any, dtype: str, where: str) -> Any:
    kind = dtype.lower()
    try:
        if value is None:
            if kind.startswith(("int", "uint", "bool")) and dtype == kind:
                raise InputError(f"{where}: missing where {dtype} was expected")
            return None
        if kind.startswith("float"):
            return float(value)
        if kind.startswith(("int", "uint")):
            return _whole(value)
        if kind.startswith("bool"):
            return value if isinstance(value, bool) else _TRUTH[str(value).lower()]
    except (KeyError, TypeError, ValueError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"{where}: {value!r} where {dtype} was expected") from error
    return value


def _whole(value: Any) -> int:
    if isinstance(value, str):
        return int(value)
    if isinstance(value, bool) or int(value) != value:
        raise ValueError(value)
    return int(value)

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

from . import _about, _replay, _values

if TYPE_CHECKING:
    from collections.abc import Iterable

_TRUTH = {"true": True, "1": True, "false": False, "0": False}


class InputError(ValueError):
    """Input that ``predict`` does not take; the message names line and column."""


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
        If a line cannot be read, lacks a column, or holds a value of another type.
    """
    form = _about.capture()["signature"]["input_form"]
    if is_csv and form != "frame":
        raise InputError("CSV fits data frames only; give JSON lines")
    rows = list(_csv_rows(source) if is_csv else _json_rows(source))
    if not rows:
        raise InputError("the input has no row")
    predict = _about.predict_function()
    if form == "frame":
        frame, remarks = frame_of(rows)
        return _lines(_call(predict, frame), len(rows)), remarks
    if form == "array":
        return _lines(_call(predict, _array_of(rows)), len(rows)), []
    return [plain(_call_line(predict, number, row)) for number, row in rows], []


def looks_as_csv(text: str) -> bool:
    """Return whether a text without a file name is CSV: rows of a frame, and no JSON."""
    form = _about.capture()["signature"]["input_form"]
    return form == "frame" and not text.lstrip().startswith(("{", "["))


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
    return f"{type(error).__name__}: {error}"


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

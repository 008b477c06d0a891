"""Rows as they came over the wire, the table that ``predict`` takes, and its answer by row.

Rows are a list of tuples or one matrix for a data frame, an array for an array, a list for a
list or series, and a list of named arguments for anything else.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ._contract import Contract

Rows = Any


class ColumnError(ValueError):
    """A column that cannot have the dtype that ``predict`` takes."""

    def __init__(self, message: str, *, field: str = "") -> None:
        super().__init__(message)
        #: the column's name
        self.field = field


def table_of(contract: Contract, rows: Rows) -> Any:
    """Build the table that ``predict`` takes.

    Raises
    ------
    ColumnError
        If a value does not fit its column's dtype.
    """
    if contract.form == "frame":
        return frame_of(contract.example, rows)
    if contract.form == "series":
        import pandas as pd

        example = contract.example
        return pd.Series(
            column_of(rows, example.name, example.dtype), name=example.name
        )
    return rows


def frame_of(example: Any, rows: Rows) -> Any:
    """Build a data frame with the columns and dtypes of an example.

    Raises
    ------
    ColumnError
        If a value does not fit its column's dtype.
    """
    import pandas as pd

    columns = rows.T if hasattr(rows, "T") else list(zip(*rows, strict=True))
    data = {
        place: column_of(columns[place], name, example.dtypes.iloc[place])
        for place, name in enumerate(example.columns)
    }
    frame = pd.DataFrame(data, copy=False)
    frame.columns = example.columns
    return frame


def column_of(values: Sequence[Any], name: Any, dtype: Any) -> Any:
    """Give values the dtype of a column.

    Raises
    ------
    ColumnError
        If one does not fit.
    """
    import pandas as pd

    try:
        if type(dtype).__module__.startswith("numpy") and dtype.kind in "biuf":
            return array_of(values, dtype)
        if isinstance(dtype, pd.CategoricalDtype):
            return pd.Categorical(list(values), dtype=dtype)
        return pd.Series(list(values), dtype=object).astype(dtype)
    except (TypeError, ValueError, OverflowError) as error:
        raise ColumnError(f"no {dtype}: {error}", field=str(name)) from error


def array_of(values: Sequence[Any], dtype: Any) -> Any:
    """Build an array, and lose nothing: no fraction, no text that looks like a number.

    Raises
    ------
    TypeError
        If a value is of another kind.
    ValueError
        If a number would lose something.
    """
    import numpy as np

    source = np.asarray(values)
    kinds = {"b": "b", "i": "biufO", "u": "biufO", "f": "biufO"}
    if source.dtype.kind not in kinds.get(dtype.kind, source.dtype.kind):
        raise TypeError(f"{source.dtype} where {dtype} was expected")
    array = source.astype(dtype, copy=False)
    if dtype.kind in "iu" and source.dtype != dtype and (array != source).any():
        raise ValueError(f"a fraction or too large for {dtype}")
    return array


def join(parts: Sequence[Rows]) -> Rows:
    """Put the rows of several requests one after another."""
    if len(parts) == 1:
        return parts[0]
    if any(hasattr(part, "dtype") for part in parts):
        import numpy as np

        dtype = next(part.dtype for part in parts if hasattr(part, "dtype"))
        return np.concatenate([np.asarray(part, dtype=dtype) for part in parts])
    return list(itertools.chain.from_iterable(parts))


def call(predict: Callable[..., Any], contract: Contract, rows: Rows) -> Any:
    """Ask ``predict``: once for a table, once for each set of arguments.

    Raises
    ------
    ColumnError
        If a value does not fit its column's dtype.
    """
    if contract.is_table:
        table = table_of(contract, rows)
        return (
            predict(**{contract.keyword: table}) if contract.keyword else predict(table)
        )
    answers = []
    for arguments in rows:
        named = dict(arguments)
        first = [named.pop(name) for name in contract.positional if name in named]
        answers.append(predict(*first, **named))
    return answers


def is_by_row(answer: Any, count: int) -> bool:
    """Return whether an answer has one part for each of so many rows."""
    if isinstance(answer, (list, tuple)):
        return len(answer) == count
    if hasattr(answer, "iloc") or hasattr(answer, "dtype"):
        shape: tuple[int, ...] = answer.shape
        return bool(shape) and shape[0] == count
    return False


def cut(answer: Any, start: int, stop: int) -> Any:
    """Take the answers of some rows, as if only those had been asked."""
    if not hasattr(answer, "iloc"):
        return answer[start:stop]
    part = answer.iloc[start:stop]
    is_counted = type(answer.index).__name__ == "RangeIndex"
    return part.reset_index(drop=True) if is_counted else part

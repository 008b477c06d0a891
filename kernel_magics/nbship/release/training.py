"""What the training data of a live notebook add to the signature that golden cases show."""

from __future__ import annotations

import contextlib
import dataclasses
import math
from typing import TYPE_CHECKING, Any

from nbship.release.columns import few_values
from nbship.release.golden_columns import MAX_WIDTH

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from nbship.records.signature import Column, Signature

_MATRIX = 2


def with_training(signature: Signature, namespace: Mapping[str, Any]) -> Signature:
    """Widen ranges, categories and nulls by the frame or array that the model was fitted on.

    Parameters
    ----------
    signature
        What the golden cases show.
    namespace
        The notebook's names. Of the tables that have every input column, one that is named
        after training is taken, else the longest.
    """
    found = training_table(signature, namespace)
    if found is None:
        return signature
    name, table = found
    if signature.input_form == "frame":
        inputs = tuple(_widened(c, table[_label(table, c)]) for c in signature.inputs)
    else:
        inputs = tuple(_widened(c, table.reshape(-1)) for c in signature.inputs)
    read_from = (*signature.read_from, f"{name} ({len(table)} rows)")
    return dataclasses.replace(signature, inputs=inputs, read_from=read_from)


def training_table(
    signature: Signature, namespace: Mapping[str, Any]
) -> tuple[str, Any] | None:
    """Find the notebook's training data, by name and value; None where there is none."""
    fitting = [
        (name, value)
        for name, value in namespace.items()
        if not name.startswith("_") and _fits(signature, value)
    ]
    named = [pair for pair in fitting if "train" in pair[0].lower()]
    return max(named or fitting, key=lambda pair: (len(pair[1]), pair[0]), default=None)


def training_columns(signature: Signature, table: Any) -> dict[str, Any]:  # noqa: ANN401
    """Return the columns of training data by the names of the inputs, as profiles take them.

    Parameters
    ----------
    signature
        Names and types of the inputs.
    table
        The frame or array that :func:`training_table` found.

    Returns
    -------
    dict
        Name -> an array of numbers, or a list with ``None`` where a value is missing. A column
        of another type than the input's is left out.
    """
    if signature.input_form != "frame":
        (column,) = signature.inputs
        flat = table.reshape(len(table), -1)
        if len(column.shape) != 1 or flat.shape[1] > MAX_WIDTH:
            return {}
        return {f"{column.name}[{i}]": flat[:, i] for i in range(flat.shape[1])}
    found: dict[str, Any] = {}
    for column in signature.inputs:
        series = table[_label(table, column)]
        with contextlib.suppress(TypeError, ValueError):
            if column.dtype.startswith(("int", "uint", "float")):
                found[column.name] = series.to_numpy(dtype="float64", na_value=math.nan)
            else:
                missing = series.isna()
                values = zip(series.tolist(), missing.tolist(), strict=True)
                found[column.name] = [None if gone else v for v, gone in values]
    return found


def _fits(signature: Signature, value: Any) -> bool:  # noqa: ANN401
    kind = type(value).__name__
    if signature.input_form == "frame":
        wanted = {column.name for column in signature.inputs}
        return (
            kind == "DataFrame"
            and len(value) > 0
            and value.columns.is_unique
            and wanted <= {str(name) for name in value.columns}
        )
    if signature.input_form != "array" or kind != "ndarray" or not len(value.shape):
        return False
    (column,) = signature.inputs
    is_number = value.dtype.kind in "iuf"
    return is_number and value.shape[1:] == column.shape and value.ndim >= _MATRIX


def _label(frame: Any, column: Column) -> Any:  # noqa: ANN401
    return next(name for name in frame.columns if str(name) == column.name)


def _widened(column: Column, values: Any) -> Column:  # noqa: ANN401  # a series or an array
    if hasattr(values, "isna"):
        is_missing = values.isna()
        has_nulls, present = bool(is_missing.any()), values[~is_missing]
    else:
        is_missing = values != values  # noqa: PLR0124  # NaN
        has_nulls, present = bool(is_missing.any()), values[~is_missing]
    changes: dict[str, Any] = {"is_nullable": column.is_nullable or has_nulls}
    if column.dtype.startswith(("int", "uint", "float")) and len(present):
        changes["minimum"] = _least(column.minimum, present.min(), min)
        changes["maximum"] = _least(column.maximum, present.max(), max)
    if column.dtype == "string":
        changes["categories"] = few_values([*column.categories, *present.tolist()])
    return dataclasses.replace(column, **changes)


def _least(
    known: float | None,
    found: Any,  # noqa: ANN401  # a number of any library
    choose: Callable[[float, float], float],
) -> float | None:
    try:
        number = float(found)
    except (TypeError, ValueError):
        return known
    if math.isinf(number):
        return known
    return number if known is None else choose(known, number)

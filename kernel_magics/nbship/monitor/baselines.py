"""The baseline that a release ships: one profile a column."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from nbship.monitor.profiles import BINS, category_profile, number_profile
from nbship.records.baseline import Baseline

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from nbship.records.release import Column, Signature

    Values = Mapping[str, Sequence[Any]]

_NUMBERS = ("int", "uint", "float")
_CATEGORIES = ("bool", "string", "category")
#: fewer rows than this give bins of one or two values
_ENOUGH_ROWS = 10 * BINS


def baseline_of(
    signature: Signature,
    *,
    inputs: Values,
    outputs: Values,
    source: str,
    hide_below: int = 1,
) -> Baseline:
    """Profile every column that holds numbers, categories or texts.

    Parameters
    ----------
    signature
        Which columns there are, and of what kind.
    inputs, outputs
        Column -> one value a row, ``None`` where it is missing.
    source
        Where the values come from.
    hide_below
        What fewer rows than this have in common is not named.
    """
    profiles = {
        "inputs": _profiles(signature.inputs, inputs, hide_below),
        "outputs": _profiles(signature.outputs, outputs, hide_below),
    }
    rows = max((len(values) for values in inputs.values()), default=0)
    remarks = [
        f"{side}: {column.name} is not profiled: no column of numbers, categories or texts"
        for side, columns in (
            ("inputs", signature.inputs),
            ("outputs", signature.outputs),
        )
        for column in columns
        if not any(name.partition("[")[0] == column.name for name in profiles[side])
        and column.name not in profiles[side]
    ]
    return Baseline(
        source=source,
        rows=rows,
        inputs=profiles["inputs"],
        outputs=profiles["outputs"],
        remarks=(*_few(rows), *remarks),
    )


def from_training(training: Baseline, golden: Baseline) -> Baseline:
    """Join the inputs of the training data with the outputs of the golden cases.

    Parameters
    ----------
    training
        Of the training data: it has no outputs.
    golden
        Of the golden cases.
    """
    return replace(
        training,
        outputs=golden.outputs,
        outputs_source=golden.source,
        outputs_rows=golden.rows,
        remarks=(
            *(text for text in training.remarks if text.startswith("inputs: ")),
            *(text for text in golden.remarks if text.startswith("outputs: ")),
            *_few(training.rows),
        ),
    )


def _few(rows: int) -> tuple[str, ...]:
    if rows >= _ENOUGH_ROWS:
        return ()
    text = (
        f"{rows} rows are few for a baseline: compare production with it by eye, and take"
        " a new one from the first weeks"
    )
    return (text,)


def _profiles(
    columns: Sequence[Column], values: Values, hide_below: int
) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for column in columns:
        if column.dtype.startswith(_NUMBERS):
            profile: Callable[..., dict[str, Any]] = number_profile
        elif column.dtype in _CATEGORIES:
            profile = category_profile
        else:
            continue
        names = [column.name]
        if len(column.shape) == 1:  # the columns of a matrix
            names = [f"{column.name}[{i}]" for i in range(column.shape[0])]
        found |= {
            name: profile(values[name], hide_below=hide_below)
            for name in names
            if name in values
        }
    return found

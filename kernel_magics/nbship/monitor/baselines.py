"""The baseline that a release ships: one profile a column."""

from __future__ import annotations

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
    signature: Signature, *, inputs: Values, outputs: Values, source: str
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
    """
    profiles = {
        "inputs": _profiles(signature.inputs, inputs),
        "outputs": _profiles(signature.outputs, outputs),
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
    if rows < _ENOUGH_ROWS:
        remarks.insert(
            0,
            f"{rows} rows are few for a baseline: compare production with it by eye, and take"
            " a new one from the first weeks",
        )
    return Baseline(
        source=source,
        rows=rows,
        inputs=profiles["inputs"],
        outputs=profiles["outputs"],
        remarks=tuple(remarks),
    )


def _profiles(columns: Sequence[Column], values: Values) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for column in columns:
        if column.dtype.startswith(_NUMBERS):
            profile: Callable[[Sequence[Any]], dict[str, Any]] = number_profile
        elif column.dtype in _CATEGORIES:
            profile = category_profile
        else:
            continue
        names = [column.name]
        if len(column.shape) == 1:  # the columns of a matrix
            names = [f"{column.name}[{i}]" for i in range(column.shape[0])]
        found |= {name: profile(values[name]) for name in names if name in values}
    return found

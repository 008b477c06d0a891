"""Which compiled routine may stand for a root, and what rows it is compared on."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from . import _columns, _fast, _steps
from ._originals import is_original

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ._contract import Contract

#: rows that are made up, and their seed
_GENERATED = 256
_SEED = 20261126
#: lists of so many rows become a matrix faster number by number
_MANY = 8
#: every so many generated values are missing, where a golden one is
_MISSING = 10


@dataclass(frozen=True, kw_only=True, slots=True)
class Candidate:
    """A routine that is to be compared."""

    #: rows, and the memory layout of the matrix that they become -> answer
    routine: Callable[[Any, str], Any]
    #: golden rows and others like them
    tried: Any


def candidate_of(
    predict: Callable[..., Any], contract: Contract, rows: Any
) -> Candidate | str:
    """Find a routine for a root, or say why there is none.

    Parameters
    ----------
    predict
        The root.
    contract
        What it takes.
    rows
        The golden rows.
    """
    try:
        steps = _steps.steps_of(predict)
    except _steps.UnusualError as error:
        return str(error)
    names = [field.name for field in contract.inputs]
    is_known = contract.form == "frame" and set(steps.columns or ()) <= set(names)
    if steps.columns is not None and not is_known:
        return "columns are taken of something that is no data frame"
    reason = numeric_reason(contract)
    if not reason:
        routine = _of_matrix(steps, names)
        tried = drawn_numbers(rows)
    elif contract.form == "frame":
        routine = _of_columns(steps, names)
        tried = _drawn_values(rows)
        if routine is None:
            return reason
    else:
        return reason
    if routine is None:
        return f"no compiled routine for {type(steps.model).__name__}"
    return Candidate(routine=_ending(routine, is_list=steps.is_list), tried=tried)


def matrix_of(rows: Any, order: str = "C") -> Any:
    """Build the matrix of doubles that the compiled routines take."""
    import numpy as np

    if isinstance(rows, list) and len(rows) >= _MANY:
        flat = itertools.chain.from_iterable(rows)
        size = len(rows) * len(rows[0])
        try:
            matrix = np.fromiter(flat, np.float64, size).reshape(len(rows), -1)
        except TypeError:  # a value is missing
            pass
        else:
            return np.asfortranarray(matrix) if order == "F" else matrix
    return np.array(rows, dtype=np.float64, order="F" if order == "F" else "C")


def numeric_reason(contract: Contract) -> str:
    """Say why the input is no matrix of doubles; "" where it is."""
    if contract.form == "array":
        example = contract.example
        is_matrix = example.ndim == 2 and str(example.dtype) == "float64"  # noqa: PLR2004
        return "" if is_matrix else "the input is no matrix of doubles"
    if contract.form != "frame":
        return "the input is no matrix of doubles"
    kinds = [getattr(dtype, "kind", "O") for dtype in contract.example.dtypes]
    plain = [str(dtype).islower() for dtype in contract.example.dtypes]
    if all(kind in "iuf" and low for kind, low in zip(kinds, plain, strict=True)):
        wide = any(str(dtype) == "float64" for dtype in contract.example.dtypes)
        return "" if wide else "the data frame has no column of doubles"
    return "the data frame has columns that are no plain numbers"


def _ending(
    routine: Callable[[Any, str], Any], *, is_list: bool
) -> Callable[[Any, str], Any]:
    if not is_list:
        return routine
    return lambda rows, order: routine(rows, order).tolist()


def _of_matrix(
    steps: _steps.Steps, names: Sequence[str]
) -> Callable[[Any, str], Any] | None:
    """Ask the steps with all rows as one matrix, or with some of its columns."""
    transforms = [_fast.transform_of(step) for step in steps.transforms]
    known = [transform for transform in transforms if transform is not None]
    last = _fast.routine_of(steps.model)
    if last is None or len(known) != len(transforms):
        return _of_columns(steps, names)
    places = [names.index(name) for name in steps.columns or ()]

    def answer(rows: Any, order: str) -> Any:
        matrix = matrix_of(rows, order)
        if places:
            matrix = matrix_of(matrix[:, places], order)
        for transform in known:
            matrix = transform(matrix)
        return last(matrix)

    return answer


def _of_columns(
    steps: _steps.Steps, names: Sequence[str]
) -> Callable[[Any, str], Any] | None:
    """Ask a ColumnTransformer, and what comes behind it, with columns of any kind."""
    model, parts = steps.model, list(steps.transforms)
    while hasattr(model, "best_estimator_") and is_original(model):
        model = model.best_estimator_
    if type(model).__name__ == "Pipeline" and is_original(model):
        parts += [step for _, step in model.steps[:-1]]
        model = model.steps[-1][1]
    if not parts:
        return None
    make = _columns.matrix_maker(parts[0], steps.columns or names)
    transforms = [_fast.transform_of(step) for step in parts[1:]]
    known = [transform for transform in transforms if transform is not None]
    last = _fast.routine_of(model)
    if make is None or last is None or len(known) != len(transforms):
        return None
    places = [names.index(name) for name in steps.columns or names]

    def answer(rows: Any, order: str) -> Any:
        columns = (
            rows.T.tolist() if hasattr(rows, "T") else list(zip(*rows, strict=True))
        )
        matrix = matrix_of(make([columns[place] for place in places]), order)
        for transform in known:
            matrix = transform(matrix)
        return last(matrix)

    return answer


def drawn_numbers(rows: Any) -> Any:
    """Add rows between the smallest and largest golden number of each column, and beyond."""
    import numpy as np

    golden = matrix_of(rows)
    missing = np.isnan(golden)
    low = np.where(missing, np.inf, golden).min(axis=0)
    high = np.where(missing, -np.inf, golden).max(axis=0)
    low, high = np.where(low > high, 0.0, low), np.where(low > high, 1.0, high)
    span = np.where(high > low, high - low, np.maximum(np.abs(high), 1.0))
    generator = np.random.default_rng(_SEED)
    drawn = generator.uniform(-0.25, 1.25, size=(_GENERATED, golden.shape[1]))
    made = low + drawn * span
    whole = (missing | (golden == np.rint(golden))).all(axis=0)
    made[:, whole] = np.rint(made[:, whole])
    holes = generator.integers(_MISSING, size=made.shape) == 0
    made[holes & missing.any(axis=0)] = np.nan
    return np.concatenate([golden, made])


def _drawn_values(rows: Any) -> Any:
    """Add rows whose values are drawn column by column; numbers that are not whole are moved."""
    import random

    draw = random.Random(_SEED)  # noqa: S311  # no secret
    columns = [list(column) for column in zip(*rows, strict=True)]
    made = []
    for column in columns:
        values = [draw.choice(column) for _ in range(_GENERATED)]
        if any(isinstance(v, float) and not v.is_integer() for v in column):
            values = [_moved(value, draw) for value in values]
        made.append(values)
    return [*rows, *zip(*made, strict=True)]


def _moved(value: Any, draw: Any) -> Any:
    if not isinstance(value, float) or _columns.is_missing(value):
        return value
    return value * draw.uniform(0.75, 1.25)

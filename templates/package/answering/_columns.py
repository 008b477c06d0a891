"""Columns of several kinds, made into one matrix as a ColumnTransformer does it.

Numbers are imputed and scaled as elsewhere; texts are looked up among the categories of a
OneHotEncoder. Only what becomes one dense matrix of doubles is done here.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from . import _fast
from ._originals import is_original

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    #: rows of plain values -> one block of columns
    Block = Callable[[Sequence[Sequence[Any]]], Any]


def matrix_maker(step: Any, names: Sequence[str]) -> Block | None:
    """Return what makes the matrix that a fitted ColumnTransformer makes; None where nothing does.

    Parameters
    ----------
    step
        The fitted ColumnTransformer.
    names
        Names of the values in a row.

    Returns
    -------
    Callable or None
        Takes columns, each a sequence of plain values, and raises
        :class:`._fast.DeclinedError` where scikit-learn might refuse or impute a value.
    """
    known = getattr(step, "feature_names_in_", None)
    is_plain = type(step).__name__ == "ColumnTransformer" and is_original(step)
    if not is_plain or known is None or step.sparse_output_:
        return None
    if _fast.gives_frames(step) or step.transformer_weights:
        return None
    blocks: list[tuple[list[int], Block]] = []
    for name, part, _ in step.transformers_:
        if isinstance(part, str) and part == "drop":
            continue
        places = step._transformer_to_input_indices[name]  # noqa: SLF001  # no public name
        chosen = [str(known[place]) for place in places]
        if not chosen or any(item not in names for item in chosen):
            return None
        block = _block_of(part)
        if block is None:
            return None
        blocks.append(([list(names).index(item) for item in chosen], block))

    def make(columns: Sequence[Sequence[Any]]) -> Any:
        import numpy as np

        return np.hstack(
            [block([columns[p] for p in places]) for places, block in blocks]
        )

    return make if blocks else None


def _block_of(part: Any) -> Block | None:
    if isinstance(part, str) or type(part).__name__ == "FunctionTransformer":
        is_kept = part == "passthrough" or getattr(part, "func", 0) is None
        return _numbers if is_kept else None
    if type(part).__name__ == "OneHotEncoder":
        return _one_hot(part)
    transform = _fast.transform_of(part)
    if transform is None:
        return None
    return lambda columns: transform(_numbers(columns))


def _numbers(columns: Sequence[Sequence[Any]]) -> Any:
    import numpy as np

    try:
        matrix = np.array(columns, dtype=np.float64).T
    except (TypeError, ValueError) as error:
        raise _fast.DeclinedError("no number") from error
    if np.isinf(matrix).any():
        raise _fast.DeclinedError("infinite")
    return matrix


def _one_hot(step: Any) -> Block | None:
    import numpy as np

    is_plain = is_original(step) and not _fast.gives_frames(step)
    if not is_plain or step.drop_idx_ is not None or step.dtype is not np.float64:
        return None
    if step._infrequent_enabled:  # noqa: SLF001  # no public name
        return None
    known = [list(values) for values in step.categories_]
    if not all(isinstance(value, str) for values in known for value in values):
        return None
    starts = np.cumsum([0, *(len(values) for values in known)])
    tables = [
        {value: int(start) + n for n, value in enumerate(values)}
        for start, values in zip(starts, known, strict=False)
    ]
    width, ignores = int(starts[-1]), step.handle_unknown == "ignore"

    def block(columns: Sequence[Sequence[Any]]) -> Any:
        made = np.zeros((len(columns[0]), width))
        for table, column in zip(tables, columns, strict=True):
            for number, value in enumerate(column):
                place = table.get(value)
                if place is not None:
                    made[number, place] = 1.0
                elif not ignores or not isinstance(value, str):
                    raise _fast.DeclinedError(f"{value!r} is no known category")
        return made

    return block


def is_missing(value: Any) -> bool:
    """Tell whether a plain value stands for nothing."""
    return value is None or (isinstance(value, float) and math.isnan(value))

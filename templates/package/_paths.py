"""How this package answers: the author's code, or a faster way that was proven to be equal.

Two things are tried against the golden cases and a generated set when a model is loaded.

*Row by row*: do rows that are asked together get the answers that they get alone? Only then
may requests share a call, and a file be answered in parts. Compared as golden cases are:
labels, strings and integers exactly, floats within a relative 1e-9.

*Compiled routines*: does :mod:`._fast` answer as ``predict`` does, bit by bit? Only then is
it used. The author's code answers wherever one of the two is not so.
"""

from __future__ import annotations

import math
import sys
import time
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any

from . import _about, _golden, _replay, _tables, _values

if TYPE_CHECKING:
    from collections.abc import Callable

    from ._contract import Contract

#: rows that are compared, and the seed of those that are made up
_MAX_ROWS = 64
_GENERATED = 256
_SEED = 20261126
#: batches in which the compiled routines are compared
_SIZES = (1, 2, 7, 64)
#: at most so many calls for each size, spread over all rows
_CALLS = 12


@dataclass(slots=True)
class Chosen:
    """What answers, and why."""

    contract: Contract
    predict: Callable[..., Any]
    #: the compiled routine; None where the author's code answers
    routine: Callable[[Any], Any] | None = None
    #: memory layout in which the routine agreed: ``C`` or ``F``
    order: str = "C"
    why: str = ""
    is_by_row: bool = False
    why_by_row: str = ""
    #: time of a call of one row, and of each further row
    first_row_s: float = 0.0
    next_row_s: float = 0.0

    def answer(self, rows: Any) -> tuple[Any, bool]:
        """Answer some rows; say whether the compiled routine did."""
        if self.routine is not None:
            matrix = matrix_of(rows, self.order)
            try:
                return self.routine(matrix), True
            except (
                ValueError
            ):  # declined: the author's code refuses it in its own words
                pass
        return _tables.call(self.predict, self.contract, rows), False

    def expected_s(self, rows: int) -> float:
        """Expect a call to take that long; a call with arguments may take any time."""
        if not self.contract.is_table:
            return math.inf
        return self.first_row_s + self.next_row_s * (rows - 1)

    def facts(self) -> dict[str, Any]:
        """Say what was chosen and why, for people and the manifest."""
        return {
            "form": self.contract.form,
            "answers": "compiled routines" if self.routine else "the author's code",
            "why": self.why,
            "row_by_row": self.is_by_row,
            "why_row_by_row": self.why_by_row,
        }


def choose(
    predict: Callable[..., Any], contract: Contract, *, only_author: bool = False
) -> Chosen:
    """Try what may answer, and choose.

    Parameters
    ----------
    predict
        The author's function.
    contract
        What it takes.
    only_author
        Whether compiled routines are left out.
    """
    chosen = Chosen(contract=contract, predict=predict)
    rows = golden_rows(contract)
    if not contract.is_table:
        chosen.why = chosen.why_by_row = "each call has arguments of its own"
    else:
        chosen.is_by_row, chosen.why_by_row = _compare_rows(predict, contract, rows)
        if only_author:
            chosen.why = "asked for"
        else:
            _try_routine(chosen, rows)
    _measure(chosen, rows)
    return chosen


def by_row(predict: Callable[..., Any], contract: Contract) -> tuple[bool, str]:
    """Tell whether rows that are asked together get the answers that they get alone, and why."""
    if not contract.is_table:
        return False, "each call has arguments of its own"
    return _compare_rows(predict, contract, golden_rows(contract))


def golden_rows(contract: Contract) -> Any:
    """Read the rows of all golden cases, at most 64, or the arguments of the first call."""
    cases = list(_replay.golden_cases())
    if not contract.is_table:
        named = {
            field.name: _golden.argument_of(field.recorded)
            for field in contract.inputs
            if field.recorded is not None
        }
        return [named]
    parts = []
    for case in cases:
        table = _values.decode([*case["args"], *case["kwargs"].values()][0])
        if len(table):
            parts.append(rows_of(table, contract.form)[:_MAX_ROWS])
        if sum(map(len, parts)) >= _MAX_ROWS:
            break
    return _tables.join(parts)[:_MAX_ROWS] if parts else []


def rows_of(table: Any, form: str) -> Any:
    """Turn a table back into rows."""
    if form == "frame":
        columns = [table.iloc[:, place].tolist() for place in range(table.shape[1])]
        return list(zip(*columns, strict=True))
    return table.tolist() if form == "series" else table


def matrix_of(rows: Any, order: str = "C") -> Any:
    """Build the matrix of doubles that the compiled routines take."""
    import numpy as np

    return np.array(rows, dtype=np.float64, order="F" if order == "F" else "C")


def _compare_rows(
    predict: Callable[..., Any], contract: Contract, rows: Any
) -> tuple[bool, str]:
    count = len(rows)
    if count < 2:  # noqa: PLR2004  # nothing to compare
        return False, "the golden cases have one row"
    try:
        whole = _tables.call(predict, contract, rows)
        if not _tables.is_by_row(whole, count):
            return False, f"{count} rows get one answer"
        for start, stop in _spans(count):
            alone = _tables.call(predict, contract, rows[start:stop])
            encoded = _values.encode(_tables.cut(whole, start, stop))
            found = _values.compare(encoded, alone)
            if found:
                return False, f"rows {start} to {stop - 1} asked alone: {found[0]}"
    except Exception as error:  # noqa: BLE001  # the author's code may raise anything
        return False, f"{type(error).__name__}: {error}"
    return True, f"{count} golden rows get the same answers alone and together"


def _spans(count: int) -> list[tuple[int, int]]:
    singles = [(place, place + 1) for place in range(min(count, 8))]
    half = count // 2
    spans = [*singles, (0, half), (half, count), (count - 1, count)]
    return [(start, stop) for start, stop in spans if stop > start]


def _try_routine(chosen: Chosen, rows: Any) -> None:
    model = _estimator()
    if model is None:
        chosen.why = "the root is a function"
        return
    chosen.why = _numeric_reason(chosen.contract)
    if chosen.why:
        return
    from . import _fast

    try:
        routine = _fast.routine_of(model)
    except Exception as error:  # noqa: BLE001  # another version of scikit-learn
        chosen.why = f"no compiled routine: {type(error).__name__}: {error}"
        return
    if routine is None:
        chosen.why = f"no compiled routine for {type(model).__name__}"
        return
    tried = _generated(rows)
    for order in ("C", "F"):
        chosen.why = _difference(chosen, routine, order, tried)
        if not chosen.why:
            chosen.routine, chosen.order = routine, order
            chosen.why = f"{len(tried)} golden and generated rows agree bit by bit"
            return


def _estimator() -> Any:
    captured = _about.capture()
    if captured["kind"] != "estimator" or "sklearn" not in sys.modules:
        return None
    own = captured["name"] if captured["name"] != "predict" else "fitted"
    model = getattr(import_module(f"{__package__}.model"), own, None)
    return model if hasattr(model, "predict") else None


def _numeric_reason(contract: Contract) -> str:
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


def _generated(rows: Any) -> Any:
    """Add rows between the smallest and largest golden number of each column, and beyond."""
    import numpy as np

    golden = matrix_of(rows)
    low, high = np.nanmin(golden, axis=0), np.nanmax(golden, axis=0)
    span = np.where(high > low, high - low, np.maximum(np.abs(high), 1.0))
    generator = np.random.default_rng(_SEED)
    drawn = generator.uniform(-0.25, 1.25, size=(_GENERATED, golden.shape[1]))
    made = low + drawn * span
    whole = (golden == np.rint(golden)).all(axis=0)
    made[:, whole] = np.rint(made[:, whole])
    return np.concatenate([golden, made])


def _difference(
    chosen: Chosen, routine: Callable[[Any], Any], order: str, tried: Any
) -> str:
    """Say where the routine differs from the author's code; "" where nowhere."""
    import numpy as np

    for size in _SIZES:
        starts = range(0, len(tried), size)
        for start in starts[:: 1 + len(starts) // _CALLS]:
            part = tried[start : start + size]
            if not np.isfinite(part).all():
                continue
            try:
                wanted = _tables.call(chosen.predict, chosen.contract, part)
                found = routine(matrix_of(part, order))
            except Exception as error:  # noqa: BLE001  # the author's code, or a routine
                return f"{type(error).__name__}: {error}"
            if not _is_identical(wanted, found):
                return f"the compiled routine differs on rows {start} to {start + size - 1}"
    return ""


def _is_identical(wanted: Any, found: Any) -> bool:
    same_kind = type(wanted) is type(found) and wanted.dtype == found.dtype
    if not same_kind or wanted.shape != found.shape:
        return False
    if wanted.dtype.kind == "O":
        return bool((wanted == found).all())
    return bool(wanted.tobytes() == found.tobytes())


def _measure(chosen: Chosen, rows: Any) -> None:
    """Measure a call of one row, and of many."""
    try:
        chosen.first_row_s = min(_timed(chosen, rows[:1]) for _ in range(3))
        if chosen.contract.is_table and len(rows) > 1:
            many = _timed(chosen, rows)
            chosen.next_row_s = max(many - chosen.first_row_s, 0.0) / (len(rows) - 1)
        else:
            chosen.next_row_s = chosen.first_row_s
    except Exception:  # noqa: BLE001  # then it runs beside the event loop
        chosen.first_row_s = 1.0


def _timed(chosen: Chosen, rows: Any) -> float:
    started = time.perf_counter()
    chosen.answer(rows)
    return time.perf_counter() - started

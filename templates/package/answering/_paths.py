"""How this package answers: the author's code, or a faster way that was proven to be equal.

Two things are tried against the golden cases and a generated set: by the export, which writes
down what it decided and why, and again whenever a server begins. What the export did not prove
is never used; what it did is used only where it is proven here too.

*Row by row*: do rows that are asked together get the answers that they get alone? Only then
may requests share a call, and a file be answered in parts. Compared as golden cases are:
labels, strings and integers exactly, floats within a relative 1e-9.

*Compiled routines*: does what :mod:`._routines` finds answer as ``predict`` does, bit by bit?
Only then is it used. The author's code answers wherever one of the two is not so.

*Graph*: where the author asked for an ONNX graph, does it give the same labels, and floats
within the declared tolerance?
"""

from __future__ import annotations

import math
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .. import _about, _golden, _values
from ..parity import _replay
from . import _graph, _routines, _tables
from ._fast import DeclinedError

if TYPE_CHECKING:
    from collections.abc import Callable

    from ._contract import Contract
    from ._routines import Candidate

#: what may answer
COMPILED, AUTHOR = "compiled routines", "the author's code"
#: golden rows that are compared
_MAX_ROWS = 64
#: batches in which the compiled routines are compared
_SIZES = (1, 2, 7, 64)
#: at most so many calls for each size, spread over all rows
_CALLS = 12


@dataclass(slots=True)
class Chosen:
    """What answers, and why."""

    contract: Contract
    predict: Callable[..., Any]
    #: a faster way, of rows and a memory layout, and its name; None for the author's code
    routine: Callable[[Any, str], Any] | None = None
    by: str = AUTHOR
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
            try:
                return self.routine(rows, self.order), True
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
            "answers": self.by,
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
            if _graph.is_asked():
                _try_graph(chosen, rows)
    _hold_to(chosen, _about.decided())
    _measure(chosen, rows)
    return chosen


def _hold_to(chosen: Chosen, decided: dict[str, Any]) -> None:
    """Use nothing that the export did not prove, whatever is seen here."""
    if not decided:
        return
    if chosen.routine is not None and decided["answers"] != chosen.by:
        chosen.routine, chosen.by = None, AUTHOR
        chosen.why = f"at the export: {decided['why']}"
    if chosen.is_by_row and not decided["row_by_row"]:
        chosen.is_by_row = False
        chosen.why_by_row = f"at the export: {decided['why_row_by_row']}"


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
    if "sklearn" not in sys.modules:
        chosen.why = "the root uses no scikit-learn"
        return
    try:
        found = _routines.candidate_of(chosen.predict, chosen.contract, rows)
    except Exception as error:  # noqa: BLE001  # another version of scikit-learn
        chosen.why = f"no compiled routine: {type(error).__name__}: {error}"
        return
    if isinstance(found, str):
        chosen.why = found
        return
    for order in ("C", "F"):
        chosen.why = _difference(chosen, found, order)
        if not chosen.why:
            chosen.routine, chosen.order, chosen.by = found.routine, order, COMPILED
            count = len(found.tried)
            chosen.why = f"{count} golden and generated rows agree bit by bit"
            return


def _try_graph(chosen: Chosen, rows: Any) -> None:
    """Take the graph that the author asked for where it agrees within the declared tolerance."""
    reason = _routines.numeric_reason(chosen.contract)
    try:
        if not reason:
            tried = _routines.drawn_numbers(rows)
            reason = _graph.take(chosen, tried)
    except Exception as error:  # noqa: BLE001  # another onnxruntime, or none
        reason = f"{type(error).__name__}: {error}"
    if reason:
        chosen.why += f"; no ONNX graph, though asked for: {reason}"


def _difference(chosen: Chosen, found: Candidate, order: str) -> str:
    """Say where the routine differs from the author's code; "" where nowhere."""
    tried, compared = found.tried, 0
    for size in _SIZES:
        starts = range(0, len(tried), size)
        for start in starts[:: 1 + len(starts) // _CALLS]:
            part = tried[start : start + size]
            try:
                answer = found.routine(part, order)
            except DeclinedError:  # then the author's code answers
                continue
            except Exception as error:  # noqa: BLE001  # a routine for another version
                return f"the compiled routine: {type(error).__name__}: {error}"
            try:
                wanted = _tables.call(chosen.predict, chosen.contract, part)
            except Exception as error:  # noqa: BLE001  # the author's code
                return f"the author's code: {type(error).__name__}: {error}"
            if not _is_identical(wanted, answer):
                return f"the compiled routine differs on rows {start} to {start + size - 1}"
            compared += 1
    return "" if compared else "the compiled routine takes none of the golden rows"


def _is_identical(wanted: Any, found: Any) -> bool:
    if type(wanted) is not type(found):
        return False
    if isinstance(wanted, list):  # what repr shows of a double is the double
        return repr(wanted) == repr(found)
    if wanted.dtype != found.dtype or wanted.shape != found.shape:
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

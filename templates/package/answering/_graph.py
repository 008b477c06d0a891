"""The ONNX graph of a fitted estimator, where its author asked for it with a tolerance.

A graph computes in other steps than the estimator, often in single precision; ``_paths``
uses it only where labels are the same and floats within the author's tolerance.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from .. import _about, _values
from ..parity import _replay
from . import _routines, _tables
from ._fast import DeclinedError

if TYPE_CHECKING:
    from collections.abc import Callable

    from ._paths import Chosen

#: how it is named where it answers
GRAPH = "the ONNX graph"


def is_asked() -> bool:
    """Tell whether this package has a graph."""
    return bool(_about.capture().get("graph"))


def take(chosen: Chosen, tried: Any) -> str:
    """Let the graph answer where it agrees; else say where it differs.

    Parameters
    ----------
    chosen
        Has the author's function and what it takes.
    tried : array, shape (rows, columns)
        Golden and generated rows.
    """
    first = _tables.call(chosen.predict, chosen.contract, tried[:1])
    routine = _routine_of(first)
    reason = _difference(chosen, routine, tried)
    if not reason:
        chosen.routine, chosen.order, chosen.by = routine, "C", GRAPH
        chosen.why = (
            f"asked for: {len(tried)} golden and generated rows have the same labels, and "
            "floats within the declared tolerance"
        )
    return reason


def _difference(
    chosen: Chosen, routine: Callable[[Any, str], Any], tried: Any, *, batch: int = 64
) -> str:
    """Say where the graph differs by more than declared; rows that it declines are passed over."""
    rtol = _replay.tolerance()
    spans = [(place, place + 1) for place in range(8)]
    spans += [(place, place + batch) for place in range(0, len(tried), batch)]
    compared = 0
    for start, stop in spans:
        part = tried[start:stop]
        try:
            found = routine(part, "C")
        except DeclinedError:
            continue
        wanted = _tables.call(chosen.predict, chosen.contract, part)
        differences = _values.compare(_values.encode(wanted), found, rtol)
        if differences:
            return f"rows {start} to {start + len(part) - 1}: {differences[0]}"
        compared += 1
    return "" if compared else "it takes none of the rows"


def _routine_of(wanted: Any) -> Callable[[Any, str], Any]:
    """Load the graph as a routine whose answers have the dtype and dimensions of ``wanted``."""
    import numpy as np
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = int(os.environ.get("OMP_NUM_THREADS") or 1)
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(
        (_about.FOLDER / _about.capture()["graph"]["file"]).read_bytes(),
        options,
        providers=["CPUExecutionProvider"],
    )
    entrance = session.get_inputs()[0]
    name, first = entrance.name, [session.get_outputs()[0].name]
    kind = np.float64 if entrance.type == "tensor(double)" else np.float32
    dtype, dimensions = wanted.dtype, wanted.ndim

    def predict(rows: Any, order: str) -> Any:
        with np.errstate(over="ignore"):
            matrix = np.ascontiguousarray(_routines.matrix_of(rows, order), dtype=kind)
        if not np.isfinite(matrix).all():
            raise DeclinedError("missing, infinite or too large")
        (found,) = session.run(first, {name: matrix})
        if found.ndim > dimensions and found.shape[-1] == 1:
            found = found.reshape(found.shape[:-1])
        return found.astype(dtype, copy=False)

    return predict

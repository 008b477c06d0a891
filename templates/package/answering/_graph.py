"""The ONNX graph of a fitted estimator, where its author asked for it with a tolerance.

A graph computes in other steps than the estimator, often in single precision; ``_paths``
uses it only where labels are the same and floats within the author's tolerance.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from .. import _about, _values
from ..parity import _replay
from . import _tables

if TYPE_CHECKING:
    from collections.abc import Callable

    from ._paths import Chosen


def is_asked() -> bool:
    """Tell whether this package has a graph."""
    return bool(_about.capture().get("graph"))


def difference(
    chosen: Chosen, routine: Callable[[Any], Any], tried: Any, *, batch: int = 64
) -> str:
    """Say where the graph differs from the author's code by more than declared; "" where nowhere.

    Parameters
    ----------
    chosen
        Has the author's function and what it takes.
    routine
        The graph's.
    tried : array, shape (rows, columns)
        Golden and generated rows; those with a number that the graph declines are passed over.
    batch
        Rows that are asked together; the first ones are asked alone too.
    """
    rtol = _replay.tolerance()
    spans = [(place, place + 1) for place in range(8)]
    spans += [(place, place + batch) for place in range(0, len(tried), batch)]
    for start, stop in spans:
        part = tried[start:stop]
        try:
            found = routine(part)
        except ValueError:
            continue
        wanted = _tables.call(chosen.predict, chosen.contract, part)
        differences = _values.compare(_values.encode(wanted), found, rtol)
        if differences:
            return f"rows {start} to {start + len(part) - 1}: {differences[0]}"
    return ""


def routine_of(wanted: Any) -> Callable[[Any], Any]:
    """Load the graph and return a routine that answers as ``predict`` does.

    Parameters
    ----------
    wanted
        An answer of ``predict``: dtype and number of dimensions are taken from it.
    """
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

    def predict(matrix: Any) -> Any:
        with np.errstate(over="ignore"):
            rows = np.ascontiguousarray(matrix, dtype=kind)
        if not np.isfinite(rows).all():
            raise ValueError("missing, infinite or too large")
        (found,) = session.run(first, {name: rows})
        if found.ndim > dimensions and found.shape[-1] == 1:
            found = found.reshape(found.shape[:-1])
        return found.astype(dtype, copy=False)

    return predict

"""Fitted estimators of scikit-learn as ONNX graphs, where their author asks for it."""

from __future__ import annotations

from typing import Any

from nbship.errors import ExportError

#: the newest operators that onnxruntime 1.18 and later execute
_OPERATORS = {"": 21, "ai.onnx.ml": 4}


def onnx_graph(model: Any, columns: int) -> bytes:  # noqa: ANN401  # any estimator
    """Convert a fitted estimator to a graph that takes a matrix and gives what ``predict`` does.

    Doubles are tried first: in single precision a tree may take another branch at a threshold.

    Parameters
    ----------
    model
        The estimator.
    columns
        Number of its inputs.

    Raises
    ------
    ExportError
        If skl2onnx or onnxruntime is missing, or the estimator cannot be converted.
    """
    try:
        import onnxruntime
        from skl2onnx import convert_sklearn
        from skl2onnx.common.data_types import DoubleTensorType, FloatTensorType
    except ImportError as error:
        raise ExportError(
            f"an ONNX graph was asked for, and {error.name} is not installed",
            hint="Install both: pip install skl2onnx onnxruntime.",
            hazard="onnx",
        ) from error
    reasons = []
    for kind in (DoubleTensorType, FloatTensorType):
        try:
            made = convert_sklearn(
                model,
                name="model",
                initial_types=[("rows", kind([None, columns]))],
                options=_options(model),
                target_opset=_OPERATORS,
            )
            data: bytes = made.SerializeToString(deterministic=True)
            onnxruntime.InferenceSession(data, providers=["CPUExecutionProvider"])
        except Exception as error:  # noqa: BLE001  # skl2onnx raises what it likes
            reasons.append(f"{kind.__name__}: {_first_line(error)}")
        else:
            return data
    raise ExportError(
        f"{type(model).__name__}: no ONNX graph that onnxruntime executes: "
        + "; ".join(dict.fromkeys(reasons)),
        hint="Leave onnx=True out of nbship.golden; the exact answers need no graph.",
        hazard="onnx",
    )


def _options(model: Any) -> dict[int, dict[str, bool]] | None:  # noqa: ANN401
    """Ask a classifier for arrays instead of one dictionary a row."""
    return {id(model): {"zipmap": False}} if hasattr(model, "predict_proba") else None


def _first_line(error: Exception) -> str:
    return next(iter(str(error).strip().splitlines()), type(error).__name__)[:200]

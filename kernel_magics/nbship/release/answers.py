"""How a fitted object answers: the three lines that are written for it, and the call they make."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nbship.errors import ExportError

if TYPE_CHECKING:
    from collections.abc import Callable

_TORCH_TEXT = """\
    import torch

    some = next({own}.parameters())
    inputs = torch.as_tensor(X, device=some.device)
    if inputs.is_floating_point():
        inputs = inputs.to(some.dtype)
    with torch.no_grad():
        return {own}(inputs).cpu().numpy()"""
_XGBOOST_TEXT = """\
    from xgboost import DMatrix

    return {own}.predict(DMatrix(X))"""
_OWN_TEXT = "    return {own}.predict(X)"
#: methods by which an estimator answers for rows it has not seen, the first it has
_METHODS = ("predict", "transform", "score_samples", "kneighbors")


@dataclass(frozen=True, kw_only=True, slots=True)
class Answers:
    """A fitted object as a model with ``predict``, and that function's text."""

    #: its name in the module that is made
    own: str
    text: str
    predict: Callable[[Any], Any]
    #: the method that is called, for messages
    method: str = "predict"
    #: the columns that it was fitted on; None where it does not say
    feature_names_in_: Any = None
    n_features_in_: int | None = None
    #: the estimator itself, where it may be a step of a pipeline
    estimator: Any = None
    #: turns a value of the notebook into an input, None where it is none; None for tables
    as_input: Callable[[Any], Any] | None = None


def answers_of(value: Any, *, own: str) -> Answers | None:  # noqa: ANN401
    """Say how a fitted object answers; None where it is none.

    Parameters
    ----------
    value
        An estimator with ``fit`` and ``predict`` or another method that answers, a booster of XGBoost or LightGBM, or a
        module of PyTorch.
    own
        Its name in the module that is made.

    Raises
    ------
    ExportError
        If it is a module of PyTorch in training mode, or without parameters.
    """
    if isinstance(value, type):
        return None
    if _is_a("torch", "nn.Module", value):
        return _module_answers(value, own)
    if _is_a("xgboost", "Booster", value):
        return _xgboost_answers(value, own)
    if _is_a("lightgbm", "Booster", value):
        text = _text(value, own, _OWN_TEXT)
        width = value.num_feature()
        return Answers(own=own, text=text, predict=value.predict, n_features_in_=width)
    method = _method_of(value)
    if not method:
        return None
    return Answers(
        own=own,
        text=_text(value, own, f"    return {{own}}.{method}(X)"),
        predict=getattr(value, method),
        method=method,
        feature_names_in_=getattr(value, "feature_names_in_", None),
        n_features_in_=getattr(value, "n_features_in_", None),
        estimator=value,
    )


def _method_of(value: Any) -> str:  # noqa: ANN401
    if not callable(getattr(value, "fit", None)):
        return ""
    for name in _METHODS:
        if callable(getattr(value, name, None)):
            return name
    return ""


def _xgboost_answers(booster: Any, own: str) -> Answers:  # noqa: ANN401
    def predict(table: Any) -> Any:  # noqa: ANN401
        return booster.predict(sys.modules["xgboost"].DMatrix(table))

    return Answers(
        own=own,
        text=_text(booster, own, _XGBOOST_TEXT),
        predict=predict,
        feature_names_in_=booster.feature_names,
        n_features_in_=booster.num_features(),
    )


def _module_answers(module: Any, own: str) -> Answers:  # noqa: ANN401
    torch: Any = sys.modules["torch"]
    if module.training:
        raise ExportError(
            f"{own} is in training mode: dropout and batch statistics would change answers",
            hint=f"Call {own}.eval() in the notebook, then export again.",
        )
    some = next(iter(module.parameters()), None)
    if some is None:
        raise ExportError(
            f"{own} has no parameters, so it was not fitted",
            hint="Write a function that answers, and export that.",
        )

    def predict(rows: Any) -> Any:  # noqa: ANN401
        inputs = torch.as_tensor(rows, device=some.device)
        inputs = inputs.to(some.dtype) if inputs.is_floating_point() else inputs
        with torch.no_grad():
            answer = module(inputs)
        if len(answer) != len(rows):
            raise ValueError("not one answer a row")
        return answer.cpu().numpy()

    def as_input(value: Any) -> Any:  # noqa: ANN401
        if isinstance(value, torch.Tensor):
            value = value.detach().cpu().numpy()
        is_array = type(value).__name__ == "ndarray" and value.ndim > 0
        return value if is_array and value.dtype.kind in "iuf" else None

    text = _text(module, own, _TORCH_TEXT)
    return Answers(own=own, text=text, predict=predict, as_input=as_input)


def _text(value: Any, own: str, body: str) -> str:  # noqa: ANN401
    said = f'    """Answer with the fitted {type(value).__name__} of the notebook."""'
    return f"def predict(X):\n{said}\n{body.format(own=own)}"


def _is_a(library: str, path: str, value: Any) -> bool:  # noqa: ANN401
    kind: Any = sys.modules.get(library)
    for name in path.split("."):
        kind = getattr(kind, name, None)
    return isinstance(kind, type) and isinstance(value, kind)

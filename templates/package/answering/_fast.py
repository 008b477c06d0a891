"""The compiled routines of fitted scikit-learn estimators, without dispatch and validation.

Each function does, in the same order and on the same numbers, the arithmetic of the
estimator's own method, so that the answers agree bit by bit; ``_paths`` compares them before
one is used. Input that scikit-learn would refuse is declined, and the author's code answers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ._originals import is_original

if TYPE_CHECKING:
    from collections.abc import Callable

    Routine = Callable[[Any], Any]

_FLOAT32_MAX = 3.4028234663852886e38


class DeclinedError(ValueError):
    """Input that only the author's code should answer."""


def routine_of(model: Any) -> Routine | None:
    """Return a routine that answers as ``model.predict`` does; None where there is none.

    It takes a matrix of doubles and raises :class:`DeclinedError` where scikit-learn might
    refuse a number.
    """
    name = type(model).__name__
    if not is_original(model):
        return None
    if hasattr(model, "best_estimator_"):
        return routine_of(model.best_estimator_)
    if name == "Pipeline":
        return _pipeline(model)
    maker = _PREDICTORS.get(name)
    return None if maker is None else maker(model)


def _pipeline(model: Any) -> Routine | None:
    steps = [step for _, step in model.steps]
    transforms: list[Routine] = []
    for step in steps[:-1]:
        if step is None or step == "passthrough":
            continue
        transform = transform_of(step)
        if transform is None:
            return None
        transforms.append(transform)
    last = routine_of(steps[-1])
    if last is None:
        return None

    def predict(matrix: Any) -> Any:
        for transform in transforms:
            matrix = transform(matrix)
        return last(matrix)

    return predict


def transform_of(step: Any) -> Routine | None:
    """Return a routine that does as ``step.transform`` does; None where there is none."""
    if not is_original(step) or gives_frames(step):
        return None
    if type(step).__name__ == "Pipeline":
        parts = [transform_of(part) for _, part in step.steps]
        known = [part for part in parts if part is not None]
        return _joined(known) if len(known) == len(parts) else None
    maker = _TRANSFORMERS.get(type(step).__name__)
    return None if maker is None else maker(step)


def _joined(parts: list[Routine]) -> Routine:
    def transform(matrix: Any) -> Any:
        for part in parts:
            matrix = part(matrix)
        return matrix

    return transform


def gives_frames(step: Any) -> bool:
    """Tell whether a transformer was told to give data frames."""
    config = getattr(step, "_sklearn_output_config", {})
    return bool(config.get("transform", "default") != "default")


def _checked(matrix: Any, limit: float = 1.7976931348623157e308) -> Any:
    import numpy as np

    if not (np.abs(matrix) <= limit).all():
        raise DeclinedError("missing, infinite or too large")
    return matrix


def _narrow(matrix: Any) -> Any:
    import numpy as np

    return np.ascontiguousarray(_checked(matrix, _FLOAT32_MAX), dtype=np.float32)


def _standard_scaler(step: Any) -> Routine:
    mean = step.mean_ if step.with_mean else None
    scale = step.scale_ if step.with_std else None

    def transform(matrix: Any) -> Any:
        if mean is not None:
            matrix = matrix - mean
        return matrix / scale if scale is not None else matrix

    return transform


def _min_max_scaler(step: Any) -> Routine:
    import numpy as np

    low, high = step.feature_range

    def transform(matrix: Any) -> Any:
        scaled = matrix * step.scale_
        scaled += step.min_
        return np.clip(scaled, low, high) if step.clip else scaled

    return transform


def _robust_scaler(step: Any) -> Routine:
    def transform(matrix: Any) -> Any:
        if step.with_centering:
            matrix = matrix - step.center_
        return matrix / step.scale_ if step.with_scaling else matrix

    return transform


def _simple_imputer(step: Any) -> Routine | None:
    import numpy as np

    fills = step.statistics_
    is_plain = isinstance(step.missing_values, float) and np.isnan(step.missing_values)
    if not is_plain or step.add_indicator or fills.dtype.kind != "f":
        return None
    if np.isnan(fills).any():  # a column without any value: it may be left out
        return None

    def transform(matrix: Any) -> Any:
        if np.isinf(matrix).any():
            raise DeclinedError("infinite")
        return np.where(np.isnan(matrix), fills, matrix)

    return transform


def _linear_classifier(model: Any) -> Routine | None:
    if hasattr(model.coef_, "toarray"):  # made sparse by its author
        return None
    coefficients = model.coef_.T if model.coef_.ndim == 2 else model.coef_  # noqa: PLR2004
    intercept, classes = model.intercept_, model.classes_

    def predict(matrix: Any) -> Any:
        scores = _checked(matrix) @ coefficients + intercept
        if scores.ndim > 1 and scores.shape[1] == 1:
            scores = scores.reshape(-1)
        chosen = (scores > 0).astype(int) if scores.ndim == 1 else scores.argmax(axis=1)
        return classes.take(chosen, axis=0)

    return predict


def _linear_regressor(model: Any) -> Routine | None:
    if hasattr(model.coef_, "toarray"):  # made sparse by its author
        return None
    coefficients = model.coef_ if model.coef_.ndim == 1 else model.coef_.T
    intercept = model.intercept_

    def predict(matrix: Any) -> Any:
        return _checked(matrix) @ coefficients + intercept

    return predict


def _tree(model: Any) -> Routine | None:
    if model.n_outputs_ != 1:
        return None
    walk, classes = model.tree_.predict, getattr(model, "classes_", None)

    def predict(matrix: Any) -> Any:
        found = walk(_narrow(matrix))
        return found[:, 0] if classes is None else classes.take(found.argmax(axis=1))

    return predict


def _forest(model: Any) -> Routine | None:
    import numpy as np

    if model.n_outputs_ != 1:
        return None
    walks = [tree.tree_.predict for tree in model.estimators_]
    classes = getattr(model, "classes_", None)
    width = 1 if classes is None else int(model.n_classes_)

    def predict(matrix: Any) -> Any:
        narrow = _narrow(matrix)
        total = np.zeros((len(narrow), width), dtype=np.float64)
        for walk in walks:
            total += walk(narrow)[:, :width]
        total /= len(walks)
        return total[:, 0] if classes is None else classes.take(total.argmax(axis=1))

    return predict


def _boosted(model: Any) -> Routine | None:
    from sklearn.ensemble._gradient_boosting import predict_stages

    start = _boosting_start(model)
    if start is None:
        return None
    stages, rate = model.estimators_, model.learning_rate
    classes = getattr(model, "classes_", None)

    def predict(matrix: Any) -> Any:
        narrow = _narrow(matrix)
        raw = start.repeat(len(narrow), axis=0)
        predict_stages(stages, narrow, rate, raw)
        if classes is None:
            return raw.ravel()
        if raw.shape[1] == 1:
            return classes[(raw.ravel() >= 0).astype(int)]
        return classes[raw.argmax(axis=1)]

    return predict


def _boosting_start(model: Any) -> Any:
    """Return the first row of a boosting whose start is the same for all rows."""
    import numpy as np

    if isinstance(model.init_, str):
        return np.zeros((1, model.n_trees_per_iteration_))
    if type(model.init_).__name__ not in {"DummyClassifier", "DummyRegressor"}:
        return None
    matrix = np.zeros((1, model.n_features_in_), dtype=np.float32)
    return model._raw_predict_init(matrix)  # noqa: SLF001  # no public name


def _histogram_boosted(model: Any) -> Routine | None:
    import numpy as np

    if getattr(model, "_preprocessor", None) is not None:
        return None
    known, columns = model._bin_mapper.make_known_categories_bitsets()  # noqa: SLF001
    stages = model._predictors  # noqa: SLF001  # no public name
    start, width = model._baseline_prediction, model.n_trees_per_iteration_  # noqa: SLF001
    inverse = model._loss.link.inverse  # noqa: SLF001
    classes = getattr(model, "classes_", None)

    def predict(matrix: Any) -> Any:
        matrix = np.ascontiguousarray(_checked(matrix))
        raw = np.zeros((len(matrix), width), dtype=start.dtype, order="F")
        raw += start
        for stage in stages:
            for place, tree in enumerate(stage):
                raw[:, place] += tree.predict(matrix, known, columns, 1)
        if classes is None:
            return inverse(raw.ravel())
        if width == 1:
            return classes[(raw.ravel() > 0).astype(int)]
        return classes[raw.argmax(axis=1)]

    return predict


_TRANSFORMERS: dict[str, Callable[[Any], Routine | None]] = {
    "SimpleImputer": _simple_imputer,
    "StandardScaler": _standard_scaler,
    "MinMaxScaler": _min_max_scaler,
    "RobustScaler": _robust_scaler,
}
_PREDICTORS: dict[str, Callable[[Any], Routine | None]] = {
    **dict.fromkeys(
        (
            "LogisticRegression",
            "LogisticRegressionCV",
            "RidgeClassifier",
            "SGDClassifier",
            "LinearSVC",
            "Perceptron",
            "LinearDiscriminantAnalysis",
        ),
        _linear_classifier,
    ),
    **dict.fromkeys(
        (
            "LinearRegression",
            "Ridge",
            "RidgeCV",
            "Lasso",
            "LassoCV",
            "ElasticNet",
            "ElasticNetCV",
            "BayesianRidge",
            "HuberRegressor",
        ),
        _linear_regressor,
    ),
    **dict.fromkeys(("DecisionTreeClassifier", "DecisionTreeRegressor"), _tree),
    **dict.fromkeys(
        (
            "RandomForestClassifier",
            "RandomForestRegressor",
            "ExtraTreesClassifier",
            "ExtraTreesRegressor",
        ),
        _forest,
    ),
    **dict.fromkeys(
        ("GradientBoostingClassifier", "GradientBoostingRegressor"), _boosted
    ),
    **dict.fromkeys(
        ("HistGradientBoostingClassifier", "HistGradientBoostingRegressor"),
        _histogram_boosted,
    ),
}

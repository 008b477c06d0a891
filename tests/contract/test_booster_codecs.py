"""Boosted trees travel in the formats of their own libraries, alone and inside pipelines."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from support.notebook_module import encoded, there_and_back

RNG = np.random.default_rng(0)
ROWS = RNG.normal(size=(120, 3))
CLASSES = np.array(["a", "b", "c"])[(ROWS[:, 0] > 0).astype(int) + (ROWS[:, 1] > 0)]
NUMBERS = ROWS[:, 0] * 2 + ROWS[:, 1] ** 2


@pytest.fixture
def xgboost():
    return pytest.importorskip("xgboost")


@pytest.fixture
def lightgbm():
    return pytest.importorskip("lightgbm")


def test_a_booster_of_xgboost_is_its_own_file(xgboost, tmp_path):
    data = xgboost.DMatrix(pd.DataFrame(ROWS, columns=list("uvw")), NUMBERS)
    booster = xgboost.train({"max_depth": 3}, data, 5)

    codec, back = there_and_back(booster)
    (tmp_path / "model.ubj").write_bytes(encoded(booster)[1].data)
    alone = xgboost.Booster(model_file=str(tmp_path / "model.ubj"))

    assert codec == "xgboost"
    assert back.feature_names == ["u", "v", "w"]
    np.testing.assert_array_equal(back.predict(data), booster.predict(data))
    np.testing.assert_array_equal(alone.predict(data), booster.predict(data))


def test_estimators_of_xgboost_keep_parameters_and_classes(xgboost):
    model = xgboost.XGBClassifier(n_estimators=4, max_depth=2, missing=-1.0, n_jobs=1)
    labels = np.unique(CLASSES, return_inverse=True)[1]
    model.fit(ROWS, labels)

    codec, back = there_and_back(model)

    assert codec == "tree"
    assert "skops" not in encoded(model)[1].modules
    assert back.get_params() == model.get_params()
    np.testing.assert_array_equal(back.predict_proba(ROWS), model.predict_proba(ROWS))
    np.testing.assert_array_equal(back.classes_, model.classes_)


def test_a_booster_that_stopped_early_still_knows_its_best_iteration(xgboost):
    train = xgboost.DMatrix(ROWS[:80], NUMBERS[:80])
    valid = xgboost.DMatrix(ROWS[80:], -NUMBERS[80:])
    booster = xgboost.train(
        {}, train, 30, evals=[(valid, "v")], early_stopping_rounds=2, verbose_eval=False
    )

    _, back = there_and_back(booster)

    assert back.best_iteration == booster.best_iteration


def test_a_booster_of_lightgbm_is_its_own_text(lightgbm, tmp_path):
    data = lightgbm.Dataset(ROWS, NUMBERS)
    booster = lightgbm.train({"verbose": -1, "num_threads": 1}, data, 5)

    codec, back = there_and_back(booster)
    (tmp_path / "model.txt").write_bytes(encoded(booster)[1].data)
    alone = lightgbm.Booster(model_file=str(tmp_path / "model.txt"))

    assert codec == "lightgbm"
    np.testing.assert_array_equal(back.predict(ROWS), booster.predict(ROWS))
    np.testing.assert_array_equal(alone.predict(ROWS), booster.predict(ROWS))


def test_a_booster_of_lightgbm_keeps_trees_and_best_iteration(lightgbm):
    train = lightgbm.Dataset(ROWS[:80], NUMBERS[:80])
    valid = lightgbm.Dataset(ROWS[80:], -NUMBERS[80:], reference=train)
    booster = lightgbm.train(
        {"verbose": -1, "num_threads": 1},
        train,
        20,
        valid_sets=[valid],
        callbacks=[lightgbm.early_stopping(3, verbose=False)],
    )

    codec, back = there_and_back(booster)

    assert codec == "tree"
    assert back.best_iteration == booster.best_iteration > 0
    assert back.num_trees() == booster.num_trees()
    np.testing.assert_array_equal(back.predict(ROWS), booster.predict(ROWS))
    np.testing.assert_array_equal(
        back.predict(ROWS, num_iteration=-1), booster.predict(ROWS, num_iteration=-1)
    )


def test_a_pipeline_around_an_estimator_of_lightgbm_comes_back(lightgbm):
    frame = pd.DataFrame(ROWS, columns=list("uvw"))
    last = lightgbm.LGBMClassifier(n_estimators=4, verbose=-1, n_jobs=1)
    model = make_pipeline(StandardScaler().set_output(transform="pandas"), last)
    model.fit(frame, CLASSES)

    codec, back = there_and_back(model)

    assert codec == "tree"
    np.testing.assert_array_equal(back.predict(frame), model.predict(frame))
    np.testing.assert_array_equal(back.predict_proba(frame), model.predict_proba(frame))


@pytest.mark.parametrize("library", ["xgboost", "lightgbm"])
def test_equal_boosters_give_equal_bytes(library, request):
    module = request.getfixturevalue(library)
    kind = {"xgboost": "XGBRegressor", "lightgbm": "LGBMRegressor"}[library]

    def make():
        model = getattr(module, kind)(n_estimators=3, n_jobs=1, random_state=0)
        return encoded(model.fit(ROWS, NUMBERS))[1].data

    assert make() == make()

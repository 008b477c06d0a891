"""What answers in an exported estimator: compiled routines where they are equal bit by bit."""

from __future__ import annotations

import importlib
import json

import numpy as np
import pytest

from support.answering import Loaded
from support.captures import write_capture
from support.executed import ExecutedNotebook
from support.serving import estimator_site, served, site_of

pytestmark = pytest.mark.xdist_group("fast-paths")
LINEAR, TREE, BOOSTED = "sklearn.linear_model", "sklearn.tree", "sklearn.ensemble"
ESTIMATORS = [
    (LINEAR, "LogisticRegression", "()", True),
    (BOOSTED, "RandomForestClassifier", "(20)", True),
    (BOOSTED, "HistGradientBoostingRegressor", "(max_iter=20)", False),
    *(
        pytest.param(*one, marks=pytest.mark.full)
        for one in (
            (LINEAR, "RidgeClassifier", "()", False),
            (LINEAR, "Ridge", "()", True),
            (TREE, "DecisionTreeClassifier", "(max_depth=4)", True),
            (TREE, "DecisionTreeRegressor", "(max_depth=4)", False),
            (BOOSTED, "ExtraTreesRegressor", "(20)", False),
            (BOOSTED, "GradientBoostingClassifier", "(n_estimators=20)", False),
            (BOOSTED, "GradientBoostingRegressor", "(n_estimators=20)", True),
            (BOOSTED, "HistGradientBoostingClassifier", "(max_iter=20)", True),
        )
    ),
]
IMPORTS = """
from sklearn.preprocessing import MinMaxScaler, RobustScaler, StandardScaler
from sklearn.pipeline import make_pipeline
from sklearn.model_selection import GridSearchCV
"""


def _estimator(folder, name, imports, fit, **more):
    return Loaded(
        estimator_site(folder, name, imports=IMPORTS + imports, fit=fit, **more), name
    )


@pytest.mark.parametrize(("module", "name", "words", "is_frame"), ESTIMATORS)
def test_compiled_routines_answer_bit_by_bit_as_the_author(
    tmp_path, module, name, words, is_frame
):
    is_label = name.endswith("Classifier") or name == "LogisticRegression"
    target = "y" if is_label else "(y == 'yes') + X.sum(1) * 0.1"
    target = target if not is_frame else target.replace("X.sum", "X.to_numpy().sum")
    package = f"fast_{name.lower()}_{is_frame}".lower()
    fit = f"make_pipeline(StandardScaler(), {name}{words}).fit(X, {target})"

    loaded = _estimator(
        tmp_path, package, f"from {module} import {name}\n", fit, frame=is_frame
    )

    chosen = loaded.chosen
    assert chosen.facts()["answers"] == "compiled routines", chosen.why
    assert chosen.is_by_row, chosen.why_by_row
    rows = np.random.default_rng(5).normal(scale=2.0, size=(300, 6))
    rows[:, 5] = np.rint(rows[:, 5])
    for size in (1, 3, 300):
        found, is_fast = chosen.answer(rows[:size])
        wanted = loaded.tables.call(loaded.predict, loaded.contract, rows[:size])
        assert is_fast
        assert found.dtype == wanted.dtype
        assert found.tobytes() == wanted.tobytes() or (found == wanted).all()


@pytest.mark.parametrize("wrong", [np.nan, np.inf, 1e300])
def test_what_scikit_learn_would_refuse_goes_to_the_authors_code(tmp_path, wrong):
    name = f"declined_{wrong}".replace("+", "")
    imports = "from sklearn.ensemble import RandomForestClassifier\n"
    loaded = _estimator(tmp_path, name, imports, "RandomForestClassifier(5).fit(X, y)")
    rows = np.zeros((1, 6))
    rows[0, 2] = wrong

    assert loaded.chosen.routine is not None
    with np.errstate(over="ignore"):
        try:
            wanted = loaded.predict(rows).tolist()
        except ValueError as error:
            with pytest.raises(ValueError, match=str(error)[:30]):
                loaded.chosen.answer(rows)
        else:
            answer, is_fast = loaded.chosen.answer(rows)
            assert (answer.tolist(), is_fast) == (wanted, False)
    answer, is_fast = loaded.chosen.answer(np.zeros((1, 6)))
    assert is_fast
    assert len(answer) == 1


def test_a_search_is_unwrapped(tmp_path):
    imports = "from sklearn.linear_model import LogisticRegression\n"
    fit = (
        "GridSearchCV(make_pipeline(MinMaxScaler(), RobustScaler(), "
        "LogisticRegression()), {'logisticregression__C': [0.1, 1.0]}, cv=2).fit(X, y)"
    )

    loaded = _estimator(tmp_path, "unwrapped", imports, fit)

    assert loaded.chosen.routine is not None, loaded.chosen.why


@pytest.mark.parametrize(
    ("name", "imports", "fit", "why"),
    [
        (
            "neighbours",
            "from sklearn.neighbors import KNeighborsClassifier\n",
            "KNeighborsClassifier().fit(X, y)",
            "no compiled routine for KNeighborsClassifier",
        ),
        (
            "own_step",
            (
                "from sklearn.linear_model import LogisticRegression\n"
                "from sklearn.preprocessing import PolynomialFeatures\n"
            ),
            "make_pipeline(PolynomialFeatures(), LogisticRegression()).fit(X, y)",
            "no compiled routine for Pipeline",
        ),
    ],
)
def test_else_the_authors_code_answers(tmp_path, name, imports, fit, why):
    loaded = _estimator(tmp_path, name, imports, fit)

    assert loaded.chosen.facts()["answers"] == "the author's code"
    assert loaded.chosen.why == why
    assert loaded.chosen.is_by_row


def test_a_routine_that_differs_in_one_bit_is_not_used(tmp_path, monkeypatch):
    imports = "from sklearn.linear_model import Ridge\n"
    site = estimator_site(
        tmp_path, "off_by_a_bit", imports=imports, fit="Ridge().fit(X, X[:, 0])"
    )
    loaded = Loaded(site, "off_by_a_bit")
    fast = importlib.import_module("off_by_a_bit.answering._fast")
    real = fast.routine_of
    monkeypatch.setattr(
        fast,
        "routine_of",
        lambda model: lambda matrix: np.nextafter(real(model)(matrix), np.inf),
    )

    chosen = loaded.paths.choose(loaded.predict, loaded.contract)

    assert chosen.routine is None
    assert chosen.why.startswith("the compiled routine differs on rows 0 to")


def test_a_function_that_looks_at_the_whole_table_is_asked_one_request_at_a_time(
    tmp_path,
):
    notebook = ExecutedNotebook(
        "import numpy as np",
        "def predict(rows):\n    return rows[:, 0] - rows[:, 0].mean()",
        "predict(np.arange(24.0).reshape(12, 2))",
    )
    notebook.capture(tmp_path / "capture")

    loaded = Loaded(site_of(tmp_path, "centred", tmp_path / "capture"), "centred")

    assert not loaded.chosen.is_by_row
    assert loaded.chosen.why_by_row.startswith("rows 0 to 0 asked alone: ")


def test_info_tells_what_answers_and_why(tmp_path, capsys):
    imports = "from sklearn.linear_model import LogisticRegression\n"
    loaded = _estimator(tmp_path, "told", imports, "LogisticRegression().fit(X, y)")

    assert loaded.main(["info", "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)["serving"]
    fares = Loaded(
        site_of(tmp_path / "fares", "told_fares_2", write_capture(tmp_path / "f")),
        "told_fares_2",
    )
    assert fares.main(["info"]) == 0

    assert facts["answers"] == "compiled routines"
    assert facts["why"].endswith("golden and generated rows agree bit by bit")
    assert "answers: the author's code" in capsys.readouterr().out


def test_what_the_export_did_not_prove_is_not_used(tmp_path):
    decided = {
        "answers": "the author's code",
        "why": "the compiled routine differs on rows 3 to 3",
        "row_by_row": False,
        "why_row_by_row": "40 rows get one answer",
    }
    imports = "from sklearn.linear_model import LogisticRegression\n"
    fit = "LogisticRegression().fit(X, y)"

    loaded = _estimator(tmp_path, "held_back", imports, fit, serving=decided)

    facts = loaded.chosen.facts()
    assert loaded.chosen.routine is None
    assert facts == {
        "form": "array",
        "answers": "the author's code",
        "why": "at the export: the compiled routine differs on rows 3 to 3",
        "row_by_row": False,
        "why_row_by_row": "at the export: 40 rows get one answer",
    }


def test_what_the_export_proved_and_is_not_so_here_is_told(tmp_path):
    decided = {
        "answers": "compiled routines",
        "why": "296 golden and generated rows agree bit by bit",
        "row_by_row": True,
        "why_row_by_row": "40 golden rows get the same answers alone and together",
    }
    site = estimator_site(
        tmp_path,
        "otherwise",
        imports="from sklearn.neighbors import KNeighborsClassifier",
        fit="KNeighborsClassifier().fit(X, y)",
        serving=decided,
    )

    with served(site, "otherwise") as server:
        pass
    (told,) = server.events("answers_otherwise")
    (ready,) = server.events("ready")

    assert told["decided"] == decided
    assert ready["answers"] == "the author's code"
    assert ready["why"] == "no compiled routine for KNeighborsClassifier"

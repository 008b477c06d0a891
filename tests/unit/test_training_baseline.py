"""The baseline of a release comes from the training data; no row of them leaves the kernel."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from nbship.adapters.codecs.registry import all_codecs
from nbship.adapters.probes.distributions import installed_here
from nbship.monitor.profiles import category_profile, number_profile
from nbship.records.baseline import Baseline
from nbship.workflow.bundle_files import read_record
from nbship.workflow.export_check import check_root
from nbship.workflow.training_baseline import TRAINING, read_training
from support.executed import ExecutedNotebook
from support.releases import ReleaseCase

IMPORTS = "import numpy as np\nimport pandas as pd\n"
DATA = """
train = pd.DataFrame({
    "mass": np.arange(400) / 7.0,
    "owner": ["Ada Rare"] + ["fleet", "shop", None] * 133,
    "unused": np.arange(400) * 1000003,
})
longer = pd.DataFrame({"mass": np.zeros(900), "owner": ["x"] * 900})
"""
PREDICT = (
    "def predict(rows):\n    return rows['mass'] * (1 + (rows['owner'] == 'shop'))\n"
)
CALL = "predict(train[['mass', 'owner']].iloc[:25])\n"


def test_inputs_are_profiled_from_the_training_frame_with_its_cell(tmp_path):
    ExecutedNotebook(IMPORTS, DATA, PREDICT, CALL).capture(tmp_path / "capture")
    found = read_training(tmp_path / "capture")

    assert (found.source, found.rows) == ("training frame train, cell In[2] (c2)", 400)
    assert set(found.inputs) == {"mass", "owner"}
    assert found.outputs == {}
    assert found.inputs["mass"]["count"] == 400
    assert len(found.inputs["mass"]["quantiles"]) == 80
    assert found.inputs["owner"]["counts"] == {"fleet": 133, "shop": 133}
    assert (found.inputs["owner"]["other"], found.inputs["owner"]["missing"]) == (
        1,
        133,
    )
    assert "Rare" not in (tmp_path / "capture" / TRAINING).read_text()


def test_the_columns_of_an_array_are_profiled_by_their_place(tmp_path):
    ExecutedNotebook(
        IMPORTS,
        "X_train = np.arange(600.0).reshape(300, 2)\nX_train[3, 1] = np.nan\n",
        "def predict(X):\n    return X[:, 0]\n",
        "predict(X_train[10:40])\n",
    ).capture(tmp_path / "capture")
    found = read_training(tmp_path / "capture")
    counts = {n: (p["count"], p["missing"]) for n, p in found.inputs.items()}

    assert found.source == "training frame X_train, cell In[2] (c2)"
    assert counts == {"X[0]": (300, 0), "X[1]": (299, 1)}


@pytest.mark.parametrize(
    ("cells", "source"),
    [
        (
            ("rows = pd.DataFrame({'mass': np.arange(30.0)})\n",),
            "largest fitting table rows, cell In[2] (c2)",
        ),
        (("other = pd.DataFrame({'size': [1.0]})\n", "rows = None\n"), None),
    ],
)
def test_a_table_that_is_not_named_after_training_is_told_as_what_it_is(
    tmp_path, cells, source
):
    ExecutedNotebook(
        IMPORTS,
        *cells,
        "def predict(frame):\n    return frame['mass'] * 2\n",
        "predict(pd.DataFrame({'mass': np.arange(25.0)}))\n",
    ).capture(tmp_path / "capture")
    found = read_training(tmp_path / "capture")

    assert (found.source if found else None) == source


def test_the_same_data_give_the_same_bytes_and_a_check_makes_none(tmp_path):
    notebook = ExecutedNotebook(IMPORTS, DATA, PREDICT, CALL)
    for name in ("one", "two"):
        notebook.capture(tmp_path / name)
    checked = check_root(
        "predict",
        live=notebook.live,
        codecs=all_codecs(),
        installed=installed_here,
    )

    one, two = ((tmp_path / n / TRAINING).read_bytes() for n in ("one", "two"))
    assert one == two
    assert checked.passed


def test_a_bin_or_quantile_stands_for_as_many_rows_as_asked():
    few = number_profile([float(n) for n in range(40)], hide_below=5)
    many = category_profile(["a"] * 4 + ["b"] * 5, hide_below=5)

    assert (len(few["counts"]), len(few["quantiles"])) == (8, 8)
    assert min(few["counts"]) >= 4  # a value on an edge belongs to the bin above
    assert sum(few["counts"]) == 40
    assert (many["counts"], many["other"]) == ({"b": 5}, 4)


def _release(folder, **training):
    case = ReleaseCase(folder)
    if training:
        ExecutedNotebook(IMPORTS, DATA, PREDICT, CALL).capture(folder / "other")
        (case.capture / TRAINING).write_bytes(
            (folder / "other" / TRAINING).read_bytes()
        )
    case.approve()
    return Path(case.release(version="1.0.0").bundle)


def test_a_bundle_names_both_origins_and_falls_back_to_golden_cases(tmp_path):
    told = _release(tmp_path / "told", training=True)
    bare = _release(tmp_path / "bare")

    found = read_record(Baseline, told / "baseline" / "drift.json")
    golden = read_record(Baseline, bare / "baseline" / "drift.json")
    assert found.source == "training frame train, cell In[2] (c2)"
    assert (found.outputs_source, found.outputs_rows) == ("golden cases", golden.rows)
    assert found.outputs == golden.outputs
    assert (golden.source, golden.outputs_source) == ("golden cases", "")
    assert (
        f"`baseline/drift.json` profiles 400 rows of {found.source}: 2 inputs, "
        in (told / "MODEL_CARD.md").read_text()
    )
    assert json.loads((told / "manifest.json").read_text())["files"][
        "baseline/drift.json"
    ]

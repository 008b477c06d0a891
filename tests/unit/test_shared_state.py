"""What names share in the notebook they share in the package; fitted objects of other libraries."""

from __future__ import annotations

import json

import pytest

from nbship.adapters.codecs.tree_parts import PartWriter
from nbship.errors import ExportError, HazardError
from support.executed import ExecutedNotebook, replay


def record(folder):
    return json.loads((folder / "capture.json").read_text("utf-8"))


def captured(folder, *cells, root="predict", is_replayed=True):
    notebook = ExecutedNotebook(*cells)
    notebook.capture(folder / "capture", root)
    found = replay(folder / "capture", folder) if is_replayed else {"differences": []}
    assert found["differences"] == []
    return record(folder / "capture"), found


CACHE = """
import numpy as np
table = np.arange(5.0)
holder = {"table": table, "seen": []}
"""


def test_a_change_through_one_name_is_seen_through_the_other(tmp_path):
    capture, _ = captured(
        tmp_path,
        CACHE,
        "def predict(x):\n"
        "    table[0] = x\n"
        "    holder['seen'][:] = [x]\n"
        "    return float(holder['table'][0]), holder['seen']\n",
        "predict(1.0), predict(2.5)",
    )

    assert [(entry["name"], entry["codec"]) for entry in capture["state"]] == [
        ("holder", "tree"),
        ("table", "tree"),
    ]
    assert len({entry["file"] for entry in capture["state"]}) == 1


def test_a_frame_that_an_object_holds_is_the_frame_of_its_name(tmp_path):
    capture, _ = captured(
        tmp_path,
        "import pandas as pd\nrates = pd.DataFrame({'zone': ['a', 'b'], 'rate': [1.0, 2.0]})\n"
        "class Tariff:\n    def __init__(self, rates):\n        self.rates = rates\n"
        "    def same(self):\n        return self.rates is rates\n"
        "tariff = Tariff(rates)\n",
        "def predict(zone):\n"
        "    known = rates.set_index('zone')['rate']\n"
        "    return {'rate': float(known[zone]), 'same': tariff.same()}\n",
        "predict('a'), predict('b')",
    )

    assert {entry["codec"] for entry in capture["state"]} == {"tree"}
    assert all(entry["is_shared"] for entry in capture["state"])


def test_a_list_in_the_text_stays_text_where_nothing_changes_it(tmp_path):
    capture, _ = captured(
        tmp_path,
        "import numpy as np\nfrom sklearn.compose import ColumnTransformer\n"
        "from sklearn.preprocessing import StandardScaler\nimport pandas as pd\n"
        "names = ['a', 'b']\n"
        "rows = pd.DataFrame({'a': [1.0, 2.0, 4.0], 'b': [0.0, 1.0, 0.0]})\n"
        "scaler = ColumnTransformer([('n', StandardScaler(), names)]).fit(rows)\n",
        "def predict(frame):\n    return scaler.transform(frame[names])\n",
        "predict(rows)",
        is_replayed=False,
    )

    assert [(e["name"], e["codec"]) for e in capture["state"]] == [("scaler", "skops")]
    assert "names = ['a', 'b']" in (tmp_path / "capture/module.py").read_text("utf-8")


def test_a_list_in_the_text_that_is_changed_travels_with_what_holds_it(tmp_path):
    capture, _ = captured(
        tmp_path,
        "class Log:\n    def __init__(self, lines):\n        self.lines = lines\n"
        "lines = ['begin']\nlog = Log(lines)\n",
        "def predict(x):\n    lines[:] = [x, 'end']\n    return list(log.lines)\n",
        "predict('a'), predict('b')",
    )

    assert [entry["name"] for entry in capture["state"]] == ["lines", "log"]


def test_names_that_cannot_be_written_together_are_refused_where_one_is_changed(
    tmp_path, monkeypatch
):
    cells = (CACHE, "def predict(x):\n    table[0] = x\n    return float(holder['table'][0])\n")  # fmt: skip
    for name in ("_array", "opaque"):
        monkeypatch.setattr(PartWriter, name, lambda *_: None)

    with pytest.raises(HazardError, match="share an object") as refused:
        captured(tmp_path, *cells, "predict(1.0)")

    assert "copy.deepcopy" in refused.value.hint


def test_a_pickle_as_a_value_is_refused(tmp_path):
    with pytest.raises(HazardError, match="bytes in JSON: a pickle"):
        captured(
            tmp_path,
            "import pickle\nblob = pickle.dumps({'a': list(range(200))})\n",
            "def predict(x):\n    return len(blob) + x\n",
            "predict(1)",
        )


def test_a_plug_in_that_writes_pickle_is_refused(tmp_path, monkeypatch):
    (tmp_path / "sly_codec.py").write_text(
        "import pickle\nfrom nbship.records.state import EncodedState\n"
        "class Codec:\n    name, suffix = 'sly_codec:read', '.json'\n"
        "    def encode(self, value):\n"
        "        return EncodedState(data=pickle.dumps(value, 0))\n"
    )
    info = tmp_path / "sly-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: sly\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[nbship.codecs]\na = sly_codec:Codec\n")
    monkeypatch.syspath_prepend(tmp_path)

    with pytest.raises(
        HazardError, match="the codec sly_codec:read would write a pickle"
    ):
        captured(
            tmp_path, CACHE, "def predict(x):\n    return holder and x\n", "predict(1)"
        )


XGBOOST = """
import numpy as np
import xgboost
rows_test = np.random.default_rng(0).normal(size=(60, 3))
target = rows_test[:, 0] * 2
"""


@pytest.mark.parametrize(
    ("library", "cell", "codec"),
    [
        ("xgboost", "model = xgboost.train({}, xgboost.DMatrix(rows_test, target), 4)", "xgboost"),
        ("lightgbm", "model = lightgbm.LGBMRegressor(n_estimators=4, verbose=-1).fit(rows_test, target)", "tree"),
    ],
    ids=["xgboost", "lightgbm"],
)  # fmt: skip
def test_boosted_trees_are_exported_as_roots(tmp_path, library, cell, codec):
    pytest.importorskip(library)

    capture, found = captured(
        tmp_path, XGBOOST.replace("xgboost", library), cell, root="model"
    )

    assert [entry["codec"] for entry in capture["state"]] == [codec]
    assert library in capture["requirements"]
    assert capture["golden_rows"] >= 40
    assert "nbship" not in found["modules"]


TORCH = """
import torch
from torch import nn
torch.manual_seed(0)
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(3, 4), nn.Dropout(), nn.Linear(4, 2))
    def forward(self, x):
        return self.layers(x)
net = Net()
x_test = torch.randn(50, 3)
"""


@pytest.mark.torch
def test_a_module_of_pytorch_is_exported_as_a_root(tmp_path):
    capture, found = captured(tmp_path, TORCH, "net.eval()", root="net")

    assert set(capture["requirements"]) >= {"torch", "safetensors"}
    assert "class Net(nn.Module):" in (tmp_path / "capture/module.py").read_text(
        "utf-8"
    )
    assert "skops" not in found["modules"]


@pytest.mark.torch
def test_a_module_in_training_mode_is_refused_with_the_fix(tmp_path):
    with pytest.raises(ExportError, match="net is in training mode") as refused:
        captured(tmp_path, TORCH, root="net")

    assert "net.eval()" in refused.value.hint

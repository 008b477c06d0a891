"""What every codec promises: the value comes back, equal values give equal bytes, no pickle."""

from __future__ import annotations

import collections
import datetime as dt
import io
import zipfile

import numpy as np
import pandas as pd
import pytest
import scipy.sparse
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler

from nbship.adapters.codecs.registry import all_codecs
from nbship.resources import shipped_module

values = shipped_module("_values")
state = shipped_module("_state")

FRAME = pd.DataFrame(
    {
        "f": [0.5, np.nan],
        "s": ["a", None],
        "c": pd.Categorical(["x", "y"], categories=["y", "x", "z"], ordered=True),
        "t": pd.to_datetime(["2026-01-01", None]).tz_localize("Europe/Berlin"),
        "i": pd.array([1, None], dtype="Int64"),
    },
    index=pd.Index([7, 9], name="key"),
)
SAMPLES = {
    "text": ("json", lambda: "ä€"),
    "nested": (
        "json",
        lambda: {"a": [1, (2, {3})], 4: dt.date(2026, 1, 2), "n": float("nan")},
    ),
    "numpy scalar": ("json", lambda: np.float32(0.1)),
    "object array": ("json", lambda: np.array(["a", None], dtype=object)),
    "frame of mixed objects": (
        "json",
        lambda: pd.DataFrame({"o": pd.Series([1, "a", None], dtype=object)}),
    ),
    "index": ("json", lambda: pd.Index(["a", "b"], name="n")),
    "array": ("npz", lambda: np.arange(12.0).reshape(3, 4)),
    "array of text": ("npz", lambda: np.array(["a", "bc"])),
    "array in fortran order": ("npz", lambda: np.asfortranarray(np.eye(3, 4))),
    "array of dates": ("npz", lambda: np.array(["2026-01-01", "NaT"], "M8[D]")),
    "weights": (
        "npz",
        lambda: {
            "w": [np.ones((2, 2)), np.zeros(2)],
            "names": ("a", 1),
            2: np.array(1),
            "cfg": {"lr": 0.1},
        },
    ),
    "frame": ("arrow", FRAME.copy),
    "frame with levels": (
        "arrow",
        lambda: pd.DataFrame(
            [[1.0, 2.0]],
            columns=pd.MultiIndex.from_tuples([("a", 1), ("b", 2)], names=["k", "l"]),
            index=pd.MultiIndex.from_tuples([("x", 1)], names=["m", "n"]),
        ),
    ),
    "frame with numbers as names": ("arrow", lambda: pd.DataFrame({3: [1], 5: [2]})),
    "series": ("arrow", lambda: pd.Series([1, 2], index=["a", "b"], name="y")),
    "unnamed series": ("arrow", lambda: pd.Series([0.5, np.nan])),
}


def encoded(value):
    for codec in all_codecs():
        found = codec.encode(value)
        if found is not None:
            return codec, found
    return None, None


@pytest.mark.parametrize("name", SAMPLES)
def test_a_value_comes_back_from_its_codec(name):
    wanted, make = SAMPLES[name]
    value = make()

    codec, found = encoded(value)
    back = state.read(codec.name, found.data, trusted_types=found.trusted_types)

    assert codec.name == wanted
    assert type(back) is type(value)
    assert values.compare(values.encode(value), back) == []


@pytest.mark.parametrize("name", SAMPLES)
def test_equal_values_give_equal_bytes(name):
    _, make = SAMPLES[name]

    assert encoded(make())[1].data == encoded(make())[1].data


def estimators():
    rows = np.arange(40.0).reshape(20, 2)
    y = np.array(["a", "b"] * 10)
    frame = pd.DataFrame({"n": rows[:, 0], "c": list("xyxyz") * 4})
    mixed = ColumnTransformer(
        [("n", StandardScaler(), ["n"]), ("c", OneHotEncoder(), ["c"])]
    )
    return {
        "pipeline": (make_pipeline(StandardScaler(), LogisticRegression()), rows, y),
        "forest": (RandomForestClassifier(5, random_state=0), rows, y),
        "mixed": (make_pipeline(mixed, LogisticRegression()), frame, y),
        "ufunc": (make_pipeline(FunctionTransformer(np.log1p), LogisticRegression()), rows, y),
    }  # fmt: skip


@pytest.mark.parametrize("name", ["pipeline", "forest", "mixed", "ufunc"])
def test_a_fitted_estimator_comes_back_and_answers_the_same(name):
    import skops.io

    model, rows, y = estimators()[name]
    model.fit(rows, y)

    codec, found = encoded(model)
    back = skops.io.loads(found.data, trusted=list(found.trusted_types))

    assert codec.name == "skops"
    assert {"skops", "sklearn"} <= set(found.modules)
    np.testing.assert_array_equal(model.predict_proba(rows), back.predict_proba(rows))


def test_an_estimator_gives_the_same_bytes_twice_and_without_dates():
    model, rows, y = estimators()["mixed"]
    model.fit(rows, y)

    one, other = encoded(model)[1].data, encoded(model)[1].data

    assert one == other
    with zipfile.ZipFile(io.BytesIO(one)) as archive:
        assert {entry.date_time[0] for entry in archive.infolist()} == {1980}
        names = archive.namelist()
    assert names == sorted(names)


def test_two_fits_on_the_same_data_give_the_same_bytes():
    model, rows, y = estimators()["pipeline"]
    other, _, _ = estimators()["pipeline"]

    assert encoded(model.fit(rows, y))[1].data == encoded(other.fit(rows, y))[1].data


def test_estimators_in_a_dict_travel_together():
    model, rows, y = estimators()["pipeline"]

    codec, found = encoded({"a": model.fit(rows, y), "b": [1.5]})

    assert codec.name == "skops"
    assert found.trusted_types == ()


def test_sparse_matrices_travel_with_skops():
    codec, found = encoded(scipy.sparse.csr_matrix(np.eye(3)))

    assert codec.name == "skops"
    assert "scipy" in found.modules


def test_no_file_holds_a_pickle():
    for _, make in SAMPLES.values():
        data = encoded(make())[1].data
        assert not data.startswith(b"\x80")
        if data[:2] == b"PK":
            with zipfile.ZipFile(io.BytesIO(data)) as archive:
                names = archive.namelist()
                assert all(name.endswith((".npy", ".json")) for name in names)
                for name in names:
                    if name.endswith(".npy"):
                        np.load(io.BytesIO(archive.read(name)), allow_pickle=False)


def test_functions_open_files_and_counters_of_objects_are_taken_by_none():
    assert encoded(print)[0] is None
    assert encoded(object())[0] is None
    assert encoded(collections.Counter)[0] is None


def test_a_plug_in_codec_comes_first_and_names_its_reader(tmp_path, monkeypatch):
    (tmp_path / "acme_codec.py").write_text(
        "from nbship.records.state import EncodedState\n"
        "class Codec:\n"
        "    name, suffix = 'acme_codec:read', '.acme'\n"
        "    def encode(self, value):\n"
        "        return EncodedState(data=b'range') if type(value) is range else None\n"
        "def read(data):\n"
        "    return range(len(data))\n"
    )
    info = tmp_path / "acme-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: acme\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[nbship.codecs]\na = acme_codec:Codec\n")
    monkeypatch.syspath_prepend(tmp_path)

    codec, found = encoded(range(5))

    assert codec.name == "acme_codec:read"
    assert state.read(codec.name, found.data) == range(5)


def test_an_altered_or_missing_state_file_is_named(tmp_path, monkeypatch):
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "A.json").write_text("[1,2]")
    (tmp_path / "capture.json").write_text(
        '{"state": [{"name": "A", "codec": "json", "file": "A.json", "digest": "0"},'
        ' {"name": "B", "codec": "json", "file": "B.json", "digest": "0"}]}'
    )
    monkeypatch.setattr(state, "_FOLDER", tmp_path)

    with pytest.raises(state.StateError, match=r"state/A\.json: sha256 .* where 0 was"):
        state.load("A")
    with pytest.raises(state.StateError, match=r"state/B\.json: cannot be read"):
        state.load("B")
    with pytest.raises(state.StateError, match="no captured value 'C'"):
        state.load("C")
    with pytest.raises(state.StateError, match="no reader for the codec 'pickle'"):
        state.read("pickle", b"")

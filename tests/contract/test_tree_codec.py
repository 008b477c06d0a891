"""Composite values come back with what they shared; what has no place is named with its path."""

from __future__ import annotations

import collections
import decimal
import functools
import json
import re
import threading
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import scipy.sparse
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from nbship.adapters.codecs.tree_codec import TreeCodec
from nbship.errors import HazardError
from nbship.resources import shipped_module
from support.notebook_module import encoded, notebook, packaged, there_and_back

state = shipped_module("_state")
values = shipped_module("_values")
CLASSES = """
import collections, enum, threading
from sklearn.base import BaseEstimator, TransformerMixin

class Scale(enum.Enum):
    SMALL = 1
    LARGE = 2

class Bins:
    def __init__(self, edges, table=None):
        self.edges, self.table = edges, table

class Slotted:
    __slots__ = ("left", "right")

class Vocabulary(dict):
    kind = "words"

class Point(collections.namedtuple("Point", "x y")):
    pass

class Cached:
    def __init__(self, size):
        self.size, self.lock = size, threading.Lock()
    def __getstate__(self):
        return {"size": self.size}
    def __setstate__(self, state):
        self.__init__(state["size"])

class Index:
    def __init__(self, words):
        self.words, self.built = words, {word: i for i, word in enumerate(words)}.get
    def __mlops_save__(self):
        return self.words
    @classmethod
    def __mlops_load__(cls, saved):
        return cls(saved)

class Lookup(TransformerMixin, BaseEstimator):
    def fit(self, X, y=None):
        self.table_ = X.describe()
        return self
    def transform(self, X):
        return X - self.table_.loc["mean"]

def double(x):
    return 2 * x
"""


@pytest.fixture(scope="module")
def names():
    return notebook(CLASSES)


def test_two_places_that_hold_one_array_hold_one_array_again():
    weights = np.arange(6.0)

    codec, back = there_and_back({"first": weights, "again": [weights]})

    assert codec == "tree"
    assert back["first"] is back["again"][0]
    back["first"][0] = 7
    np.testing.assert_array_equal(back["again"][0], [7, 1, 2, 3, 4, 5])


def test_rows_that_are_one_list_are_one_list_again():
    codec, back = there_and_back([[0] * 3] * 2)

    assert (codec, back) == ("tree", [[0, 0, 0], [0, 0, 0]])
    assert back[0] is back[1]


def test_an_object_of_a_notebook_class_holds_its_frame_and_array(names):
    table = pd.DataFrame({"a": pd.Categorical(["x", None]), "b": [1, 2]}, index=[3, 5])
    bins = names.Bins(np.array([1.5, 2.5]), table)

    codec, back = there_and_back({"bins": bins, "table": table}, names)

    assert codec == "tree"
    assert type(back["bins"]) is names.Bins
    np.testing.assert_array_equal(back["bins"].edges, bins.edges)
    pd.testing.assert_frame_equal(back["table"], table)
    assert back["bins"].table is back["table"]


def test_objects_that_refer_to_each_other_do_so_again(names):
    one, other = names.Bins([1]), names.Bins([2])
    one.table, other.table = other, one
    one.edges.append(one.edges)

    _, back = there_and_back(one, names)

    assert back.table.table is back
    assert back.edges[1] is back.edges


def test_objects_of_many_forms_come_back(names):
    slotted = names.Slotted()
    slotted.left, slotted.right = {1, 2}, decimal.Decimal("1.50")
    vocabulary = names.Vocabulary(a=0, b=1)
    vocabulary.kind = "letters"
    value = {
        "slots": slotted,
        "words": vocabulary,
        "point": names.Point(1, np.float32(2.5)),
        "scale": [names.Scale.LARGE],
        "double": names.double,
        "cached": names.Cached(3),
        "method": names.Bins([4]).__init__,
        3: collections.OrderedDict(b=1, a=2),
        (1, "k"): collections.defaultdict(list, x=[1]),
        "counter": collections.Counter("aab"),
        "deque": collections.deque([1, 2], maxlen=2),
        "partial": functools.partial(np.clip, a_min=0),
        "pattern": re.compile("a+", re.IGNORECASE),
        "path": Path("data"),
        "range": (range(3), slice(1, None), frozenset({1}), bytearray(b"ab")),
        "kinds": [int, np.float64, np.dtype("<f4"), np.log1p, len],
        "objects": np.array([[{"a": 1}, None]], dtype=object),
        "record": np.array([(1, 2.5)], dtype=[("n", "i4"), ("x", "f8")]),
        "times": [pd.Timestamp("2026-01-02", tz="UTC"), pd.NaT, float("inf"), 2j],
    }

    codec, back = there_and_back(value, names)

    assert codec == "tree"
    assert list(back) == list(value)
    assert (back["slots"].left, back["slots"].right) == (
        {1, 2},
        decimal.Decimal("1.50"),
    )
    assert type(back["words"]) is names.Vocabulary
    assert (dict(back["words"]), back["words"].kind) == ({"a": 0, "b": 1}, "letters")
    assert back["point"] == value["point"]
    assert type(back["point"]) is names.Point
    assert back["scale"] == [names.Scale.LARGE]
    assert back["double"] is names.double
    assert back["cached"].size == 3
    assert back["cached"].lock.acquire(blocking=False)
    assert back["method"].__self__.edges == [4]
    for same in (3, (1, "k"), "counter", "deque", "pattern", "path", "range", "kinds"):
        assert back[same] == value[same]
    assert list(back[3]) == ["b", "a"]
    assert back[1, "k"]["new"] == []
    assert back["deque"].maxlen == 2
    assert back["partial"]([-1, 2], a_max=1).tolist() == [0, 1]
    assert back["objects"].tolist() == [[{"a": 1}, None]]
    assert back["objects"].shape == (1, 2)
    assert back["record"].dtype == value["record"].dtype
    assert back["times"][0] == value["times"][0]
    assert back["times"][1] is pd.NaT
    assert back["times"][2:] == [float("inf"), 2j]


def test_a_class_may_say_by_itself_what_to_keep(names):
    codec, back = there_and_back(names.Index(["a", "b"]), names)

    assert codec == "tree"
    assert back.built("b") == 1


def test_a_pipeline_whose_own_step_holds_a_frame_comes_back(names):
    rows = pd.DataFrame({"a": [0.0, 1.0, 2.0, 5.0], "b": [1.0, 0.0, 1.0, 0.0]})
    forest = RandomForestClassifier(4, random_state=0)
    model = make_pipeline(names.Lookup(), StandardScaler(), forest)
    model.fit(rows, [0, 1, 0, 1])

    codec, back = there_and_back(model, names)

    assert codec == "tree"
    np.testing.assert_array_equal(model.predict_proba(rows), back.predict_proba(rows))


def test_names_that_share_parts_come_back_together(names):
    rows = pd.DataFrame({"a": [0.0, 1.0, 2.0], "b": [1.0, 0.0, 1.0]})
    scaler = StandardScaler()
    prepared = ColumnTransformer([("n", scaler, ["a", "b"])]).fit(rows)
    model = make_pipeline(prepared, LogisticRegression()).fit(rows, [0, 1, 0])
    own = {"model": model, "weights": model[-1].coef_, "rows": rows, "apart": [1]}
    codec = TreeCodec()

    groups = codec.groups({**own, "bins": names.Bins([1], rows)})
    found = codec.encode_together({key: own[key] for key in ("model", "weights")})
    back = state.read("tree", found.data, trusted_types=found.trusted_types)

    assert groups == [("model", "weights"), ("rows", "bins")]
    assert back["model"][-1].coef_ is back["weights"]
    np.testing.assert_array_equal(
        back["model"].predict_proba(rows), model.predict_proba(rows)
    )


def test_equal_values_give_equal_bytes(names):
    def make():
        rows = np.arange(4.0).reshape(2, 2)
        model = LogisticRegression().fit(rows, [0, 1])
        return {"bins": names.Bins({"b", "a"}, rows), "rows": rows, "model": model}

    one, other = (TreeCodec().encode(make()) for _ in range(2))

    assert one.data == other.data
    assert one.trusted_types == other.trusted_types


def test_what_is_needed_is_named_and_no_more(names):
    _, found = encoded(names.Bins([1], {"w": np.ones(2)}))

    assert found.modules == ("numpy",)
    assert found.trusted_types == ("__notebook__.Bins",)
    assert dict(found.notebook_objects) == {"Bins": names.Bins}


def test_a_matrix_in_a_dict_needs_no_skops():
    _, found = encoded({"m": scipy.sparse.csr_matrix(np.eye(3)), "k": [1]})

    assert "skops" not in found.modules


def test_what_has_no_codec_is_named_with_its_path(names):
    bins = names.Bins({"deep": [threading.Lock()]})

    with pytest.raises(HazardError) as refused:
        encoded(bins)

    assert "_thread.lock at .edges['deep'][0]" in refused.value.message
    assert refused.value.hint


@pytest.mark.parametrize(
    "value", [{"f": __import__("os").system}, [compile], {"f": __import__("subprocess").run}]
)  # fmt: skip
def test_what_nobody_should_trust_is_refused(value):
    with pytest.raises(HazardError, match="must not trust"):
        encoded(value)


def test_the_reader_takes_nothing_that_is_not_listed(names):
    tree = shipped_module("_tree")
    _, found = encoded(names.Bins(np.ones(2)))

    with packaged(names), pytest.raises(tree.TreeError, match=r"__notebook__\.Bins"):
        state.read("tree", found.data, trusted_types=())


VALUES = st.recursive(
    st.none() | st.integers() | st.floats(allow_nan=False) | st.text() | st.binary(),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.tuples(inner, inner)
        | st.dictionaries(st.text() | st.integers() | st.booleans(), inner, max_size=4)
        | st.sets(st.integers() | st.text())
    ),
    max_leaves=15,
)


@settings(max_examples=150, deadline=None)
@given(VALUES)
def test_any_plain_value_comes_back_from_the_tree(value):
    found = TreeCodec().encode([value, value])
    back = state.read("tree", found.data, trusted_types=found.trusted_types)

    assert back == [value, value]
    assert json.dumps(values.encode(back)) == json.dumps(values.encode([value, value]))
    is_changeable = isinstance(value, (list, dict, set))
    assert (back[0] is back[1]) or not is_changeable

"""Repeated checks: what did not change is not written again, and what changed always is."""

from __future__ import annotations

import copy
import operator

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LinearRegression
from sklearn.preprocessing import StandardScaler

from nbship.adapters.codecs.npz_codec import NpzCodec
from nbship.adapters.codecs.registry import all_codecs
from nbship.adapters.probes.distributions import installed_here
from nbship.release.unchanged import Fingerprints
from nbship.workflow import check_memory
from nbship.workflow.check_memory import CheckMemory
from nbship.workflow.export_check import check_root
from support.executed import ExecutedNotebook

ROWS = np.arange(24.0).reshape(12, 2)
LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3)
NESTED = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(max_size=2), inner, max_size=4)
    ),
    max_leaves=12,
)


def forest():
    return RandomForestClassifier(5, random_state=0).fit(ROWS, np.arange(12) % 2)


def frame():
    return pd.DataFrame(
        {
            "number": np.arange(4),
            "text": ["a", None, "b", "c"],
            "kind": pd.Categorical(["x", "y", "x", "y"]),
            "object": [1, "1", (1,), None],
        }
    )


#: what is changed, and one way to change it in place
MUTATIONS = {
    "an array's item": (lambda: np.zeros(5), lambda a: operator.setitem(a, 3, 1.0)),
    "an array's sign of zero": (
        lambda: np.zeros(2),
        lambda a: operator.setitem(a, 0, -0.0),
    ),
    "an array's last bit": (
        lambda: np.ones(2),
        lambda a: operator.setitem(a, 0, np.nextafter(1.0, 2.0)),
    ),
    "an array's shape": (lambda: np.zeros(6), lambda a: setattr(a, "shape", (2, 3))),
    "a view's base": (lambda: [b := np.zeros(6), b[::2]], lambda v: v[0].fill(1)),
    "an item in an array of objects": (
        lambda: np.array([[1], None], dtype=object),
        lambda a: a[0].append(2),
    ),
    "a type in a list": (lambda: [1, 2], lambda v: operator.setitem(v, 0, 1.0)),
    "a truth in a list": (lambda: [1, 2], lambda v: v.__setitem__(slice(1), [True])),
    "the order of a dict": (lambda: {"a": 1, "b": 2}, lambda v: v.update(a=v.pop("a"))),
    "a dict in a dict": (lambda: {"a": {"b": [1]}}, lambda v: v["a"]["b"].append(2)),
    "a set": (lambda: [{1, 2}], lambda v: v[0].add(3)),
    "what two items share": (
        lambda: [[1], [1]],
        lambda v: operator.setitem(v, 1, v[0]),
    ),
    "a frame's cell": (frame, lambda f: operator.setitem(f.loc, (1, "number"), 9)),
    "a frame's missing text": (
        frame,
        lambda f: operator.setitem(f.loc, (1, "text"), "None"),
    ),
    "an object in a frame": (frame, lambda f: operator.setitem(f.iloc, (0, 3), "1")),
    "a frame's index": (frame, lambda f: setattr(f, "index", [0, 1, 2, 9])),
    "the name of a frame's index": (frame, lambda f: setattr(f.index, "name", "bird")),
    "one of many columns": (
        lambda: pd.DataFrame(np.zeros((1, 300))),
        lambda f: setattr(f, "columns", [*range(150), -150, *range(151, 300)]),
    ),
    "a category": (
        frame,
        lambda f: operator.setitem(f, "kind", f.kind.cat.add_categories(["z"])),
    ),
    "a frame's attributes": (frame, lambda f: f.attrs.update(unit="mm")),
    "a coefficient": (
        lambda: LinearRegression().fit(ROWS, ROWS[:, 0]),
        lambda m: operator.setitem(m.coef_, 0, 7.0),
    ),
    "a parameter": (StandardScaler, lambda m: m.set_params(with_mean=False)),
    "a leaf of one tree": (
        forest,
        lambda m: operator.setitem(m.estimators_[3].tree_.value, (0, 0, 0), 0.125),
    ),
    "a threshold of one tree": (
        forest,
        lambda m: operator.setitem(m.estimators_[4].tree_.threshold, 0, 1e9),
    ),
    "a new attribute": (forest, lambda m: setattr(m, "note", "mine")),
    "the trees' order": (forest, lambda m: m.estimators_.reverse()),
}


def written(codecs, value):
    """Ask codecs one after the other, as a capture does."""
    for codec in codecs:
        found = codec.encode(value)
        if found is not None:
            return codec.name, found.data, found.trusted_types
    return None


@pytest.mark.parametrize("name", MUTATIONS)
def test_a_change_in_place_is_seen(name):
    make, change = MUTATIONS[name]
    value = make()
    memory, prints = CheckMemory(), Fingerprints()
    before = prints.of(value)
    written(memory.codecs(all_codecs()), value)

    assert before != ""
    assert prints.of(value) == before
    change(value)

    assert prints.of(value) != before
    assert written(memory.codecs(all_codecs()), value) == written(all_codecs(), value)


def places(value, path=()):
    """List where something can be changed: a container and one of its keys."""
    pairs = value.items() if isinstance(value, dict) else enumerate(value)
    for key, item in pairs:
        yield value, key
        if isinstance(item, (list, dict)):
            yield from places(item, (*path, key))


@settings(max_examples=80, deadline=None)
@given(st.data(), st.lists(NESTED, min_size=1, max_size=4), NESTED)
def test_whatever_changes_anywhere_the_memory_answers_as_the_codecs_do(
    data, value, other
):
    memory = CheckMemory()
    written(memory.codecs(all_codecs()), value)
    owner, key = data.draw(st.sampled_from(list(places(value))))
    owner[key] = other
    twin = copy.deepcopy(value)

    assert written(memory.codecs(all_codecs()), value) == written(all_codecs(), value)
    assert written(memory.codecs(all_codecs()), twin) == written(all_codecs(), twin)


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(["float64", "int32", "bool", "U3", "datetime64[s]"]),
    st.integers(0, 11),
    st.integers(0, 255),
)
def test_any_byte_of_an_array_counts(dtype, place, byte):
    value = np.zeros(12, dtype=dtype)
    prints = Fingerprints()
    before = prints.of(value)
    raw = value.view("uint8")
    had = raw[place]
    raw[place] = byte

    assert (prints.of(value) == before) == (byte == had)


class Forgetful:
    """Says itself what its state is, and leaves something out."""

    def __init__(self):
        self.rows = [1]

    def __getstate__(self):
        return {}


class Plain:
    pass


def test_who_leaves_something_out_has_no_digest():
    outer = 3

    def closure():
        return outer

    prints = Fingerprints()

    assert prints.of(Forgetful()) == ""
    assert prints.of([1, {"a": Forgetful()}]) == ""
    assert prints.of(closure) == ""
    assert prints.of(Plain()) != ""


def test_a_class_that_was_defined_again_is_another_one():
    prints = Fingerprints()
    digests = set()
    for _ in range(20):
        scope = {"__name__": "__main__"}
        exec("class Scale:\n    pass\n", scope)  # noqa: S102  # as a cell would
        digests.add(prints.of(scope["Scale"]()))
        del scope

    assert len(digests) == 20


class Counting:
    """A codec that counts what it is asked."""

    def __init__(self, codec):
        self.codec, self.name, self.suffix = codec, codec.name, codec.suffix
        self.asked = 0

    def encode(self, value):
        self.asked += 1
        return self.codec.encode(value)


def check(notebook, memory, codecs=None, root="predict"):
    return check_root(
        root,
        live=notebook.live,
        codecs=codecs or all_codecs(),
        installed=installed_here,
        memory=memory,
    )


MODEL = (
    "import numpy as np\nfrom sklearn.ensemble import RandomForestRegressor\n",
    """
rows = np.arange(60.0).reshape(30, 2)
model = RandomForestRegressor(60, random_state=0).fit(rows, rows[:, 0])
""",
)
PREDICT = "def predict(rows):\n    return model.predict(rows) + {}\n"


def model_notebook():
    return ExecutedNotebook(*MODEL, PREDICT.format(1), "predict(rows)\n")


def test_a_check_after_an_edit_writes_no_model_again():
    notebook, memory = model_notebook(), CheckMemory()
    codecs = [Counting(codec) for codec in all_codecs()[:-1]]
    skops = next(codec for codec in codecs if codec.name == "skops")
    assert check(notebook, memory, codecs).passed
    asked = skops.asked

    notebook.run(PREDICT.format(2))
    notebook.run("predict(rows)\n")

    assert check(notebook, memory, codecs).passed
    assert skops.asked == asked == 1


def test_a_model_changed_in_place_between_two_checks_is_found():
    notebook, memory = model_notebook(), CheckMemory()
    assert check(notebook, memory).passed
    assert check(notebook, memory).passed
    tree = notebook.namespace["model"].estimators_[7].tree_
    kept = tree.value.copy()
    tree.value[:] = tree.value + 1.0

    assert [f.hazard for f in check(notebook, memory).findings][:1] == ["parity"]
    tree.value[:] = kept
    assert check(notebook, memory).passed


def test_calls_that_change_a_model_do_not_reach_the_next_check():
    notebook, memory = (
        ExecutedNotebook(
            *MODEL,
            "def predict(rows):\n"
            "    answers = model.predict(rows)\n"
            "    model.estimators_.pop()\n"
            "    return answers\n",
            "kept = model.estimators_[-1]\npredict(rows)\n",
            "model.estimators_.append(kept)  # as it was before the call\n",
        ),
        CheckMemory(),
    )
    found = [check(notebook, memory) for _ in range(3)]

    assert [(f.passed, f.cases_replayed) for f in found] == [(True, 1)] * 3


def test_checks_of_two_roots_in_turn_keep_the_values_of_both():
    notebook, memory = model_notebook(), CheckMemory()
    codecs = [Counting(codec) for codec in all_codecs()[:-1]]
    skops = next(codec for codec in codecs if codec.name == "skops")
    notebook.roots += ("twice",)
    notebook.run("def twice(x):\n    return 2 * x\n")
    notebook.run("twice(1)\n")

    for root in ("predict", "twice", "predict", "twice", "predict"):
        assert check(notebook, memory, codecs, root=root).passed

    assert skops.asked == 1


def test_what_a_check_does_not_ask_for_is_dropped():
    notebook, memory = model_notebook(), CheckMemory()
    check(notebook, memory)
    assert memory._written  # nothing else shows what is held
    assert memory._loaded

    notebook.run("def predict(rows):\n    return 1\n")
    notebook.run("predict(rows)\n")
    check(notebook, memory)

    assert not memory._written
    assert not memory._loaded


def test_values_beyond_the_room_are_written_every_time(monkeypatch):
    monkeypatch.setattr(check_memory, "_MAX_WRITTEN_BYTES", 10)
    memory, codec = CheckMemory(), Counting(NpzCodec())
    value = np.zeros(100)
    found = [memory.codecs([codec])[0].encode(value).data for _ in range(2)]

    assert codec.asked == 2
    assert found[0] == found[1]

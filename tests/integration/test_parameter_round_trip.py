"""Values reach a real kernel through a written notebook, equal in type and value.

The values expected there travel by pickle, written by the test; nothing of the encoder is used.
"""

from __future__ import annotations

import datetime as dt
import enum
import io
import json
import pickle
import random
from typing import TYPE_CHECKING, Any

import nbclient
import nbformat
import numpy as np
import pytest

from nbship.adapters.notebooks.prepared import prepared_notebook
from nbship.adapters.notebooks.reader import read_notebook
from nbship.jobs.contract import read_contract
from nbship.jobs.injection import injected_source
from nbship.jobs.planning import Wish, plan
from nbship.jobs.values import check_values, parse_values
from nbship.records.codec import from_json, json_text
from nbship.records.job import Job, Lock
from support.notebook_files import write_notebook
from support.typed_values import PRELUDE, Grammar, Kind, Level

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.kernel

#: runs in the kernel: compares without a word of nbship
COMPARISON = """
import math, pickle, json

class Reader(pickle.Unpickler):
    def persistent_load(self, pair):
        return getattr(globals()[pair[0]], pair[1])

def same(a, b):
    if type(a) is not type(b):
        return False
    if isinstance(a, enum.Enum):
        return a is b
    if isinstance(a, np.generic):
        alike = a == b if isinstance(a, np.longdouble) else a.tobytes() == b.tobytes()
        return a.dtype == b.dtype and (bool(alike) or bool(np.isnan(a) and np.isnan(b)))
    if isinstance(a, float):
        return math.isnan(a) and math.isnan(b) or (a == b and math.copysign(1, a) == math.copysign(1, b))
    if isinstance(a, complex):
        return same(a.real, b.real) and same(a.imag, b.imag)
    if isinstance(a, Decimal):
        return a.as_tuple() == b.as_tuple()
    if isinstance(a, (list, tuple)):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, dict):
        return len(a) == len(b) and all(same(*keys) for keys in zip(a, b)) and all(map(same, a.values(), b.values()))
    if isinstance(a, (set, frozenset)):
        return len(a) == len(b) and all(any(same(x, y) for y in b) for x in a)
    if isinstance(a, (dt.datetime, dt.time)):
        zones = getattr(a.tzinfo, "key", None) == getattr(b.tzinfo, "key", None)
        return a == b and zones and a.fold == b.fold and a.utcoffset() == b.utcoffset()
    return a == b

with open("expected.pickle", "rb") as file:
    expected = Reader(file).load()
wrong = [
    [name, repr(value)[:200], repr(globals().get(name))[:200]]
    for name, value in expected.items()
    if name not in globals() or not same(globals()[name], value)
]
print(json.dumps({"compared": len(expected), "wrong": wrong[:20]}))
"""


class Writer(pickle.Pickler):
    """Members of an Enum go by name: the kernel has classes of its own."""

    def persistent_id(self, obj: object) -> Any:
        if isinstance(obj, enum.Enum):
            return (type(obj).__name__, obj.name)
        return None


def write_expected(path: Path, values: dict[str, Any]) -> None:
    buffer = io.BytesIO()
    Writer(buffer).dump(values)
    path.write_bytes(buffer.getvalue())


def planned_job(notebook_path: Path, values: dict[str, Any]) -> Job:
    """Plan a job as ``submit`` does, and read it back from what its file holds."""
    notebook = read_notebook(notebook_path)
    contract = read_contract(notebook)
    wish = Wish(
        notebook=notebook,
        path="n.ipynb",
        contract=contract,
        lock=Lock(python_version=""),
        kernel_name="python3",
        cwd=str(notebook_path.parent),
        values=check_values(contract, values, where="n.ipynb"),
    )
    at = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    text = json_text(plan(wish, job_id="job-20260101-000000-aaaa", at=at))
    data = json.loads(text.encode("utf-8"), parse_constant=pytest.fail)
    return from_json(Job, data)


def compared(
    folder: Path, kinds: dict[str, Kind], values: dict[str, Any], *, instead: str = ""
) -> None:
    lines = [f"{name}: {kind.annotation}" for name, kind in kinds.items()]
    path = folder / "n.ipynb"
    write_notebook(path, COMPARISON, parameters="\n".join([PRELUDE, *lines]))
    job = planned_job(path, values)
    source = instead or injected_source(job.contract, job.values)
    path.write_bytes(prepared_notebook(path, source))
    write_expected(folder / "expected.pickle", values)
    nb = nbformat.read(path, as_version=4)
    resources = {"metadata": {"path": str(folder)}}
    nbclient.NotebookClient(nb, kernel_name="python3", resources=resources).execute()
    said = json.loads(nb.cells[-1].outputs[0].text)
    assert said["wrong"] == [], str(said["wrong"])
    assert said["compared"] == len(values)


def generated(seed: int, count: int) -> tuple[dict[str, Kind], dict[str, Any]]:
    grammar = Grammar(random.Random(seed))  # noqa: S311  # test data
    kinds = {f"p{number}": grammar.kind() for number in range(count)}
    return kinds, {name: kind.make() for name, kind in kinds.items()}


def test_300_generated_values_reach_the_kernel_as_they_are(tmp_path):
    compared(tmp_path, *generated(1, 300))


def test_the_comparison_in_the_kernel_sees_every_wrong_value(tmp_path):
    cases = [
        ("int", 3, "3.0"),
        ("float", 0.0, "-0.0"),
        ("tuple[int, ...]", (1,), "[1]"),
        ("Level", Level.LOW, "1"),
        ("np.float32", np.float32(0.1), "0.1"),
        ("list[Any]", [float("nan")], "['nan']"),
        ("time", dt.time(1, fold=1), "time(1)"),
    ]
    names = [f"p{number}" for number in range(len(cases))]
    kinds = {n: Kind(case[0], object) for n, case in zip(names, cases, strict=True)}
    values = {n: case[1] for n, case in zip(names, cases, strict=True)}
    source = "\n".join(f"{n} = {c[2]}" for n, c in zip(names, cases, strict=True))

    with pytest.raises(AssertionError) as caught:
        compared(tmp_path, kinds, values, instead=source)

    assert [name for name in names if f"'{name}'" not in str(caught.value)] == []


@pytest.mark.full
@pytest.mark.parametrize("seed", range(2, 7))
def test_10000_generated_values_reach_the_kernel_as_they_are(tmp_path, seed):
    compared(tmp_path, *generated(seed, 2000))


@pytest.mark.parametrize("seed", range(3))
def test_the_text_of_a_scalar_is_read_as_its_value(tmp_path, seed):
    kinds, values = generated(seed, 500)
    texts = {n: k.text(values[n]) for n, k in kinds.items() if k.text is not None}
    lines = [f"{name}: {kinds[name].annotation}" for name in texts]
    path = tmp_path / "n.ipynb"
    write_notebook(path, parameters="\n".join([PRELUDE, *lines]))
    contract = read_contract(read_notebook(path))

    from_texts = parse_values(contract, texts, where="n")

    given = {name: values[name] for name in texts}
    assert from_texts == check_values(contract, given, where="n")
    assert len(texts) > 100

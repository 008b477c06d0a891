"""Pickles are found by what files hold, under any name and inside anything; nothing else is."""

from __future__ import annotations

import base64
import bz2
import collections
import datetime as dt
import decimal
import gzip
import io
import json
import lzma
import os
import pickle
import struct
import tarfile
import zipfile
import zlib

import joblib
import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from sklearn.linear_model import LogisticRegression

from nbship.adapters.codecs.registry import all_codecs
from nbship.resources import shipped_module, template_folder

pickles = shipped_module("_pickles")
PROTOCOLS = range(6)
QUICK = settings(max_examples=60, deadline=None)


def found(data, name="state/model.json"):
    return pickles.pickles_in(name, data)


class Call:
    """Runs something where it is unpickled."""

    def __reduce__(self):
        return os.system, ("true",)


PLAIN = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.binary()
    | st.complex_numbers(),
    lambda inner: (
        st.lists(inner)
        | st.tuples(inner, inner)
        | st.dictionaries(st.text() | st.integers(), inner)
        | st.frozensets(st.integers())
    ),
    max_leaves=20,
)


@QUICK
@given(PLAIN, st.sampled_from(PROTOCOLS))
@example(None, 0)
@example(2**70, 0)
@example("a\nb", 0)
@example([[]], 1)
def test_every_pickle_of_plain_values_is_found(value, protocol):
    assert found(pickle.dumps(value, protocol=protocol))


OBJECTS = {
    "object": Call(),
    "class": decimal.Decimal,
    "function": os.getcwd,
    "array": np.arange(3.0),
    "objects": np.array([None, "a"], dtype=object),
    "frame": pd.DataFrame({"a": [1, 2]}),
    "estimator": LogisticRegression().fit([[0.0], [1.0]], [0, 1]),
    "date": dt.datetime(2026, 1, 2, tzinfo=dt.UTC),
    "counter": collections.Counter("abc"),
    "module function": json.loads,
    "own": collections.OrderedDict(a=[1]),
}


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("name", OBJECTS)
def test_every_pickle_of_objects_is_found(name, protocol):
    data = pickle.dumps(OBJECTS[name], protocol=protocol)

    assert found(data)
    assert found(data + b"and more")
    assert found(data + pickle.dumps(1, protocol=protocol))


@QUICK
@given(PLAIN, st.sampled_from(PROTOCOLS), PLAIN)
def test_several_pickles_in_one_file_are_found(one, protocol, other):
    assert found(pickle.dumps(one, protocol) + pickle.dumps(other, protocol))


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_pickle_that_breaks_off_after_its_call_is_found(protocol):
    data = pickle.dumps(Call(), protocol=protocol)

    assert found(data[: data.rindex(b"R") + 1] + b"\xff\xff")
    assert "system" in found(data)[0]


@pytest.mark.parametrize(
    "text",
    [
        b"cos\nsystem\n(S'true'\ntR.",
        b"(S'true'\nios\nsystem\n.",
        b"(cos\nsystem\nS'true'\no.",
        b"\x8c\x02os\x8c\x06system\x93\x8c\x04true\x85R.",
        b"\x80\x01cos\nsystem\n(S'true'\ntR.",
        b"c__main__\nGo\n)\x81}b.",
        b"N0cos\nsystem\n\x8c\x04true\x85R1",
        b"\x8c\x02os\x94\x8c\x06system\x94h\x00h\x01\x93\x8c\x04true\x85R.",
        b"V" + b"os\nVsystem\n\x93Vtrue\n\x85R.",
    ],
)
def test_streams_that_no_pickler_writes_are_found(text):
    assert found(text)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=30,
)


@QUICK
@given(JSON, st.booleans(), st.sampled_from([None, 1]))
def test_json_is_never_called_a_pickle(value, is_ascii, indent):
    text = json.dumps(value, ensure_ascii=is_ascii, indent=indent)

    assert found(text.encode("utf-8", "surrogatepass")) == []


ARRAYS = hnp.arrays(
    st.one_of(
        hnp.floating_dtypes(), hnp.integer_dtypes(), hnp.unicode_string_dtypes(max_len=8),
        hnp.byte_string_dtypes(max_len=8), hnp.boolean_dtypes(), hnp.datetime64_dtypes(),
    ),
    hnp.array_shapes(max_side=6),
)  # fmt: skip


@QUICK
@given(ARRAYS)
def test_arrays_alone_and_in_archives_are_never_called_pickles(array):
    alone, stored, packed = io.BytesIO(), io.BytesIO(), io.BytesIO()
    np.save(alone, array, allow_pickle=False)
    np.savez(stored, a=array, allow_pickle=False)
    np.savez_compressed(packed, a=array, allow_pickle=False)

    for file in (alone, stored, packed):
        assert found(file.getvalue()) == []


@QUICK
@given(
    st.lists(
        st.tuples(st.floats(), st.text(st.characters(exclude_categories=["Cs"])), st.integers(0, 255)),
        max_size=8,
    )
)  # fmt: skip
def test_frames_written_by_arrow_are_never_called_pickles(rows):
    codec = next(codec for codec in all_codecs() if codec.name == "arrow")
    frame = pd.DataFrame(rows, columns=["x", "t", "n"]).astype({"x": "float64"})

    encoded = codec.encode(frame)

    assert encoded is None or found(encoded.data) == []


@QUICK
@given(
    st.dictionaries(st.text(), st.binary(max_size=200), max_size=5),
    st.integers(0, 600),
)
def test_safetensors_files_are_never_called_pickles(tensors, padding):
    offsets, position = {}, 0
    for name, data in tensors.items():
        end = position + len(data)
        offsets[name] = {"dtype": "U8", "shape": [len(data)], "data_offsets": [position, end]}  # fmt: skip
        position = end
    header = json.dumps(offsets).encode() + b" " * padding  # any length of header
    body = b"".join(tensors.values())

    assert found(struct.pack("<Q", len(header)) + header + body) == []


@QUICK
@given(st.binary(max_size=400))
def test_bytes_without_a_pickle_in_them_raise_nothing(data):
    for prefix in (
        b"",
        b"PK\x03\x04",
        b"\x1f\x8b",
        b"x\x9c",
        b"BZh9",
        b"\x93NUMPY\x01\x00",
    ):
        assert isinstance(found(prefix + data), list)


@pytest.mark.parametrize("seed", range(2))
def test_long_random_bytes_are_no_pickles(seed):
    data = np.random.default_rng(seed).bytes(1_000_000)

    assert found(b"\x00" + data) == []


def test_no_file_that_ships_with_a_package_is_called_a_pickle():
    assert pickles.pickles_below(template_folder("package")) == []


@pytest.mark.parametrize(
    "text",
    [
        "copyright\nholder\nText of a license.\n",
        "I am a text.\nSo it is.\n.\n",
        "N.B. this is none.\n",
        "Version 1\n.\n",
        "c3po\nr2d2\n",
        "(c) 2026 the authors\n.",
        "from os import system\nsystem('true')\n",
        "import os\n",
        "",
        ".",
        "0",
        "2.5",
        "NaN",
        "Name,Value\na,1\n",
    ],
)
def test_texts_that_begin_as_opcodes_do_are_none(text):
    assert found(text.encode()) == []


def zipped(files, compression=zipfile.ZIP_STORED):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def tarred(data):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        entry = tarfile.TarInfo("a.json")
        entry.size = len(data)
        archive.addfile(entry, io.BytesIO(data))
    return buffer.getvalue()


def saved_objects():
    buffer = io.BytesIO()
    np.save(buffer, np.array([Call()], dtype=object), allow_pickle=True)
    return buffer.getvalue()


def dumped(**options):
    buffer = io.BytesIO()
    joblib.dump({"a": np.arange(50.0), "b": Call()}, buffer, **options)
    return buffer.getvalue()


BAD = pickle.dumps({"a": [1.5, "x"]})


def twice():
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("a", BAD)
        with pytest.warns(UserWarning, match="Duplicate"):
            archive.writestr("a", b"{}")
    return buffer.getvalue()


HIDING_PLACES = {
    "zip": lambda: zipped({"weights.json": BAD}),
    "deflated zip": lambda: zipped({"a": BAD}, zipfile.ZIP_DEFLATED),
    "zip in a zip in a zip": lambda: zipped({"a": zipped({"b": zipped({"c": BAD})})}),
    "zip behind other bytes": lambda: b"GIF89a" + zipped({"a": BAD}, zipfile.ZIP_DEFLATED),
    "one name twice": twice,
    "gzip": lambda: gzip.compress(BAD),
    "gzip behind an empty gzip": lambda: gzip.compress(b"") + gzip.compress(BAD),
    "bz2": lambda: bz2.compress(BAD),
    "xz": lambda: lzma.compress(BAD),
    "lzma": lambda: lzma.compress(BAD, format=lzma.FORMAT_ALONE),
    "zlib": lambda: zlib.compress(BAD),
    "zlib that breaks off": lambda: zlib.compress(pickle.dumps(Call()) + bytes(9000))[:-4] + b"zzzz",
    "joblib's oldest": lambda: b"ZF" + b"0x" + b"0" * 17 + zlib.compress(BAD),
    "joblib": dumped,
    "joblib, zlib": lambda: dumped(compress=3),
    "joblib, gzip": lambda: dumped(compress=("gzip", 3)),
    "joblib, bz2": lambda: dumped(compress=("bz2", 3)),
    "joblib, lzma": lambda: dumped(compress=("lzma", 3)),
    "joblib, xz": lambda: dumped(compress=("xz", 3)),
    "tar": lambda: tarred(BAD),
    "tar.gz": lambda: gzip.compress(tarred(BAD)),
    "npy of objects": saved_objects,
    "npz of objects": lambda: zipped({"a.npy": saved_objects()}),
    "npy with a broken header": lambda: b"\x93NUMPY\x01\x00\x05\x00{'a':" + BAD,
    "behind other bytes": lambda: b"\x00" * 100 + pickle.dumps(Call()),
    "bytes in JSON": lambda: json.dumps({"m": {"$bytes": base64.b64encode(BAD).decode()}}).encode(),
    "base64 in a text": lambda: b"MODEL = '" + base64.b64encode(pickle.dumps(Call())) + b"'",
    "bytes in Python": f"MODEL = {BAD!r}\n".encode,
    "text in Python": f"MODEL = {BAD.decode('latin-1')!r}\n".encode,
}  # fmt: skip


@pytest.mark.parametrize("place", HIDING_PLACES)
def test_a_pickle_is_found_wherever_it_hides(place):
    assert found(HIDING_PLACES[place]())


def test_the_finding_says_where_it_lies_and_what_it_names():
    data = zipped({"w.npz": zipped({"a.npy": saved_objects(), "b.json": pickle.dumps(Call())})})  # fmt: skip

    assert found(data, "state/x.bin") == [
        "state/x.bin: w.npz: a.npy: an array of objects, which NumPy pickles",
        "state/x.bin: w.npz: b.json: a pickle that names posix.system",
    ]


def test_what_cannot_be_looked_into_is_named_too():
    deep = BAD
    for _ in range(pickles.MAX_DEPTH + 1):
        deep = zipped({"a": deep})

    assert "deep" in found(deep)[0]
    assert "cannot be read" in found(zipped({"a": b"b" * 99})[:60])[0]
    assert "zstandard" in found(b"\x28\xb5\x2f\xfd" + bytes(20))[0]


def test_a_file_that_unpacks_without_end_is_given_up(monkeypatch):
    monkeypatch.setattr(pickles, "_ALLOWANCE_BYTES", 1 << 20)
    bomb = zipped({"a": bytes(1 << 24)}, zipfile.ZIP_DEFLATED)

    assert found(bomb) == ["state/model.json: unpacks to more than 100 times its size"]
    assert "more than 100 times" in found(gzip.compress(bytes(1 << 24)))[0]


@pytest.mark.parametrize(
    ("descr", "is_object"),
    [
        ("<f8", False),
        ("|O", True),
        ("object", True),
        ("<M8[ns]", False),
        ([("Ocean", "<f8"), ("b", "<U3")], False),
        ([("a", "<f8"), ("b", "|O")], True),
        ([("a", [("b", "O")])], True),
        ([("a", "|O", (2,))], True),
        ([("a", ("|O", (2,)))], True),
    ],
)
def test_objects_in_the_header_of_an_array_are_seen(descr, is_object):
    header = repr({"descr": descr, "fortran_order": False, "shape": (0,)}).encode()
    data = b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header

    assert bool(found(data)) is is_object

"""Wheels: equal inputs give equal bytes, and nothing is run to read one."""

import csv
import io
import sys
import zipfile

import pytest

from nbship.adapters.bundles.wheel import WheelBuilder, read_wheel, zip_bytes
from nbship.errors import VerificationError
from nbship.release.wheel_text import record_failures
from nbship.resources import shipped_module
from nbship.workflow.bundle_files import read_capture
from support.captures import write_capture

ORIGIN = {"name": "fares", "package": "fares", "version": "1.0.0", "job": "job-1"}


def _build(folder, **capture):
    place = write_capture(folder / "capture", **capture)
    return WheelBuilder().build(
        read_capture(place), place, into=folder / "dist", origin=ORIGIN
    )


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    return _build(tmp_path_factory.mktemp("wheel"))


def test_equal_inputs_give_equal_bytes_on_another_path(wheel, tmp_path):
    again = _build(tmp_path / "elsewhere" / "deeper")

    assert again.read_bytes() == wheel.read_bytes()


def test_another_golden_case_gives_other_bytes(wheel, tmp_path):
    assert _build(tmp_path, cases=25).read_bytes() != wheel.read_bytes()


def test_the_wheel_holds_the_layout_of_a_package(wheel):
    names = list(read_wheel(wheel))

    assert names[-1] == "fares-1.0.0.dist-info/RECORD"
    assert {
        "fares/__init__.py",
        "fares/__main__.py",
        "fares/capture.json",
        "fares/golden.jsonl",
        "fares/model.py",
        "fares/origin.json",
        "fares/state/RATES.json",
        "fares-1.0.0.dist-info/METADATA",
        "fares-1.0.0.dist-info/WHEEL",
    } <= set(names)
    assert not [name for name in names if "pyc" in name]
    assert shipped_module("_pickles").pickles_in("wheel", wheel.read_bytes()) == []


def test_record_lists_every_file_with_its_hash(wheel):
    files = read_wheel(wheel)
    text = files["fares-1.0.0.dist-info/RECORD"].decode()

    rows = {row[0]: row for row in csv.reader(io.StringIO(text))}

    assert set(rows) == set(files)
    assert rows["fares/model.py"][2] == str(len(files["fares/model.py"]))
    assert record_failures(files) == []


def test_record_names_what_was_changed(wheel):
    files = read_wheel(wheel)
    files["fares/model.py"] += b"#"
    files["fares/extra.py"] = b""
    del files["fares/golden.jsonl"]

    assert record_failures(files) == [
        "fares/extra.py: not in RECORD",
        "fares/golden.jsonl: missing, RECORD lists it",
        "fares/model.py: not what RECORD says",
    ]


def test_archives_carry_one_time_and_no_compression(wheel):
    with zipfile.ZipFile(wheel) as archive:
        entries = archive.infolist()

    assert {entry.date_time for entry in entries} == {(1980, 1, 1, 0, 0, 0)}
    assert {entry.compress_type for entry in entries} == {zipfile.ZIP_STORED}


@pytest.mark.parametrize("name", ["../up", "/etc/passwd", "a/../../b", "c:\\x"])
def test_a_path_outside_of_the_wheel_is_refused(tmp_path, name):
    path = tmp_path / "bad.whl"
    path.write_bytes(zip_bytes({name: b""}))

    with pytest.raises(VerificationError, match="outside"):
        read_wheel(path)


def test_what_is_no_archive_is_refused(tmp_path):
    path = tmp_path / "bad.whl"
    path.write_bytes(b"PK nothing")

    with pytest.raises(VerificationError, match=r"bad\.whl"):
        read_wheel(path)


def test_an_archive_that_unpacks_without_end_is_refused(tmp_path, wheel):
    data = bytearray(wheel.read_bytes())
    directory = data.rindex(b"PK\x01\x02")
    data[directory + 24 : directory + 28] = (0xFFFFFFF0).to_bytes(4, "little")
    first = data.index(b"PK\x01\x02")
    for start in range(first, len(data) - 46):
        if data[start : start + 4] == b"PK\x01\x02":
            data[start + 24 : start + 28] = (0xFFFFFFF0).to_bytes(4, "little")
    path = tmp_path / "bomb.whl"
    path.write_bytes(data)

    with pytest.raises(VerificationError, match="unpacked"):
        read_wheel(path)


def test_the_metadata_declare_the_tested_python_alone(wheel):
    metadata = read_wheel(wheel)["fares-1.0.0.dist-info/METADATA"].decode()

    assert metadata.splitlines()[:3] == [
        "Metadata-Version: 2.3",
        "Name: fares",
        "Version: 1.0.0",
    ]
    minor = sys.version_info[1]
    assert f"Requires-Python: >=3.{minor},<3.{minor + 1}" in metadata

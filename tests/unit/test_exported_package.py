"""What an exported package does by itself: predict, verify, info; nbship is not asked."""

import io
import json
import os
import pickle
import subprocess
import sys

import pytest

from support.captures import write_capture, write_frame_capture
from support.packages import Package


@pytest.fixture(scope="module")
def fares(tmp_path_factory):
    folder = tmp_path_factory.mktemp("fares")
    return Package(folder, "own_fares", write_capture(folder / "capture"))


@pytest.fixture(scope="module")
def masses(tmp_path_factory):
    folder = tmp_path_factory.mktemp("masses")
    return Package(folder, "own_masses", write_frame_capture(folder / "capture"))


def _predict(package, text, capsys, monkeypatch, *words):
    monkeypatch.setattr(sys, "stdin", io.StringIO(text))
    code = package.main(["predict", "-", *words])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def test_predict_is_loaded_when_it_is_asked_for(fares):
    assert fares.module.__version__ == "1.0.0"
    assert fares.module.predict("A", km=10) == {"zone": "A", "price": 13.5}
    with pytest.raises(AttributeError, match="nothing"):
        _ = fares.module.nothing


def test_every_line_is_one_call(fares, capsys, monkeypatch):
    text = '{"zone": "A", "km": 10}\n\n["B", 10]\n'

    code, out, _ = _predict(fares, text, capsys, monkeypatch)

    assert code == 0
    assert [json.loads(line) for line in out.splitlines()] == [
        {"zone": "A", "price": 13.5},
        {"zone": "B", "price": 12.0},
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "line 1: not JSON"),
        ("3", "line 1: 3 where an object or a list was expected"),
        ("", "no row"),
        (
            '{"zone": "A", "km": 1}\n{"zone": "C", "km": 1}',
            "line 2, argument 'zone': 'C' is none of",
        ),
        ('{"zone": "A", "mile": 1}', "mile"),
    ],
)
def test_wrong_input_is_named_by_line(fares, capsys, monkeypatch, text, message):
    code, out, err = _predict(fares, text, capsys, monkeypatch)

    assert (code, out) == (2, "")
    assert message in err
    assert "Traceback" not in err


def test_csv_is_for_frames(fares, capsys, monkeypatch):
    code, _, err = _predict(fares, "zone\nA\n", capsys, monkeypatch, "--format", "csv")

    assert code == 2
    assert "CSV and Parquet fit data frames only" in err


def test_a_missing_file_is_named(fares, capsys):
    assert fares.main(["predict", "nowhere.jsonl"]) == 2
    assert "nowhere.jsonl" in capsys.readouterr().err


def test_csv_rows_become_a_frame_of_the_recorded_dtypes(masses, tmp_path, capsys):
    rows = tmp_path / "rows.csv"
    rows.write_text(
        "id,flipper_mm,count,island,sex\n7,200.5,2,Biscoe,\n8,,3,Dream,male\n"
    )

    assert masses.main(["predict", str(rows)]) == 0

    captured = capsys.readouterr()
    assert [json.loads(line) for line in captured.out.splitlines()] == [
        {"mass": 401.0, "where": "Biscoe", "known": False},
        {"mass": None, "where": "Dream", "known": True},
    ]
    assert "not used: id" in captured.err


def test_csv_is_told_from_json_lines_on_standard_input(masses, capsys, monkeypatch):
    row = {"flipper_mm": 200, "count": 2, "island": "Dream", "sex": "male"}
    table = "flipper_mm,count,island,sex\n200,2,Dream,male\n"

    from_json = _predict(masses, json.dumps(row), capsys, monkeypatch)
    from_csv = _predict(masses, table, capsys, monkeypatch)

    assert from_csv == from_json
    assert from_csv[0] == 0
    assert json.loads(from_csv[1]) == {"mass": 400.0, "where": "Dream", "known": True}


def test_answers_can_be_written_as_csv(masses, tmp_path):
    rows, answers = tmp_path / "rows.jsonl", tmp_path / "answers.csv"
    row = {"flipper_mm": 200, "count": 2, "island": "Dream", "sex": "male"}
    rows.write_text(json.dumps(row) + "\n")

    assert masses.main(["predict", str(rows), "--output", str(answers)]) == 0

    assert answers.read_text() == "mass,where,known\n400.0,Dream,True\n"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"island": None}, ""),
        ({"flipper_mm": "far"}, "line 1, column 'flipper_mm': 'far' where float64"),
        ({"count": None}, "line 1, column 'count': null where int64"),
        ({"count": 2.5}, "line 1, column 'count': 2.5 where int64"),
        ({"island": "Tenerife"}, "line 1, column 'island': 'Tenerife' is none of"),
    ],
)
def test_wrong_cells_are_named_by_line_and_column(
    masses, capsys, monkeypatch, change, message
):
    row = {"flipper_mm": 10, "count": 2, "island": "Dream", "sex": "male", **change}

    code, _, err = _predict(masses, json.dumps(row), capsys, monkeypatch)

    assert code == (2 if message else 0)
    assert message in err


def test_a_missing_column_is_named(masses, capsys, monkeypatch):
    code, _, err = _predict(masses, '{"count": 2}', capsys, monkeypatch)

    assert code == 2
    assert "line 1, column 'flipper_mm': missing where float64 was expected" in err
    assert "line 1, column 'island': missing" in err


def test_a_short_line_of_csv_is_named(masses, capsys, monkeypatch):
    text = "flipper_mm,count,island,sex\n1,2\n"

    code, _, err = _predict(masses, text, capsys, monkeypatch, "--format", "csv")

    assert code == 2
    assert "line 2: not as many fields" in err


def test_verify_replays_and_counts(fares, masses, capsys):
    assert fares.main(["verify"]) == 0
    assert capsys.readouterr().out == "24 cases equal\n"
    assert masses.main(["verify"]) == 0
    assert capsys.readouterr().out == "1 case equal\n"


def test_verify_names_the_case_and_the_file(fares, capsys):
    path = fares.folder / "golden.jsonl"
    before = path.read_bytes()
    first, _, others = before.partition(b"\n")
    case = json.loads(first)
    case["output"]["price"] = 4.36
    path.write_bytes(json.dumps(case).encode() + b"\n" + others)
    try:
        assert fares.main(["verify"]) == 1
    finally:
        path.write_bytes(before)

    changed, difference, last = capsys.readouterr().out.splitlines()
    assert changed == "golden.jsonl: changed since the capture"
    assert difference.startswith("case 1: ")
    assert "4.36 was recorded" in difference
    assert last == "own_fares 1.0.0: not what was exported"


def test_verify_names_a_pickle_whatever_it_is_called(fares, capsys):
    smuggled = fares.folder / "state" / "notes.txt"
    smuggled.write_bytes(pickle.dumps({"a": [1]}, protocol=0))
    try:
        assert fares.main(["verify"]) == 1
    finally:
        smuggled.unlink()

    assert "state/notes.txt: a pickle" in capsys.readouterr().out


def test_the_device_of_tensors_is_a_word_of_predict(fares, monkeypatch, capsys):
    monkeypatch.setenv("MLOPS_DEVICE", "")
    monkeypatch.setattr(sys, "stdin", io.StringIO('{"zone": "A", "km": 1}'))

    assert fares.main(["predict", "-", "--device", "cuda:1"]) == 0
    assert os.environ["MLOPS_DEVICE"] == "cuda:1"


def test_verify_answers_as_json(fares, capsys):
    assert fares.main(["verify", "--json"]) == 0

    report = json.loads(capsys.readouterr().out)

    assert (report["passed"], report["cases"], report["rows"]) == (True, 24, 24)
    assert len(report["answers"]) == 24


OTHER_PYTHON = """
import runpy, sys
import argparse, ast, functools, hashlib, importlib, json, pathlib, platform, typing
sys.path.insert(0, sys.argv[1])
sys.version_info = (3, sys.version_info[1] + 1, 0, "final", 0)
if sys.argv[2] == "import":
    from other_fares import predict
sys.argv = ["other_fares", *sys.argv[2:]]
runpy.run_module("other_fares", run_name="__main__", alter_sys=True)
"""


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory):
    """Ask a package in an interpreter that says that it is the next Python."""
    folder = tmp_path_factory.mktemp("other")
    package = Package(folder, "other_fares", write_capture(folder / "capture"))

    def ask(*words):
        start = [sys.executable, "-I", "-c", OTHER_PYTHON, str(package.folder.parent)]
        return subprocess.run(
            [*start, *words], capture_output=True, text=True, check=False, input=""
        )

    return ask


@pytest.mark.parametrize("words", [("verify",), ("serve",), ("predict", "-")])
def test_another_python_is_refused_in_a_line(elsewhere, words):
    minor = sys.version_info[1]

    ended = elsewhere(*words)

    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr == (
        f"other_fares 1.0.0 was tested on Python 3.{minor} and on no other; this is Python "
        f"3.{minor + 1}: its answers may differ. Install it with Python 3.{minor}, or have "
        f"the notebook exported with Python 3.{minor + 1}.\n"
    )


def test_another_python_imports_no_predict_and_shows_what_was_tested(elsewhere):
    imported, told = elsewhere("import"), elsewhere("info", "--json")

    last = imported.stderr.strip().splitlines()[-1]
    assert imported.returncode == 1
    assert last.startswith("other_fares._about.WrongPythonError: other_fares 1.0.0 was")
    facts = json.loads(told.stdout)
    assert facts["python"].startswith(f"3.{sys.version_info[1]}.")
    assert "was tested on Python" in facts["serving"]["answers"]


def test_an_installer_of_another_python_refuses_the_wheel(fares, tmp_path):
    (wheel,) = fares.folder.parent.parent.glob("*.whl")
    minor = sys.version_info[1] + 1
    words = ["download", "--no-deps", "--no-index", "--only-binary", ":all:"]
    words += ["--python-version", f"3.{minor}", "--dest", str(tmp_path), str(wheel)]

    ended = subprocess.run(
        [sys.executable, "-m", "pip", *words],
        capture_output=True,
        text=True,
        check=False,
    )

    assert ended.returncode != 0
    assert f"requires a different Python: 3.{minor}" in ended.stderr
    assert list(tmp_path.iterdir()) == []


def test_info_shows_where_it_comes_from(fares, capsys):
    assert fares.main(["info"]) == 0
    text = capsys.readouterr().out
    assert fares.main(["info", "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)

    assert "job: job-1" in text
    assert "  km: float64" in text
    assert facts["version"] == "1.0.0"
    assert set(facts["digests"]) == {"golden.jsonl", "model.py", "state/RATES.json"}

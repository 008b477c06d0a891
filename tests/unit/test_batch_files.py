"""Files of inputs answered a few rows at a time: formats, order, memory, wholeness."""

import importlib
import json
import subprocess
import sys

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from support.captures import write_capture, write_frame_capture
from support.executed import ExecutedNotebook
from support.serving import site_of

HEADER = "flipper_mm,count,island,sex\n"


def _main(site, name):
    sys.path.insert(0, str(site))
    try:
        return importlib.import_module(f"{name}.__main__").main
    finally:
        sys.path.remove(str(site))


@pytest.fixture(scope="module")
def masses(tmp_path_factory):
    folder = tmp_path_factory.mktemp("masses")
    site = site_of(folder, "filed_masses", write_frame_capture(folder / "capture"))
    return _main(site, "filed_masses")


@pytest.fixture(scope="module")
def fares(tmp_path_factory):
    folder = tmp_path_factory.mktemp("fares")
    site = site_of(folder, "filed_fares", write_capture(folder / "capture"))
    return _main(site, "filed_fares")


def _csv(folder, count):
    path = folder / "rows.csv"
    path.write_text(HEADER + "".join(f"{n},2,Dream,male\n" for n in range(count)))
    return path


@pytest.mark.parametrize("chunk", ["1", "7", "100"])
@pytest.mark.parametrize("suffix", ["jsonl", "csv", "parquet"])
def test_answers_come_in_order_whatever_the_chunks(masses, tmp_path, chunk, suffix):
    target = tmp_path / f"answers.{suffix}"
    words = ["predict", str(_csv(tmp_path, 20)), "--output", str(target)]

    assert masses([*words, "--chunk-rows", chunk]) == 0

    if suffix == "parquet":
        found = [row["mass"] for row in pq.read_table(target).to_pylist()]
    elif suffix == "csv":
        found = [float(t.split(",")[0]) for t in target.read_text().splitlines()[1:]]
    else:
        found = [json.loads(line)["mass"] for line in target.read_text().splitlines()]
    assert found == [2.0 * n for n in range(20)]
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted(
        ["rows.csv", target.name]
    )


def test_parquet_is_read(masses, tmp_path, capsys):
    path = tmp_path / "rows.parquet"
    rows = {
        "flipper_mm": [10.0, None],
        "count": [2, 3],
        "island": ["Dream", None],
        "sex": ["male", None],
    }
    pq.write_table(pa.table(rows), path)

    assert masses(["predict", str(path), "--chunk-rows", "1"]) == 0

    answers = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [answer["mass"] for answer in answers] == [20.0, None]


def test_what_is_no_parquet_is_said(masses, fares, tmp_path, capsys):
    path = tmp_path / "rows.parquet"
    path.write_bytes(b"PAR1 nothing")
    assert masses(["predict", str(path)]) == 2
    assert "cannot be read as Parquet" in capsys.readouterr().err

    pq.write_table(pa.table({"zone": ["A"]}), path)
    assert fares(["predict", str(path)]) == 2
    assert "fit data frames only" in capsys.readouterr().err


def test_a_wrong_row_leaves_no_half_a_file(masses, tmp_path, capsys):
    path = _csv(tmp_path, 5)
    path.write_text(path.read_text() + "6,two,Dream,male\n")
    target = tmp_path / "answers.jsonl"
    target.write_text("before\n")

    code = masses(["predict", str(path), "--output", str(target), "--chunk-rows", "2"])

    assert code == 2
    assert "line 7, column 'count': 'two' where int64" in capsys.readouterr().err
    assert target.read_text() == "before\n"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["answers.jsonl", "rows.csv"]


def test_a_model_of_the_whole_table_gets_the_whole_table(tmp_path, capsys):
    notebook = ExecutedNotebook(
        "import pandas as pd",
        "def predict(rows):\n    return rows['a'] - rows['a'].mean()",
        "predict(pd.DataFrame({'a': [1.0, 2.0, 6.0]}))",
    )
    notebook.capture(tmp_path / "capture")
    main = _main(site_of(tmp_path, "filed_means", tmp_path / "capture"), "filed_means")
    rows = tmp_path / "rows.csv"
    rows.write_text("a\n1\n2\n3\n6\n")

    assert main(["predict", str(rows), "--chunk-rows", "1"]) == 0

    captured = capsys.readouterr()
    assert captured.out.split() == ["-2.0", "-1.0", "0.0", "3.0"]
    assert "answered in one call, in memory: rows 0 to 0 asked alone" in captured.err


def test_memory_does_not_grow_with_the_file(tmp_path):
    folder = tmp_path / "installed"
    site = site_of(folder, "filed_sizes", write_capture(folder / "capture"))
    script = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "from filed_sizes.__main__ import main\n"
        "code = main(['predict', sys.argv[2], '--output', sys.argv[3]])\n"
        "status = open('/proc/self/status').read()\n"
        "print(code, status.partition('VmHWM:')[2].split()[0])\n"
    )
    peaks = []
    for count in (15_000, 60_000):
        rows = tmp_path / f"{count}.jsonl"
        rows.write_text('{"zone": "A", "km": 10}\n' * count)
        done = subprocess.run(
            [sys.executable, "-c", script, site, rows, tmp_path / "answers.jsonl"],
            capture_output=True,
            text=True,
            check=True,
        )
        code, peak = done.stdout.split()
        assert code == "0", done.stderr
        peaks.append(int(peak))
    assert len((tmp_path / "answers.jsonl").read_text().splitlines()) == 60_000
    assert peaks[1] < peaks[0] + 2_048  # KiB; all rows as objects are 30 MiB more


def test_progress_is_told_on_standard_error(masses, tmp_path, capsys, monkeypatch):
    files = sys.modules["filed_masses.batch._files"]
    monkeypatch.setattr(files, "_EVERY_S", 0.0)
    words = ["predict", str(_csv(tmp_path, 6)), "--chunk-rows", "2", "--progress"]

    assert masses(words) == 0

    captured = capsys.readouterr()
    assert "2 rows, " in captured.err
    assert captured.err.rstrip().split("\r")[-1].startswith("6 rows, ")
    assert len(captured.out.splitlines()) == 6

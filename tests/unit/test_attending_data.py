"""Which opened files count as data, and which do not."""

import json
import subprocess
import sys

import pytest

from nbship.adapters.store.journal import FileJournal
from nbship.faces.attend_data import Attendance

#: runs every case in a folder of its own, in one process, since a hook cannot be removed
SCRIPT = """
import json, os, sys
from pathlib import Path
from nbship.faces.attend_data import attend, finish
base, cases = Path(sys.argv[1]), json.loads(sys.stdin.read())
run = base / ".mlops" / "runs" / "run-1"
for number, code in enumerate(cases):
    folder = base / str(number)
    folder.mkdir()
    (folder / "d.csv").write_text(f"a\\n{number}\\n")
    (folder / "helper.py").write_text("x = 1")
attend(str(run), str(base))
journal, noted = run / "journal.jsonl", []
for number, code in enumerate(cases):
    folder = base / str(number)
    os.chdir(folder)
    exec(code, {"os": os, "sys": sys})
    finish()
    lines = journal.read_text().splitlines() if journal.exists() else []
    noted.append([json.loads(line)["data"]["path"] for line in lines])
print(json.dumps(noted))
"""

WRITE_PARQUET = """
import subprocess
code = "import pandas; pandas.DataFrame({'a': [1]}).to_parquet('p.pq')"
subprocess.run([sys.executable, "-c", code], check=True)
import pandas
pandas.read_parquet("p.pq")
"""
FORK = """
pid = os.fork()
if not pid:
    open('d.csv').read()
    os._exit(0)
os.waitpid(pid, 0)
"""

#: what a notebook does, and which files count as read; names are relative to its folder
CASES = [
    ("open('d.csv').read()", ["d.csv"]),
    ("open('d.csv').read(); open('d.csv', 'rb').read()", ["d.csv"]),
    ("os.read(os.open('d.csv', os.O_RDONLY), 1)", ["d.csv"]),
    ("import pathlib; pathlib.Path('d.csv').read_bytes()", ["d.csv"]),
    ("sys.path.insert(0, '.'); import helper", ["helper.py"]),
    ("open('out', 'w').write('x'); open('out').read()", []),
    ("open('d.csv', 'a').write('x'); open('d.csv').read()", []),
    ("open('d.csv', 'r+').read()", []),
    ("import json, numpy", []),
    ("open('/proc/self/status').read(); open('/etc/hosts').read()", []),
    ("open('../mlops.toml').read(); open('../.mlops/x').read()", []),
    ("open('gone', 'w').write('x'); os.remove('gone')", []),
    ("open(os.devnull).read(); open(0, closefd=False)", []),
    ("os.mkdir('sub'); os.chdir('sub'); open('../d.csv').read()", ["d.csv"]),
    ("import pandas; pandas.read_csv('d.csv')", ["d.csv"]),
    (WRITE_PARQUET, ["p.pq"]),
    ("import sqlite3; sqlite3.connect('d.csv').close()", ["d.csv"]),
    (FORK, []),
]


@pytest.fixture
def project(tmp_path):
    (tmp_path / ".mlops" / "runs" / "run-1").mkdir(parents=True)
    (tmp_path / ".mlops" / "x").touch()
    (tmp_path / "mlops.toml").touch()
    (tmp_path / "d.csv").write_text("a\n1\n")
    return tmp_path


def test_files_that_are_read_are_noted_once_and_others_are_not(project):
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, project],
        input=json.dumps([code for code, _ in CASES]),
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    expected: list[str] = []
    for number, noted in enumerate(json.loads(done.stdout)):
        code, names = CASES[number]
        expected += [f"{number}/{name}" for name in names]
        assert noted == expected, code


def test_a_folder_read_as_one_data_set_is_noted_file_by_file(project):
    (project / "set").mkdir()
    for name in ("b", "a"):
        (project / "set" / name).touch()
    attendance = Attendance(project / ".mlops" / "runs" / "run-1", project)

    attendance.note(project / "set")
    attendance.settle()

    journal = FileJournal(project / ".mlops" / "runs" / "run-1" / "journal.jsonl")
    assert [event.data["path"] for event in journal.events()] == ["set/a", "set/b"]


def test_a_file_changed_between_two_reads_is_noted_twice(project):
    run = project / ".mlops" / "runs" / "run-1"
    attendance = Attendance(run, project)
    for text in ("1", "22"):
        (project / "d.csv").write_text(text)
        attendance.note(project / "d.csv")
        attendance.settle()
        attendance.settle()

    lines = (run / "journal.jsonl").read_text().splitlines()
    assert [json.loads(line)["data"]["size_bytes"] for line in lines] == [1, 2]

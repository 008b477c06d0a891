"""What a watched replay tells: lines that ran, what was touched, what was changed, what drew."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from nbship.release.parity import drawing_line
from support.captures import write_capture
from support.executed import ExecutedNotebook
from support.packages import Package

BRANCHES = """
def predict(x):
    double = lambda v: v * 2
    if x > 100:
        return double(x)
    elif x < 0:
        raise ValueError(x)

    return [i for i in range(x)]
"""
OUTSIDE = """
import os
import socket
import subprocess
import sys
from pathlib import Path


def predict(path, again):
    found = {"given": Path(path).read_text()}
    try:
        found["other"] = Path(again["file"]).read_text()
    except OSError:
        pass
    try:
        socket.create_connection(("127.0.0.1", 9), timeout=1)
    except OSError:
        pass
    subprocess.run([sys.executable, "-c", ""], check=True)
    os.environ.get("_".join(["NBSHIP", "TEST", "TARIFF"]), "none")
    return found
"""
STATEFUL = """
COUNT = 0
SEEN = []
RATES = {"a": 1.5}
LIMIT = 3


class Memory:
    calls = 0


def remember(x, cache={}):
    cache[x] = 1


def predict(x):
    global COUNT
    COUNT += 1
    Memory.calls += 1
    SEEN.append(x)
    remember(x)
    return RATES["a"] * x
"""
RTOL = """
import nbship

@nbship.golden(rtol={"p": 1e-3})
def predict(x):
    return {"p": x / 3, "q": x / 7}
"""
CALLS = "for i in range(4):\n    predict(i)"
#: so that the closure finds what the text says
RESET = """
COUNT = 0
SEEN.clear()
Memory.calls = 0
remember.__defaults__[0].clear()
"""


def package(folder, name, *cells, **options):
    ExecutedNotebook(*cells, **options).capture(folder / "capture")
    return Package(folder, name, folder / "capture")


def watched(package):
    return package.part("parity._replay").watched_replay()


def test_lines_that_never_ran_are_named_with_their_cells(tmp_path):
    made = package(tmp_path, "watch_branches", BRANCHES, "predict(3); predict(5)")

    result = watched(made)

    text = (made.folder / "model.py").read_text().split("\n")
    missed = result.watched["coverage"]["missed"]
    assert result.differences == []
    assert [text[place["line"] - 1].strip() for place in missed] == [
        "double = lambda v: v * 2",  # the lambda inside never ran
        "return double(x)",
        "raise ValueError(x)",
    ]
    assert missed[1] == {
        "line": missed[1]["line"],
        "file": "model.py",
        "cell_id": "c1",
        "execution_count": 1,
        "cell_line": 5,
    }
    coverage = result.watched["coverage"]
    assert coverage["lines"] - coverage["executed"] == len(missed)


def test_a_replay_that_runs_all_lines_misses_none(tmp_path):
    made = Package(tmp_path, "watch_fares", write_capture(tmp_path / "capture"))

    result = watched(made)

    coverage = result.watched["coverage"]
    assert coverage["executed"] == coverage["lines"] > 4
    assert coverage["missed"] == []
    assert result.watched["accesses"] == []
    assert result.watched["changed_state"] == []


def test_a_tracer_that_was_there_is_there_again(tmp_path):
    made = Package(tmp_path, "watch_tracer", write_capture(tmp_path / "capture"))
    before = sys.gettrace()

    watched(made)

    assert sys.gettrace() is before


@pytest.mark.skipif(sys.version_info < (3, 12), reason="sys.monitoring is of 3.12")
def test_the_monitor_is_given_back(tmp_path):
    made = Package(tmp_path, "watch_monitor", write_capture(tmp_path / "capture"))

    assert watched(made).watched["coverage"]["missed"] == []
    assert [sys.monitoring.get_tool(i) for i in range(6)].count("nbship") == 0


def test_what_lies_outside_is_told_with_line_and_cell(tmp_path, monkeypatch):
    (tmp_path / "given.txt").write_text("1")
    (tmp_path / "other.txt").write_text("2")
    made = package(
        tmp_path,
        "watch_outside",
        OUTSIDE,
        f"predict({str(tmp_path / 'given.txt')!r}, {{'file': {str(tmp_path)!r} + '/other' + '.txt'}})",
    )
    # a path that was an argument is given, also inside a dict
    assert [a["kind"] for a in watched(made).watched["accesses"]] == [
        "network",
        "subprocess",
        "environment",
    ]


def test_a_file_that_no_argument_names_is_told(tmp_path):
    (tmp_path / "rates.csv").write_text("a,b\n1,2\n")
    made = package(
        tmp_path,
        "watch_file",
        f"import csv\nRATES = {str(tmp_path / 'rates.csv')!r}\n\n\n"
        "def predict(x):\n    with open(RATES) as source:\n"
        "        return [*csv.reader(source)][x]\n",
        "predict(0)",
    )

    found = watched(made).watched["accesses"]

    assert found == [
        {
            "kind": "file",
            "target": str(tmp_path / "rates.csv"),
            "mode": "read",
            "is_direct": True,
            "place": {
                "line": found[0]["place"]["line"],
                "file": "model.py",
                "cell_id": "c1",
                "execution_count": 1,
                "cell_line": 6,
            },
        }
    ]


def test_lines_of_network_programs_and_variables_are_those_of_the_author(tmp_path):
    (tmp_path / "given.txt").write_text("1")
    made = package(
        tmp_path,
        "watch_lines",
        OUTSIDE,
        f"predict({str(tmp_path / 'given.txt')!r}, {{'file': '/nowhere/at/all'}})",
    )

    found = watched(made).watched["accesses"]

    program = sys.executable
    if sys.prefix != sys.base_prefix:  # the environment is another one in each replay
        program = program.replace(sys.prefix, "ENVIRONMENT")
    assert [(a["kind"], a["target"].split()[0], a["is_direct"]) for a in found] == [
        ("network", "127.0.0.1:9", True),
        ("subprocess", program, True),
        ("environment", "NBSHIP_TEST_TARIFF", True),
    ]
    assert [a["place"]["cell_line"] for a in found] == [16, 19, 20]


def test_a_file_in_the_home_of_the_replay_is_told_without_its_path(
    tmp_path, monkeypatch
):
    monkeypatch.setenv("HOME", str(tmp_path))
    made = package(
        tmp_path,
        "watch_home",
        "from pathlib import Path\n\n\ndef predict(x):\n"
        "    (Path.home() / 'log.txt').write_text(str(x))\n    return x\n",
        "predict(0)",
    )

    (found,) = watched(made).watched["accesses"]

    assert (found["target"], found["mode"]) == ("~/log.txt", "write")


def test_what_libraries_read_while_they_are_imported_is_theirs(tmp_path):
    made = package(
        tmp_path,
        "watch_imports",
        "def predict(x):\n    import wave, tomllib, zoneinfo\n"
        "    return str(zoneinfo.ZoneInfo('Europe/Berlin'))",
        "predict(0)",
    )

    assert watched(made).watched["accesses"] == []


def test_captured_values_that_the_calls_change_are_named(tmp_path):
    made = package(tmp_path, "watch_state", STATEFUL, CALLS, RESET)

    changed = watched(made).watched["changed_state"]

    assert [(c["name"], c["place"].get("cell_line")) for c in changed] == [
        ("COUNT", 2),
        ("Memory", 8),
        ("SEEN", 3),
        ("remember", 12),
    ]


def test_what_the_first_call_sets_up_for_good_is_no_change(tmp_path):
    made = package(
        tmp_path,
        "watch_lazy",
        "TABLE = {}\n\n\ndef predict(x):\n    if not TABLE:\n"
        "        TABLE['k'] = 2\n    return TABLE['k'] * x\n",
        "TABLE.clear(); predict(1); predict(2); TABLE.clear()",
    )

    assert watched(made).watched["changed_state"] == []


@pytest.mark.parametrize(
    ("body", "line"),
    [
        ("    n = x + 1\n    n += random.random()\n    return n\n", 5),
        ("    while random.random() < 0.999:\n        pass\n    return 2 * x\n", 4),
        ("    y = x\n    return y + time.time_ns()\n", 5),
        (
            "    return helper(x) + 1\n\n\ndef helper(x):\n    return x + os.getpid()\n",
            8,
        ),
        (
            "    words = {f'w{i}' for i in range(40)}\n    n = 1\n    return [*words][:9]\n",
            6,
        ),
    ],
)
def test_the_line_that_draws_is_found_by_two_runs(tmp_path, body, line):
    cell = f"import os, random, time\n\ndef predict(x):\n{body}"
    made = package(tmp_path, "watch_draws", cell, "predict(1)")

    runs = []
    for seed in ("1", "2"):  # other processes, with other orders of sets
        done = subprocess.run(
            [sys.executable, "-m", "watch_draws", "verify", "--trace", "1"],
            cwd=made.folder.parent,
            env={"PYTHONHASHSEED": seed, "PATH": "/usr/bin:/bin"},
            capture_output=True,
            text=True,
            check=True,
        )
        runs.append(json.loads(done.stdout))

    lines = [drawing_line(runs[0]["events"], other["events"]) for other in runs[1:]]
    found = {runs[0]["places"][str(n)]["cell_line"] for n in lines if n is not None}
    assert found == {line}


def test_two_runs_of_a_steady_call_leave_the_same_behind(tmp_path):
    made = package(tmp_path, "watch_steady", BRANCHES, "predict(4)")

    one, other = (
        made.part("parity._replay").trace_case("1")["events"] for _ in range(2)
    )

    assert one[-1] == other[-1]
    assert drawing_line(one[-4:], other[-4:]) is None


def test_tolerances_are_those_that_were_declared(tmp_path):
    cells = (
        RTOL,
        "predict(1.0)",
    )
    made = package(tmp_path, "watch_rtol", *cells)
    path = made.folder / "golden.jsonl"
    case = json.loads(path.read_text())

    def differences(**changes):
        output = {**case["output"], **changes}
        path.write_text(json.dumps({**case, "output": output}) + "\n")
        return made.part("parity._replay").replay().differences

    assert made.part("parity._replay").declared_tolerances() == {"p": 1e-3}
    assert differences(p=0.33350) == []
    assert differences(p=0.33400) != []
    assert differences(q=1 / 7 + 1e-8) != []
    assert differences(q=1 / 7 + 1e-12) == []


def test_verify_tells_what_it_watched(tmp_path, capsys):
    made = package(tmp_path, "watch_told", STATEFUL, CALLS, RESET)

    assert made.main(["verify", "--watch"]) == 0

    said = capsys.readouterr().out
    assert "lines ran" in said
    assert "changed by the calls: COUNT, Memory, SEEN, remember" in said
    assert "4 cases equal" in said

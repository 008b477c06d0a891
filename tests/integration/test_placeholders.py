"""Variables that code cannot do without: a replay gives placeholders, and tells so."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from nbship.adapters.bundles import package_desk
from nbship.adapters.bundles.replay import UvReplayer
from nbship.adapters.bundles.wheel import WheelBuilder, read_wheel
from nbship.release.parity import notes_of
from nbship.workflow.bundle_files import read_capture
from support.executed import ExecutedNotebook
from support.exports import exported
from support.packages import Package

KEY, SECRET = "OWN_API_KEY", "abcdefgh12345678"
CALLS = "for n in range(25):\n    predict(n)\n"
HEADER = (
    f"import os\nAPI_KEY = os.environ[{KEY!r}]\n",
    "def predict(x):\n    header = {'authorization': API_KEY}\n    return x * len(header)\n",
)


@pytest.fixture(autouse=True)
def _key(monkeypatch):
    monkeypatch.setenv(KEY, SECRET)
    monkeypatch.delenv("OWN_ABSENT", raising=False)


def exported_cells(folder, *cells):
    """Export ``predict`` of a notebook and replay it in a fresh environment."""
    ExecutedNotebook(*cells, CALLS).capture(folder / "capture")
    return exported(
        folder / "capture",
        folder / "export",
        package="placed",
    )


def test_a_secret_read_in_brackets_is_replayed_with_placeholders_and_told(tmp_path):
    export = exported_cells(tmp_path, *HEADER)

    assert export.parity.passed
    assert export.parity.is_proven
    assert export.parity.placeholders == (KEY,)
    assert (
        f"replayed with placeholders for {KEY}: no recorded answer rests on the value"
        in notes_of(export.parity)
    )
    files = read_wheel(tmp_path / "export" / export.wheel)
    assert SECRET.encode() not in b"".join(files.values())


def test_an_answer_that_rests_on_the_variable_is_refused(tmp_path):
    export = exported_cells(
        tmp_path,
        "import os\n",
        f"def predict(x):\n    return x + len(os.environ[{KEY!r}])\n",
    )

    assert not export.parity.passed
    assert export.parity.differences[-1] == (
        f"replays do not know what {KEY} held and gave placeholders, another in each: an "
        "answer that rests on it cannot be proven; make it an argument, or keep what it "
        "decides in a value"
    )


def test_an_answer_that_fits_one_placeholder_by_chance_is_refused_too(
    tmp_path, monkeypatch
):
    monkeypatch.setenv("OWN_STEPS", "7000001")

    export = exported_cells(
        tmp_path,
        "import os\n",
        "def predict(x):\n    return x + int(os.environ['OWN_STEPS'])\n",
    )

    assert not export.parity.passed
    assert "case 1: another answer when it was replayed again" in (
        " ".join(export.parity.differences)
    )


def test_a_variable_that_the_notebook_did_without_gets_no_placeholder(tmp_path):
    export = exported_cells(
        tmp_path,
        "import os\n",
        "def predict(x):\n"
        "    try:\n"
        "        return x + len(os.environ['OWN_ABSENT'])\n"
        "    except KeyError:\n"
        "        return x + len(os.environ.get('OWN_OTHER', ''))\n",
    )

    assert export.parity.passed
    assert export.parity.placeholders == ()


def test_a_package_with_such_a_variable_is_looked_at(tmp_path):
    ExecutedNotebook(*HEADER, CALLS).capture(tmp_path / "capture")
    record = read_capture(tmp_path / "capture")
    origin = {"name": "it", "package": "it_model", "version": "1.0.0"}
    wheel = WheelBuilder().build(
        record, tmp_path / "capture", into=tmp_path, origin=origin
    )
    (tmp_path / "requirements.lock").write_text("")

    found = UvReplayer().inspect(
        wheel,
        tmp_path / "requirements.lock",
        package="it_model",
        python_version=record.python_version,
    )

    assert record.required_variables == (KEY,)
    assert found.calls == 200


def test_a_package_with_such_a_variable_is_asked_for_a_comparison(tmp_path):
    ExecutedNotebook(*HEADER, CALLS).capture(tmp_path / "capture")
    package = Package(tmp_path, "own_compared", tmp_path / "capture")
    case = json.loads((package.folder / "golden.jsonl").read_text().splitlines()[3])
    desk = Path(package_desk.__file__)

    done = subprocess.run(
        [sys.executable, str(desk), "own_compared"],
        capture_output=True,
        text=True,
        check=True,
        input=json.dumps({"ask": case}) + "\n",
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(package.folder.parent)},
    )

    answer = json.loads(done.stdout.splitlines()[-1])
    assert (answer["raised"], answer["answer"]) == ("", case["output"])


def test_only_verify_gives_placeholders(tmp_path):
    ExecutedNotebook(*HEADER, CALLS).capture(tmp_path / "capture")
    package = Package(tmp_path, "own_placed", tmp_path / "capture")
    site = package.folder.parent

    def ask(word, *more):
        code = f"import runpy, sys; sys.path.insert(0, {str(site)!r}); sys.argv = {['own_placed', word, *more]!r}"
        code += "; runpy.run_module('own_placed', run_name='__main__', alter_sys=True)"
        return subprocess.run(
            [sys.executable, "-I", "-c", code],
            capture_output=True,
            text=True,
            check=False,
            env={"PATH": "/usr/bin:/bin"},
            cwd=tmp_path,
        )

    Path(tmp_path / "rows.jsonl").write_text("[3]\n")
    verified, predicted = ask("verify"), ask("predict", "rows.jsonl")

    assert (verified.returncode, verified.stdout) == (
        0,
        f"placeholders: {KEY}\n25 cases equal\n",
    )
    assert predicted.returncode != 0
    assert f"KeyError: '{KEY}'" in predicted.stderr

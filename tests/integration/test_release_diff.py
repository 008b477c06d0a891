"""Two releases side by side, asked in fresh environments made by uv, without network."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from nbship.adapters.bundles import asking, replay
from nbship.adapters.bundles.replay import UvReplayer
from nbship.adapters.bundles.wheel import WheelBuilder
from nbship.errors import VerificationError
from nbship.records.codec import from_json
from nbship.records.release_diff import ReleaseDiff
from nbship.workflow.bundle_files import read_capture
from support.captures import FARE_MODULE, write_capture
from support.release_pairs import (
    DEARER_MODULE,
    DEARER_SIGNATURE,
    NARROW_SIGNATURE,
    dearer_cases,
    narrow_cases,
    release_pair,
)
from support.releases import ask


class BareBuilder(WheelBuilder):
    """Builds real wheels; nothing is locked, so that no index is asked."""

    def lock(self, _requirements, **_asked):
        return ""


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    """``fares`` 1.0.0, and 1.0.1 whose answers are dearer."""
    return release_pair(
        tmp_path_factory.mktemp("pair"),
        {
            "module": DEARER_MODULE,
            "signature": DEARER_SIGNATURE,
            "recorded": dearer_cases(),
        },
        version="1.0.1",
        replayer=UvReplayer(),
        builder=BareBuilder(),
    )


def mlops(folder: Path, *words: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "-m", "nbship.faces.cli", *words],
        cwd=folder,
        env={**os.environ, "MLOPS_TRACKERS": ""},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def test_the_release_warns_of_a_version_that_promises_too_little(pair):
    _, made = pair
    bundle = Path(made.bundle)
    remark = (
        "version 1.0.1 is lower than 1.1.0, which the changes since 1.0.0 ask for"
        " (minor: input `tip` added: float64, optional)"
    )

    assert (made.suggested_version, made.remark) == ("1.1.0", remark)
    assert f"- {remark}.\n" in (bundle / "HANDOFF.md").read_text("utf-8")
    changelog = (bundle / "CHANGELOG.md").read_text("utf-8")
    assert "- Answers: `price` in 5 of 24 rows, by up to 1.85 (9.1 %).\n" in changelog
    assert ask(bundle).failures == ()


def test_both_packages_are_asked_and_every_difference_is_told(pair):
    case, made = pair

    done = mlops(case.project, "diff", "fares/1.0.0", "fares", "--json")
    data = json.loads(done.stdout)
    diff = from_json(ReleaseDiff, data)
    zone, price = diff.answers.outputs

    assert done.returncode == 1, done.stderr
    assert data["schema"] == "release-diff/1"
    assert (diff.old.title, diff.new.title) == ("fares 1.0.0", "fares 1.0.1")
    assert diff.new.digest == made.digest
    assert (diff.level.value, diff.suggested_version) == ("minor", "1.1.0")
    asked = (diff.answers.cases, diff.answers.old_cases, diff.answers.new_cases)
    assert asked == (25, 24, 25)
    assert (zone.rows, zone.identical) == (24, 24)
    assert (price.rows, price.equal) == (24, 19)
    assert price.largest_absolute == pytest.approx(1.8525)
    assert price.largest_relative == pytest.approx(1 - 1 / 1.1)
    (first, *_) = price.examples
    assert first.inputs == {"zone": "B", "km": 11.25}
    assert (first.old, first.new) == (13.125, pytest.approx(14.4375))
    (refusal,) = diff.answers.refusals
    assert (refusal.by, refusal.case) == ("old", "1.0.1 case 25")
    assert refusal.message == "tip: not expected; known are 'zone', 'km'"
    assert [change.text for change in diff.signature] == [
        "input `tip` added: float64, optional",
        "output `is_long` added: bool",
    ]
    assert diff.latency is not None
    assert diff.latency.calls > 0
    assert diff.latency.ratio > 0
    assert diff.new.wheel_bytes == (Path(made.bundle) / made.wheel).stat().st_size
    assert diff.notes == ("1.0.1 is lower than 1.1.0, which the changes ask for",)


def test_the_text_names_rows_cells_and_the_changelog(pair):
    case, _ = pair

    text = mlops(case.project, "diff", "fares/1.0.0", "fares/1.0.1").stdout

    assert text.startswith(
        "fares 1.0.0 -> fares 1.0.1: other answers; suggested version 1.1.0 (minor)\n"
        "  each was asked 25 calls in a fresh environment without network: 24 golden cases"
        " of 1.0.0, 25 of 1.0.1, 24 of them in both\n"
    )
    assert "1.0.0 case 15  0    price   13.125  14.4375  zone='B', km=11.25" in text
    assert "@@ -6,6 +6,9 @@ cell In[4] (fare-4) line 1" in text
    assert "  -def fare(zone: str, km: float) -> dict:" in text
    assert "  ## [1.0.1] - 2026-11-23" in text


def test_a_notebook_is_shown_the_same_as_tables(pair, monkeypatch):
    from nbship.verbs.answer import Context
    from nbship.verbs.parser import run_words
    from nbship.workbench import Workbench

    case, _ = pair
    monkeypatch.chdir(case.project)
    bench = Workbench.open(case.project)

    answer, _ = run_words(["diff", "fares/1.0.0", "fares"], Context(workbench=bench))

    assert answer.exit_code == 1
    assert "<summary>answers</summary>" in answer.html
    assert "zone=&#x27;B&#x27;, km=11.25" in answer.html
    assert "<summary>changelog</summary><pre>## [1.0.1]" in answer.html


def test_a_release_beside_itself_gives_the_same_answers(pair):
    case, made = pair

    done = mlops(case.project, "diff", made.bundle, "fares/1.0.1")

    assert done.returncode == 0, done.stdout + done.stderr
    assert "same answers to 25 calls; suggested version 1.0.2 (patch)" in done.stdout
    assert "patch  the same code, state and requirements" in done.stdout


def test_a_call_that_the_new_release_refuses_is_major(tmp_path):
    case, made = release_pair(
        tmp_path,
        {"signature": NARROW_SIGNATURE, "recorded": narrow_cases()},
        replayer=UvReplayer(),
        builder=BareBuilder(),
    )
    done = mlops(case.project, "diff", "fares/1.0.0", "fares", "--json")
    diff = from_json(ReleaseDiff, json.loads(done.stdout))

    assert made.remark.startswith("version 1.1.0 is lower than 2.0.0")
    assert done.returncode == 1
    assert (diff.level.value, diff.suggested_version) == ("major", "2.0.0")
    assert (diff.answers.refused_by_new, diff.answers.refused_by_old) == (12, 0)
    (first, *_) = diff.answers.refusals
    assert (first.by, first.inputs) == ("new", {"zone": "B", "km": 0.75})
    assert first.message == "zone: 'B' is none of 'A'"
    changelog = (Path(made.bundle) / "CHANGELOG.md").read_text("utf-8")
    assert (
        "- **Breaking:** 12 of 42 calls that 1.0.0 answers are refused.\n" in changelog
    )


def test_what_is_no_release_is_refused_with_those_that_there_are(pair, tmp_path):
    case, _ = pair

    unknown = mlops(case.project, "diff", "fares/9.0.0", "fares")
    nothing = mlops(case.project, "diff", "rides", "fares")
    words = mlops(case.project, "diff", "fares")

    assert (unknown.returncode, nothing.returncode, words.returncode) == (3, 3, 2)
    assert "fares/9.0.0: no such release; there are 1.0.0, 1.0.1" in unknown.stderr
    assert "rides: neither a bundle's folder nor a release" in nothing.stderr
    assert "there are fares" in nothing.stderr


def test_a_bundle_that_is_not_what_was_sealed_is_not_compared(pair, tmp_path):
    case, made = pair
    copy = shutil.copytree(made.bundle, tmp_path / "copy")
    golden = copy / "tests" / "golden.jsonl"
    golden.write_text(golden.read_text().replace("14.43", "14.44"))

    done = mlops(case.project, "diff", "fares/1.0.0", str(copy))

    assert done.returncode == 3
    assert "copy: tests/golden.jsonl: not what was sealed" in done.stderr
    assert "mlops verify" in done.stderr


def test_a_damaged_release_before_stops_no_release_and_is_told(tmp_path):
    case, _ = release_pair(
        tmp_path,
        {"module": DEARER_MODULE, "signature": DEARER_SIGNATURE, "recorded": dearer_cases()},
    )  # fmt: skip
    (case.store.releases / "fares" / "1.1.0" / "src" / "model.py").write_text("")
    (case.store.releases / "fares" / "1.1.0" / "provenance" / "capture.json").unlink()

    made = case.release()

    changelog = (Path(made.bundle) / "CHANGELOG.md").read_text("utf-8")
    assert (made.version, made.suggested_version, made.remark) == ("1.2.0", "", "")
    assert (
        "- Not known: not compared with 1.1.0: 1.1.0: provenance/capture.json: missing.\n"
        in changelog
    )


NOISY_MODULE = FARE_MODULE.replace(
    "    rate =",
    "    print('a line that is no answer')\n    import socket\n    rate =",
)
REACHING_MODULE = FARE_MODULE.replace(
    "    rate =",
    "    import socket\n    socket.create_connection(('127.0.0.1', 9))\n    rate =",
)
DYING_MODULE = FARE_MODULE.replace(
    "    rate =", "    import os\n    os._exit(7)\n    rate ="
)


def _asked(folder: Path, module: str):
    place = write_capture(folder / "capture", module=module)
    record = read_capture(place)
    origin = {"name": "fares", "package": "fares", "version": "1.0.0"}
    wheel = WheelBuilder().build(record, place, into=folder, origin=origin)
    lock = folder / "requirements.lock"
    lock.write_text("")
    return UvReplayer().installed(
        wheel, lock, package="fares", python_version=record.python_version
    )


CALL = {"args": ["A"], "kwargs": {"km": 2.0}}


def test_what_a_package_prints_is_no_answer(tmp_path):
    with _asked(tmp_path, NOISY_MODULE) as package:
        answered = package.ask(CALL)
        laps = package.laps_ms([CALL], calls=3)

    assert answered.answer == {"zone": "A", "price": 4.7}
    assert (answered.raised, answered.refused, len(laps)) == ("", "", 3)


@pytest.mark.parametrize("words", [None, ()], ids=["namespace", "guard"])
def test_a_package_that_is_asked_has_no_network(tmp_path, monkeypatch, words):
    if words is not None:
        monkeypatch.setattr(replay, "namespace", lambda: words)
    with _asked(tmp_path, REACHING_MODULE) as package:
        answered = package.ask(CALL)

    assert not answered.has_answer
    assert answered.raised.startswith(
        ("OSError", "ConnectionRefused", "PermissionError")
    )
    if words is not None:
        assert "a replay has no network" in answered.raised


def test_a_package_whose_process_dies_is_told(tmp_path):
    with (
        _asked(tmp_path, DYING_MODULE) as package,
        pytest.raises(VerificationError, match="its process ended with 7 before it"),
    ):
        package.ask(CALL)


def test_a_package_that_cannot_be_loaded_is_told(tmp_path):
    with (
        pytest.raises(VerificationError, match=r"cannot be loaded .*ZeroDivisionError"),
        _asked(tmp_path, FARE_MODULE + "\n1 / 0\n"),
    ):
        pass


def test_a_package_that_never_answers_is_given_up(tmp_path, monkeypatch):
    module = FARE_MODULE.replace("    rate =", "    while True: pass\n    rate =")
    with _asked(tmp_path, module) as package:
        monkeypatch.setattr(asking, "_TIMEOUT_S", 0.5)
        with pytest.raises(VerificationError, match=r"no answer after 0\.5 s"):
            package.ask(CALL)

"""What two replays say together, and what people are told of it."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest

from nbship.adapters.bundles.wheel import read_wheel
from nbship.errors import RecordFormatError
from nbship.records.codec import from_json, json_text
from nbship.records.parity import Access, Coverage, ParityReport, Place, StateChange
from nbship.release.parity import drawing_line, notes_of, parity_of
from nbship.release.schemas import PLACES
from support.releases import FakeReplayer, Forger, ReleaseCase, ask

PLACE = {
    "line": 7,
    "file": "model.py",
    "cell_id": "a1",
    "execution_count": 3,
    "cell_line": 2,
}


def report(**changes):
    return {
        "changed": [],
        "differences": [],
        "answers": {"1": "a", "2": "b"},
        "cases": 2,
        "rows": 24,
        "python": "3.11.7",
        **changes,
    }


def watched(**changes):
    return {
        "coverage": {"lines": 9, "executed": 9, "missed": []},
        "accesses": [],
        "changed_state": [],
        **changes,
    }


def access(kind, target, mode="", *, is_direct=True):
    return {
        "kind": kind,
        "target": target,
        "mode": mode,
        "is_direct": is_direct,
        "place": PLACE,
    }


def joined(first, second=None, **options):
    reports = [first, second or report()]
    return parity_of(reports, isolation="namespace", duration_s=1.0, **options)


def test_a_clean_replay_is_proven_and_has_no_note():
    parity = joined(report(watched=watched()))

    assert (parity.passed, parity.is_proven, parity.unproven) == (True, True, ())
    assert parity.coverage == Coverage(lines=9, executed=9)
    assert notes_of(parity) == ()


def test_few_rows_are_not_proven():
    parity = joined(report(rows=19))

    assert parity.passed
    assert not parity.is_proven
    assert notes_of(parity) == ("not proven: 19 distinct golden rows, fewer than 20",)


@pytest.mark.parametrize(
    ("found", "is_proven"),
    [
        (access("file", "/data/rates.csv", "read"), False),
        (access("file", "/data/log.txt", "write"), True),
        (access("network", "db:5432"), False),
        (access("subprocess", "git log"), False),
        (access("subprocess", "lscpu", is_direct=False), True),
        (access("environment", "TARIFF"), True),
    ],
)
def test_an_answer_that_may_rest_on_something_else_is_not_proven(found, is_proven):
    parity = joined(report(watched=watched(accesses=[found])))

    assert parity.passed
    assert parity.is_proven is is_proven
    (note,) = notes_of(parity)
    assert found["target"] in note
    assert "model.py:7, cell In[3] (a1) line 2" in note
    assert note.startswith("not proven: ") is not is_proven


def test_lines_that_never_ran_and_state_that_changed_are_told():
    missed = [{**PLACE, "line": n, "cell_line": n} for n in (4, 5, 6, 8)]
    parity = joined(
        report(
            watched=watched(
                coverage={"lines": 9, "executed": 5, "missed": missed},
                changed_state=[{"name": "COUNT", "place": PLACE}],
            ),
            tolerances={"p": 1e-3},
        )
    )

    assert notes_of(parity) == (
        "stateful: the calls changed COUNT (model.py:7, cell In[3] (a1) line 2)",
        "5 of 9 lines ran (55 %); never: model.py:4, cell In[3] (a1) line 4, model.py:5, cell In[3] (a1) line 5, model.py:6, cell In[3] (a1) line 6 and 1 more",
        "p: floats compared at a relative 0.001, as declared",
    )


def test_another_answer_names_the_line_that_draws():
    parity = joined(
        report(),
        report(answers={"1": "a", "2": "c"}),
        draws=(Place(line=4, cell_id="a1", execution_count=3, cell_line=2),),
    )

    assert parity.differences == (
        "case 2: another answer when it was replayed again: model.py:4, cell In[3] (a1) line 2 draws it",
    )


def test_another_answer_without_a_draw_names_what_earlier_calls_changed():
    changed = watched(changed_state=[{"name": "COUNT", "place": PLACE}])

    parity = joined(report(watched=changed), report(answers={"1": "x", "2": "b"}))

    assert parity.differences == (
        "case 1: another answer when it was replayed again: the calls before it changed COUNT",
    )


def test_the_first_event_that_differs_names_the_line_before_it():
    steady = [("call", 1, 3, "a"), ("line", 1, 4, "a"), ("line", 1, 5, "b")]

    assert drawing_line(steady, steady) is None
    assert drawing_line(steady, [*steady[:2], ("line", 1, 5, "c")]) == 4
    assert drawing_line(steady, [*steady[:2], ("line", 1, 9, "b")]) == 4
    inner = [*steady, ("call", 2, 20, "x"), ("line", 2, 21, "x")]
    assert drawing_line(inner, [*steady, ("call", 2, 20, "y")]) == 5
    one, other = (
        [*inner, ("return", 2, 21, digest), ("line", 1, 6, "z")] for digest in "rs"
    )
    assert drawing_line(one, other) == 21


def test_a_report_is_saved_and_read():
    parity = ParityReport(
        passed=True,
        cases=1,
        rows=1,
        is_proven=False,
        unproven=("1 distinct golden rows, fewer than 20",),
        coverage=Coverage(lines=3, executed=2, missed=(Place(line=3),)),
        accesses=(Access(kind="file", target="/x", mode="read", place=Place(line=2)),),
        changed_state=(StateChange(name="N", place=Place(line=0)),),
        draws=(Place(line=2),),
        tolerances={"p": 1e-6},
    )

    data = json.loads(json_text(parity))

    assert data["schema"] == "parity/2"
    assert from_json(ParityReport, data) == parity


def test_an_older_report_is_read_and_a_newer_one_is_refused():
    older = {
        "schema": "parity/1",
        "passed": True,
        "cases": 2,
        "rows": 24,
        "is_proven": True,
        "differences": [],
        "python_version": "3.11.7",
        "isolation": "guard",
        "duration_s": 0.5,
    }

    assert from_json(ParityReport, older).coverage is None
    with pytest.raises(RecordFormatError, match="schema 'parity/3'"):
        from_json(ParityReport, {**older, "schema": "parity/3"})


class WatchedReplayer(FakeReplayer):
    """Answers as a replay whose answers were equal, with much to tell."""

    def replay(self, wheel, lock, *, package, python_version):
        parity = super().replay(
            wheel, lock, package=package, python_version=python_version
        )
        return dataclasses.replace(
            parity,
            rows=3,
            is_proven=False,
            unproven=("3 distinct golden rows, fewer than 20",),
            changed_state=(StateChange(name="COUNT", place=Place(line=4)),),
            coverage=Coverage(lines=9, executed=8, missed=(Place(line=7),)),
        )


def test_what_was_told_stands_on_the_page_in_the_manifest_and_in_a_verification(
    tmp_path,
):
    case = ReleaseCase(tmp_path).approve()

    bundle = Path(case.release(replayer=WatchedReplayer()).bundle)

    page = (bundle / "HANDOFF.md").read_text()
    manifest = json.loads((bundle / "manifest.json").read_text())
    found = ask(bundle, replayer=WatchedReplayer())
    assert "NOT PROVEN: 24 golden cases (3 distinct rows) replayed equal" in page
    assert "stateful: the calls changed COUNT (model.py:4)" in page
    assert "8 of 9 lines ran (88 %); never: model.py:7" in page
    assert manifest["schema"] == "manifest/3"
    assert manifest["parity"]["unproven"] == ["3 distinct golden rows, fewer than 20"]
    assert found.failures == ()
    assert "not proven: 3 distinct golden rows, fewer than 20" in found.notices


def test_the_schemas_of_a_bundle_are_those_of_its_wheel(tmp_path):
    case = ReleaseCase(tmp_path).approve()
    bundle = Path(case.release().bundle)
    forger = Forger(bundle, tmp_path)

    forger.rewrite(
        "schema/input.schema.json", lambda data: data.replace(b"zone", b"area")
    )
    found = ask(forger.recompute())

    (wheel,) = (bundle / "dist").glob("*.whl")
    files = read_wheel(wheel)
    for name, place in PLACES.items():
        assert files[f"fares/{name}"] == (bundle / place).read_bytes()
    assert any(
        "input.schema.json: not the one beside it in the bundle" in text
        for text in found.failures
    )


@pytest.mark.parametrize(
    "forged",
    [
        [1, 2],
        {"accesses": [{"kind": "file"}]},
        {"accesses": [{**access("file", "/x", "read"), "more": 1}]},
        {"coverage": {"lines": "many", "executed": 1, "missed": []}},
        {"changed_state": [{"name": 3, "place": {}}]},
        {"other": 1},
    ],
)
def test_what_a_forged_package_tells_is_refused_in_words(forged):
    with pytest.raises(RecordFormatError, match="verify --json"):
        joined(report(watched=forged))

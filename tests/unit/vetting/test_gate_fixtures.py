"""Each gate has a fixture notebook and a snapshot of what all gates say about it.

``UPDATE_SNAPSHOTS=1 pytest tests/unit/vetting/test_gate_fixtures.py`` writes the snapshots anew.
"""

import dataclasses
import json
import os
from pathlib import Path

import pytest

from nbship.adapters.notebooks.reader import read_notebook
from nbship.records.codec import from_json, to_json
from nbship.records.job import JobStatus
from nbship.records.policy import MetricRule, Policy
from nbship.records.release import RootCapture
from nbship.testing import ask_gate, make_dossier
from nbship.vetting.dossier import Dossier
from nbship.vetting.gates import BUILT_IN
from nbship.vetting.verdict import judge

TESTS = Path(__file__).resolve().parents[2]
NOTEBOOKS = sorted((TESTS / "notebooks" / "gates").glob("*.ipynb"))
SNAPSHOTS = TESTS / "snapshots" / "gates"


def dossier_of(path: Path) -> Dossier:
    """Read a fixture; ``metadata.case`` says how its job went."""
    notebook = read_notebook(path)
    case = dict(notebook.metadata.get("case", {}))
    local = case.pop("local_modules", [])
    rules = case.pop("policy", {}).get("metrics", {})
    policy = Policy(
        metrics=tuple(from_json(MetricRule, {"name": n, **r}) for n, r in rules.items())
    )
    captures = {
        name: from_json(RootCapture, capture)
        for name, capture in case.pop("captures", {}).items()
    }
    metrics = {name: float(value) for name, value in case.pop("metrics", {}).items()}
    status = JobStatus(case.pop("status", "succeeded"))
    dossier = make_dossier(
        notebook,
        status=status,
        metrics=metrics,
        policy=policy,
        captures=captures,
        **case,
    )
    return dataclasses.replace(dossier, local_modules=frozenset(local))


def verdict_of(path: Path):
    dossier = dossier_of(path)
    return judge(
        dossier,
        BUILT_IN,
        verdict_id="verdict-20260105-120000-0000",
        vetted_at=dossier.outcome.ended_at,
    )


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_the_gates_say_what_the_snapshot_holds(path):
    verdict = verdict_of(path)
    found = {"passed": verdict.passed, "findings": to_json(verdict.findings)}
    snapshot = SNAPSHOTS / f"{path.stem}.json"
    if os.environ.get("UPDATE_SNAPSHOTS"):
        snapshot.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n")
    assert found == json.loads(snapshot.read_text("utf-8"))


@pytest.mark.parametrize("gate", BUILT_IN, ids=lambda gate: gate.code)
def test_every_gate_objects_to_its_fixture_and_keeps_what_gates_promise(gate):
    fixtures = [path for path in NOTEBOOKS if path.stem.startswith(gate.code)]
    assert fixtures, f"no notebook for {gate.code}"
    for path in fixtures:
        assert ask_gate(gate, dossier_of(path)), path.stem


def test_a_clean_notebook_passes_without_a_single_finding():
    verdict = verdict_of(TESTS / "notebooks" / "gates" / "clean.ipynb")
    assert verdict.passed
    assert verdict.findings == ()


def test_there_is_no_snapshot_without_a_notebook():
    assert {p.stem for p in SNAPSHOTS.iterdir()} == {p.stem for p in NOTEBOOKS}

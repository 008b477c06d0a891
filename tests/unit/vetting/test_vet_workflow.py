"""Vetting a job that lies in a store."""

import dataclasses
import json
from datetime import UTC, datetime, timedelta

import pytest

from nbship.adapters.notebooks.reader import read_notebook
from nbship.adapters.store.files import FileStore
from nbship.errors import JobError, RecordNotFoundError, VettingError
from nbship.records.codec import to_json
from nbship.records.digest import digest_file, digest_json
from nbship.records.job import Job, JobStatus, Lock, Outcome
from nbship.records.parameters import ParameterContract
from nbship.records.policy import MetricRule, Policy
from nbship.records.run import EventKind
from nbship.records.vetting import LintFinding
from nbship.vetting.gates import BUILT_IN
from nbship.vetting.subject import subject_of
from nbship.workflow.vetting import (
    Instruments,
    cell_lines,
    latest_verdict,
    load_verdict,
    vet,
)

AT = datetime(2026, 1, 5, 12, tzinfo=UTC)
JOB_ID, RUN_ID = "job-20260105-110000-0000", "run-20260105-110000-0000"
VERDICT_ID = "verdict-20260105-120000-0000"
POLICY = Policy(metrics=(MetricRule(name="accuracy", minimum=0.9),))


class FakeLinter:
    def lint(self, sources):
        return tuple(
            LintFinding(code="B006", message="a finding", cell_id=cell_id, line=1)
            for cell_id, text in sources
            if "accuracy" in text
        )


INSTRUMENTS = Instruments(
    linter=FakeLinter(),
    read_notebook=read_notebook,
    import_providers=lambda: {"sklearn": ("scikit-learn",)},
    local_modules=lambda _folder: frozenset(),
)


def notebook(*sources):
    cells = [
        {
            "cell_type": "code",
            "id": f"c{number}",
            "metadata": {"tags": ["parameters"]} if number == 0 else {},
            "source": source,
            "execution_count": number + 1,
            "outputs": [],
        }
        for number, source in enumerate(sources)
    ]
    metadata = {"language_info": {"name": "python"}}
    document = {
        "cells": cells,
        "metadata": metadata,
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    return json.dumps(document, indent=1)


class JobInStore:
    """A job with one attempt, written as the worker writes it."""

    def __init__(self, folder):
        self.store = FileStore(folder / ".mlops")
        self.folder = self.store.job_folder(JOB_ID)
        attempt = self.store.attempt_folder(JOB_ID, 1)
        attempt.mkdir(parents=True)
        text = notebook("rows = 3", "import sklearn\naccuracy = sklearn.score(rows)")
        (self.folder / "input.ipynb").write_text(text)
        (attempt / "output.ipynb").write_text(text)
        lock = Lock(
            python_version="3.11",
            packages={"scikit-learn": {"version": "1.6", "record_digest": ""}},
        )
        self.store.save(lock, self.folder / "lock.json")
        self.job = Job(
            id=JOB_ID,
            notebook="penguins.ipynb",
            snapshot_digest=digest_file(self.folder / "input.ipynb"),
            lock_digest=digest_json(to_json(lock)),
            plan_digest="",
            planned_at=AT,
            kernel_name="python3",
            experiment="penguins",
            contract=ParameterContract(cell_id="c0"),
        )
        self.outcome = Outcome(
            job_id=JOB_ID,
            attempt=1,
            run_id=RUN_ID,
            status=JobStatus.SUCCEEDED,
            started_at=AT,
            ended_at=AT,
            output_digest=digest_file(attempt / "output.ipynb"),
            metrics={"accuracy": 0.95},
        )
        self.store.save(self.job, self.folder / "job.json")
        journal = self.store.journal(RUN_ID)
        journal.append(
            EventKind.RUN_STARTED,
            {"run_id": RUN_ID, "experiment": "x", "notebook": "x", "origin": "job"},
        )
        journal.append(EventKind.RUN_ENDED, {"status": "succeeded"})
        journal.close()

    def finish(self, **changes):
        self.outcome = dataclasses.replace(self.outcome, **changes)
        self.store.save(self.outcome, self.folder / "attempts" / "1" / "outcome.json")

    def vet(self, verdict_id=VERDICT_ID, **changes):
        given = {"policy": POLICY, "gates": BUILT_IN, "instruments": INSTRUMENTS}
        return vet(
            self.store, JOB_ID, **{**given, **changes}, verdict_id=verdict_id, at=AT
        )


@pytest.fixture
def case(tmp_path):
    return JobInStore(tmp_path)


def test_a_verdict_is_kept_and_found_again(case):
    case.finish()
    verdict = case.vet()
    assert verdict.passed
    assert [(f.code, f.cell_id) for f in verdict.findings] == [("B006", "c1")]
    assert load_verdict(case.store, VERDICT_ID) == verdict
    assert latest_verdict(case.store, JOB_ID) == verdict
    assert verdict.subject == subject_of(case.job, case.outcome, verdict.findings)


def test_the_latest_verdict_is_the_newest_of_that_job(case):
    case.finish()
    assert latest_verdict(case.store, JOB_ID) is None
    case.vet()
    newer = case.vet("verdict-20260105-130000-0000")
    assert latest_verdict(case.store, JOB_ID) == newer
    assert latest_verdict(case.store, "job-20260105-110000-1111") is None


def test_of_two_verdicts_in_one_second_the_later_is_the_latest(case):
    case.finish()
    first = case.vet("verdict-20260105-130000-zzzz")
    later = dataclasses.replace(
        first,
        id="verdict-20260105-130000-0000",
        vetted_at=first.vetted_at + timedelta(milliseconds=300),
    )
    case.store.save(later, case.store.record_path(later.id))

    assert latest_verdict(case.store, JOB_ID) == later


@pytest.mark.parametrize("status", ["failed", "interrupted", "killed"])
def test_a_failed_job_is_vetted_and_blocked(case, status):
    case.finish(
        status=JobStatus(status), cause="KeyError: 'x'", cell_id="c1", output_digest=""
    )
    verdict = case.vet()
    assert not verdict.passed
    assert verdict.findings[0].code == "NB203"
    assert verdict.findings[0].cell_id == "c1"


def test_a_job_without_an_outcome_cannot_be_vetted(case):
    with pytest.raises(JobError, match="without an outcome to vet"):
        case.vet()
    assert case.store.ids("verdict") == ()


def test_an_unknown_job_is_refused(case):
    with pytest.raises(RecordNotFoundError):
        vet(
            case.store,
            "job-20260105-110000-9999",
            policy=POLICY,
            gates=BUILT_IN,
            instruments=INSTRUMENTS,
            verdict_id=VERDICT_ID,
            at=AT,
        )


@pytest.mark.parametrize("name", ["input.ipynb", "attempts/1/output.ipynb"])
def test_a_file_that_changed_since_the_job_ran_is_refused_by_name(case, name):
    case.finish()
    path = case.folder / name
    path.write_bytes(path.read_bytes() + b" ")
    with pytest.raises(VettingError, match="changed since the job ran") as refused:
        case.vet()
    assert str(path) in refused.value.message
    assert case.store.ids("verdict") == ()


def test_a_wrong_policy_is_refused_before_anything_is_read(case):
    with pytest.raises(VettingError, match="no gate has the code 'NB999'"):
        case.vet(policy=Policy(block=("NB999",)))


def test_an_unknown_verdict_is_refused(case):
    with pytest.raises(RecordNotFoundError, match="no verdict 'verdict-x'"):
        load_verdict(case.store, "verdict-x")


def test_cells_are_found_by_line_in_the_file(case):
    lines = cell_lines(case.store, JOB_ID)
    text = (case.folder / "input.ipynb").read_text().splitlines()
    assert {text[line - 1].strip() for line in lines.values()} == {
        '"id": "c0",',
        '"id": "c1",',
    }


def test_a_lock_that_was_edited_is_refused(case):
    case.finish()
    path = case.folder / "lock.json"
    path.write_text(path.read_text().replace("1.6", "1.7"))
    with pytest.raises(VettingError, match="changed since the job ran"):
        case.vet()


@pytest.mark.parametrize("name", ["input.ipynb", "attempts/1/output.ipynb"])
def test_a_missing_file_is_refused_by_name(case, name):
    case.finish()
    (case.folder / name).unlink()
    with pytest.raises(VettingError, match="cannot be read") as refused:
        case.vet()
    assert str(case.folder / name) in refused.value.message

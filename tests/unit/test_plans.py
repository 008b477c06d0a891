"""Jobs are found by their plan without reading every job."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from nbship.adapters.store.files import FileStore
from nbship.records.ids import make_id
from nbship.records.job import Job
from nbship.records.parameters import ParameterContract
from nbship.workflow.plans import job_of_plan

NOW = datetime(2026, 11, 25, tzinfo=UTC)


@pytest.fixture
def store(tmp_path):
    return FileStore(tmp_path / ".mlops")


def write_job(store, number, plan):
    job = Job(
        id=make_id("job", at=NOW, entropy=number),
        notebook="in.ipynb",
        snapshot_digest="",
        lock_digest="",
        plan_digest=plan,
        planned_at=NOW,
        kernel_name="python3",
        experiment="",
        contract=ParameterContract(cell_id=None),
    )
    store.save(job, store.job_folder(job.id) / "job.json")
    return job


def test_the_youngest_job_of_a_plan_is_found_and_none_of_another(store):
    write_job(store, 1, "a")
    younger = write_job(store, 2, "a")

    assert job_of_plan(store, "a") == younger
    assert job_of_plan(store, "b") is None


def test_only_jobs_that_the_list_lacks_are_read(store, monkeypatch):
    jobs = [write_job(store, number, f"plan-{number}") for number in range(20)]
    assert job_of_plan(store, "plan-3") == jobs[3]
    read, load = [], store.load
    monkeypatch.setattr(store, "load", lambda *a: read.append(a) or load(*a))

    later = write_job(store, 30, "plan-30")

    assert job_of_plan(store, "plan-30") == later
    assert len(read) == 2


def test_a_torn_or_lost_list_is_mended(store):
    job = write_job(store, 1, "a")
    job_of_plan(store, "a")
    path = store.folder / "jobs" / "plans.txt"
    path.write_text(path.read_text()[:20])

    assert job_of_plan(store, "a") == job
    path.unlink()
    assert job_of_plan(store, "a") == job

"""Planning: equal wishes have equal plans, and only what holds is reused."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from nbship.adapters.store.files import FileStore
from nbship.errors import JobError, RecordNotFoundError
from nbship.jobs.planning import Wish, can_be_reused, changed_data, plan, plan_digest
from nbship.records.digest import digest_json
from nbship.records.job import Job, JobStatus, Lock, Outcome, Resources
from nbship.records.notebook import Notebook
from nbship.records.parameters import ParameterContract
from nbship.records.run import Artifact
from nbship.workflow.jobs import (
    attempt_numbers,
    find_job,
    job_status,
    load_job,
    published_outcome,
)

AT = datetime(2026, 11, 1, tzinfo=UTC)
JOB_ID = "job-20261101-000000-abcd"
OTHER_ID = "job-20261101-000000-abxy"
WISH = Wish(
    notebook=Notebook(
        path="n.ipynb", digest="d" * 64, kernel_name="", language="python", cells=()
    ),
    path="sub/n.ipynb",
    contract=ParameterContract(cell_id=None),
    lock=Lock(python_version="3.11.7"),
    kernel_name="python3",
    cwd="/project/sub",
    values={"a": 1, "b": 2},
)


def outcome(status=JobStatus.SUCCEEDED, *, attempt=1, data=()):
    return Outcome(
        job_id=JOB_ID,
        attempt=attempt,
        run_id="run-20261101-000000-abcd",
        status=status,
        started_at=AT,
        ended_at=AT,
        data=data,
    )


def test_a_wish_becomes_a_job():
    assert plan(WISH, job_id=JOB_ID, at=AT) == Job(
        id=JOB_ID,
        notebook="sub/n.ipynb",
        snapshot_digest="d" * 64,
        lock_digest=digest_json(
            {"schema": "lock/1", "python_version": "3.11.7", "packages": {}}
        ),
        plan_digest=plan_digest(WISH),
        planned_at=AT,
        kernel_name="python3",
        experiment="n",
        values={"a": 1, "b": 2},
        contract=ParameterContract(cell_id=None),
        cwd="/project/sub",
    )


@pytest.mark.parametrize(
    "change",
    [
        {"values": {"a": 1, "b": 3}},
        {"values": {"a": 1}},
        {"notebook": replace(WISH.notebook, digest="e" * 64)},
        {"lock": Lock(python_version="3.12.0")},
        {"kernel_name": "other"},
        {"path": "elsewhere/n.ipynb"},
        {"roots": ("predict",)},
        {"resources": Resources(gpus=1)},
    ],
)
def test_another_wish_has_another_plan(change):
    assert plan_digest(replace(WISH, **change)) != plan_digest(WISH)


@pytest.mark.parametrize(
    "change",
    [
        {"values": {"b": 2, "a": 1}},
        {"resources": Resources(timeout_s=60)},
        {"cwd": "/moved/sub"},
        {"experiment": "another name"},
    ],
)
def test_what_changes_no_answer_changes_no_plan(change):
    assert plan_digest(replace(WISH, **change)) == plan_digest(WISH)


FILE = Artifact(name="d.csv", digest="1" * 64, size_bytes=1, path="d.csv")


@pytest.mark.parametrize(
    ("earlier", "digests", "answer"),
    [
        (None, {}, False),
        (outcome(), {}, True),
        (outcome(JobStatus.FAILED), {}, False),
        (outcome(JobStatus.KILLED), {}, False),
        (outcome(data=(FILE,)), {"d.csv": "1" * 64}, True),
        (outcome(data=(FILE,)), {"d.csv": "2" * 64}, False),
        (outcome(data=(FILE,)), {}, False),
    ],
)
def test_only_a_success_on_unchanged_files_is_reused(earlier, digests, answer):
    assert can_be_reused(earlier, digests) is answer


def test_changed_files_are_named():
    assert changed_data(outcome(data=(FILE,)), {"d.csv": "2"}) == ("d.csv",)


@pytest.fixture
def store(tmp_path):
    store = FileStore(tmp_path / ".mlops")
    job = plan(WISH, job_id=JOB_ID, at=AT)
    store.save(job, store.job_folder(JOB_ID) / "job.json")
    return store


def write_outcome(store, number, status):
    path = store.attempt_folder(JOB_ID, number) / "outcome.json"
    store.save(outcome(status, attempt=number), path)
    return path


def test_a_job_without_attempts_is_planned(store):
    assert load_job(store, JOB_ID).id == JOB_ID
    assert attempt_numbers(store, JOB_ID) == ()
    assert job_status(store, JOB_ID) is JobStatus.PLANNED
    assert published_outcome(store, JOB_ID) is None


def test_an_attempt_runs_while_its_worker_holds_it_and_is_killed_after(store):
    lock = store.attempt_folder(JOB_ID, 1) / "worker.lock"
    with store.hold(lock) as descriptor, store.hold(lock) as other:
        assert lock.samefile(f"/proc/self/fd/{descriptor}")
        assert other is None
        assert job_status(store, JOB_ID) is JobStatus.RUNNING
    assert job_status(store, JOB_ID) is JobStatus.KILLED


def test_the_newest_attempt_speaks_until_a_success_is_published(store):
    write_outcome(store, 2, JobStatus.KILLED)
    write_outcome(store, 10, JobStatus.FAILED)
    assert attempt_numbers(store, JOB_ID) == (2, 10)
    assert published_outcome(store, JOB_ID).attempt == 10

    success = write_outcome(store, 11, JobStatus.SUCCEEDED)
    published = store.job_folder(JOB_ID) / "outcome.json"
    assert store.link(success, published) is True
    later = write_outcome(store, 12, JobStatus.FAILED)
    assert store.link(later, published) is False

    assert published_outcome(store, JOB_ID).attempt == 11
    assert job_status(store, JOB_ID) is JobStatus.SUCCEEDED


@pytest.mark.parametrize("name", ["last", JOB_ID, "job-2026", "2026"])
def test_a_job_is_found_by_id_beginning_or_as_the_last(store, name):
    assert find_job(store, name) == JOB_ID


def test_a_name_for_no_job_or_for_several_is_refused(store):
    with pytest.raises(RecordNotFoundError):
        find_job(store, "job-1999")
    with pytest.raises(RecordNotFoundError):
        find_job(store, "")
    store.save(
        plan(WISH, job_id=OTHER_ID, at=AT), store.job_folder(OTHER_ID) / "job.json"
    )
    with pytest.raises(JobError, match="begins 2 jobs"):
        find_job(store, "job-20261101-000000-ab")
    with pytest.raises(RecordNotFoundError):
        load_job(store, "job-20261101-000000-zzzz")


def test_a_folder_appears_whole_or_not_at_all(tmp_path):
    store = FileStore(tmp_path / ".mlops")
    place = store.job_folder(JOB_ID)

    def fill(*, fails):
        with store.whole_folder(place) as draft:
            (draft / "a").touch()
            assert not place.exists()
            if fails:
                raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        fill(fails=True)
    assert list(place.parent.iterdir()) == []
    fill(fails=False)
    assert [path.name for path in place.iterdir()] == ["a"]

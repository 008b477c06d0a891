"""The runs of a project and their stage."""

from __future__ import annotations

import os
import time

import pytest

from nbship.adapters.store.files import FileStore
from nbship.records.overview import LastMetric, Overview, Stage
from nbship.records.run import RunStatus
from nbship.workflow.overview import RunsOverview
from support.runs import write_release, write_run

JOB = "job-20261101-000000-0000"


@pytest.fixture
def store(tmp_path):
    return FileStore(tmp_path / ".mlops")


def test_an_empty_store_has_no_rows(store):
    assert RunsOverview(store).look() == Overview()


def test_the_stage_is_told_by_origin_and_release(store):
    live = write_run(store, 1)
    papermill = write_run(store, 2, origin="papermill")
    job = write_run(store, 3, origin="job", job_id="job-20261101-000000-0009")
    shipped = write_run(store, 4, origin="job", job_id=JOB)
    write_release(store, version="1.0.0", job_id=JOB, run_id=shipped)
    write_release(store, version="1.0.1", job_id=JOB, run_id=shipped)

    rows = RunsOverview(store).look().rows

    assert [(row.id, row.stage, row.releases) for row in rows] == [
        (shipped, Stage.PRODUCTION, ("penguins 1.0.0", "penguins 1.0.1")),
        (job, Stage.TEST, ()),
        (papermill, Stage.DESIGN, ()),
        (live, Stage.DESIGN, ()),
    ]


def test_a_row_holds_status_cause_and_last_metrics(store):
    write_run(
        store,
        1,
        status="failed",
        metrics={"loss": 0.25, "auc": float("nan")},
        job_id=None,
    )
    (row,) = RunsOverview(store).look().rows
    assert (row.status, row.cause) == (RunStatus.FAILED, "ValueError: no rows are left")
    assert row.metrics == (
        LastMetric(name="loss", value=0.25),
        LastMetric(name="auc", value=None),
    )
    assert row.started_at is not None
    assert row.ended_at is not None


def test_a_running_run_has_no_end(store):
    write_run(store, 1, status="running")
    (row,) = RunsOverview(store).look().rows
    assert (row.status, row.ended_at) == (RunStatus.RUNNING, None)


def test_only_the_newest_rows_are_read_and_all_are_counted(store):
    ids = [write_run(store, number) for number in range(5)]
    overview = RunsOverview(store).look(limit=2)
    assert [row.id for row in overview.rows] == ids[:2:-1]
    assert overview.total == 5


def test_a_journal_that_grew_is_read_again(store):
    run_id = write_run(store, 1, status="running")
    overview = RunsOverview(store)
    before = overview.look().rows
    write_run(store, 1, status="succeeded")
    assert before[0].status is RunStatus.RUNNING
    assert overview.look().rows[0].status is RunStatus.SUCCEEDED
    assert overview.look().rows[0].id == run_id


def test_an_unchanged_journal_is_not_read_again(store):
    run_id = write_run(store, 1)
    overview = RunsOverview(store)
    rows = overview.look().rows
    path = store.run_folder(run_id) / "journal.jsonl"
    seen = path.stat()
    path.write_bytes(b"x" * seen.st_size)
    os.utime(path, ns=(seen.st_atime_ns, seen.st_mtime_ns))
    assert overview.look().rows == rows


def test_a_line_cut_short_costs_only_itself(store):
    run_id = write_run(store, 1, metrics={"loss": 0.25})
    with (store.run_folder(run_id) / "journal.jsonl").open("ab") as file:
        file.write(b'{"kind": "metr')
    (row,) = RunsOverview(store).look().rows
    assert (row.metrics[0].value, row.damage) == (0.25, "")


def test_a_damaged_journal_tells_what_it_can(store):
    run_id = write_run(store, 1, metrics={"loss": 0.25})
    with (store.run_folder(run_id) / "journal.jsonl").open("ab") as file:
        file.write(b"[1, 2]\n")
    (row,) = RunsOverview(store).look().rows
    assert row.metrics == (LastMetric(name="loss", value=0.25),)
    assert row.damage == "a line is no event"


@pytest.mark.parametrize(
    "content",
    [b"", b"\0\0\n", b"{}\n", b'{"schema": "event/2"}\n', b"\xff\xfe\n"],
    ids=["empty", "zeros", "no event", "newer", "not UTF-8"],
)
def test_an_unreadable_journal_is_a_row_that_says_so(store, content):
    run_id = write_run(store, 1)
    good = write_run(store, 2)
    (store.run_folder(run_id) / "journal.jsonl").write_bytes(content)
    rows = RunsOverview(store).look().rows
    assert [row.id for row in rows] == [good, run_id]
    assert rows[1].status is None
    assert rows[1].damage


def test_a_run_without_a_journal_says_so(store):
    run_id = write_run(store, 1)
    (store.run_folder(run_id) / "journal.jsonl").unlink()
    (row,) = RunsOverview(store).look().rows
    assert row.damage


def test_a_damaged_manifest_is_a_remark(store):
    run_id = write_run(store, 1, origin="job", job_id=JOB)
    write_release(store, version="1.0.0", job_id=JOB, run_id=run_id).write_text("{")
    overview = RunsOverview(store).look()
    assert overview.rows[0].stage is Stage.TEST
    assert "manifest.json" in overview.remarks[0]


def test_a_second_look_at_hundreds_of_runs_is_quick(store):
    for number in range(300):
        write_run(store, number, metrics={"loss": number})
    overview = RunsOverview(store)
    overview.look(limit=300)
    began = time.process_time()
    assert len(overview.look(limit=300).rows) == 300
    assert time.process_time() - began < 0.2

"""Journals become runs."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from nbship.capture.folding import fold
from nbship.errors import RunError
from nbship.records.codec import to_json
from nbship.records.environment import Environment, GitState
from nbship.records.run import (
    Artifact,
    CellExecution,
    CellStatus,
    Event,
    EventKind,
    Metric,
    Run,
    RunStatus,
)

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
GIT = GitState(commit="a" * 40, branch="main", is_dirty=True)
ENVIRONMENT = Environment(
    python_version="3.12.1",
    implementation="CPython",
    executable="/usr/bin/python3",
    platform="Linux",
    machine="x86_64",
    cpus=2,
)


def journal(*steps: tuple[EventKind, dict]) -> list[Event]:
    return [
        Event(
            kind=kind,
            at=NOON + timedelta(seconds=second),
            monotonic_ns=second,
            pid=1,
            data=data,
        )
        for second, (kind, data) in enumerate(steps)
    ]


def cell(number: int, source: str = "x", **more) -> tuple[EventKind, dict]:
    data = {"execution_id": f"{number}-c{number}", "cell_id": f"c{number}"}
    return EventKind.CELL_STARTED, {
        **data,
        "source": source,
        "execution_count": number,
        **more,
    }


def ended(number: int, status: str = "ok", **more) -> tuple[EventKind, dict]:
    data = {"execution_id": f"{number}-c{number}", "status": status, "duration_s": 0.5}
    return EventKind.CELL_ENDED, {**data, **more}


START = (
    EventKind.RUN_STARTED,
    {"run_id": "r", "experiment": "e", "notebook": "n.ipynb", "origin": "live"},
)


def test_a_whole_journal_becomes_a_whole_run():
    error = {"ename": "E", "evalue": "v", "traceback": []}
    run = fold(
        "r",
        journal(
            START,
            (EventKind.GIT, to_json(GIT)),
            cell(1, "a=1", tags=["parameters"]),
            (EventKind.VALUE, {"name": "a", "value": 1}),
            ended(1),
            cell(2, "fit()"),
            (EventKind.METRIC, {"name": "loss", "value": 0.5, "step": 3, "unit": "s"}),
            (EventKind.TAG, {"name": "t", "value": "v"}),
            (EventKind.NOTE, {"text": "n"}),
            ended(2, "failed", error=error),
            (
                EventKind.ARTIFACT,
                {"name": "m", "digest": "d", "size_bytes": 1, "path": "m"},
            ),
            (EventKind.DATA, {"path": "x.csv", "digest": "d", "size_bytes": 2}),
            (EventKind.ENVIRONMENT, to_json(ENVIRONMENT)),
            (EventKind.RUN_ENDED, {"status": "failed", "cause": "why"}),
        ),
    )
    assert run == Run(
        id="r",
        experiment="e",
        notebook="n.ipynb",
        origin="live",
        status=RunStatus.FAILED,
        started_at=NOON,
        ended_at=NOON + timedelta(seconds=13),
        cause="why",
        values={"a": 1},
        tags={"t": "v"},
        notes=("n",),
        metrics=(
            Metric(
                name="loss",
                value=0.5,
                at=NOON + timedelta(seconds=6),
                step=3,
                unit="s",
                execution_id="2-c2",
            ),
        ),
        artifacts=(Artifact(name="m", digest="d", size_bytes=1, path="m"),),
        data=(Artifact(name="x.csv", digest="d", size_bytes=2, path="x.csv"),),
        cells=(
            CellExecution(
                id="1-c1",
                cell_id="c1",
                source="a=1",
                status=CellStatus.OK,
                started_at=NOON + timedelta(seconds=2),
                duration_s=0.5,
                execution_count=1,
                tags=("parameters",),
            ),
            CellExecution(
                id="2-c2",
                cell_id="c2",
                source="fit()",
                status=CellStatus.FAILED,
                started_at=NOON + timedelta(seconds=5),
                duration_s=0.5,
                execution_count=2,
                error=error,
            ),
        ),
        git=GIT,
        environment=ENVIRONMENT,
    )


def test_a_run_without_an_end_is_running_and_so_is_its_cell():
    run = fold("r", journal(START, cell(1)))
    assert (run.status, run.cells[0].status) == (RunStatus.RUNNING, CellStatus.RUNNING)


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("killed", CellStatus.KILLED),
        ("failed", CellStatus.FAILED),
        ("interrupted", CellStatus.INTERRUPTED),
        ("succeeded", CellStatus.OK),
    ],
)
def test_the_cell_in_flight_shares_the_fate_of_its_run(status, expected):
    events = journal(START, cell(1), (EventKind.RUN_ENDED, {"status": status}))
    assert fold("r", events).cells[0].status is expected


def test_the_first_end_of_a_run_counts():
    events = journal(
        START,
        (EventKind.RUN_ENDED, {"status": "succeeded"}),
        (EventKind.RUN_ENDED, {"status": "killed", "cause": "late"}),
    )
    assert fold("r", events).status is RunStatus.SUCCEEDED


def test_a_thread_that_logs_after_its_cell_logs_for_the_latest_cell():
    metric = (EventKind.METRIC, {"name": "m", "value": 1})
    run = fold("r", journal(START, cell(1), ended(1), metric, cell(2), metric))
    assert [m.execution_id for m in run.metrics] == ["1-c1", "2-c2"]


def test_a_cell_that_ran_twice_stands_there_twice():
    again = cell(2, cell_id="c1")
    run = fold("r", journal(START, cell(1), ended(1), again, ended(2)))
    assert [c.cell_id for c in run.cells] == ["c1", "c1"]


def test_the_last_value_and_the_last_tag_of_a_name_count():
    run = fold(
        "r",
        journal(
            START,
            (EventKind.VALUE, {"name": "a", "value": 1}),
            (EventKind.VALUE, {"name": "a", "value": 2}),
            (EventKind.TAG, {"name": "t", "value": 1}),
            (EventKind.TAG, {"name": "t", "value": 2}),
        ),
    )
    assert (run.values, run.tags) == ({"a": 2}, {"t": "2"})


def test_start_inside_a_job_renames_the_experiment_and_nothing_else():
    run = fold("r", journal(START, (EventKind.RUN_STARTED, {"experiment": "other"})))
    assert (run.experiment, run.started_at, run.origin) == ("other", NOON, "live")


def test_a_journal_without_a_start_is_no_run():
    with pytest.raises(RunError, match="no run_started"):
        fold("r", journal((EventKind.NOTE, {"text": "x"})))


def test_an_end_of_an_unknown_cell_is_passed_over():
    assert fold("r", journal(START, ended(7))).cells == ()

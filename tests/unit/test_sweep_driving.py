"""Driving a sweep: each point has one job, nothing runs twice, what is known is taken."""

from __future__ import annotations

import json

import pytest

from nbship.errors import JobError
from nbship.jobs.sweeps import Ask, ListedSearch, grid_points
from nbship.records.job import JobStatus
from nbship.records.run import RunStatus
from nbship.records.sweep import Pruning, Sampler
from nbship.workflow.attempts import close_abandoned
from nbship.workflow.jobs import load_job, published_outcome
from nbship.workflow.recording import Recorder
from nbship.workflow.submission import make_attempt
from nbship.workflow.sweep_driving import drive, stop
from nbship.workflow.sweep_results import ranked_rows, sweep_results
from nbship.workflow.sweeping import find_sweep, load_sweep, points_of
from support.sweep_hands import Hands


def score(values):
    if values["depth"] == 3:
        raise ValueError("three is refused")
    return {"acc": values["lr"] * values["depth"]}


@pytest.fixture
def hands(tmp_path):
    return Hands(tmp_path / "project", result=score)


def run(hands, sweep, **machine):
    return list(drive(sweep, hands.machine(**machine)))


def results(hands, sweep):
    return sweep_results(hands.store, hands.queue, sweep)


def test_every_point_of_a_grid_gets_one_job_and_one_row(hands):
    sweep = hands.plan(lr="0.1,0.5", depth="2..4")
    standings = run(hands, sweep)

    found = results(hands, sweep)
    assert hands.done == grid_points(sweep.space)
    assert standings[-1].settled == standings[-1].total == 6
    assert [row.status for row in found.rows] == [
        "succeeded",
        "failed",
        "succeeded",
    ] * 2
    assert (found.metric, found.direction, found.best) == ("acc", "maximize", 6)
    assert [row.number for row in ranked_rows(found)] == [6, 4, 3, 1, 2, 5]
    assert found.rows[1].cause == "ValueError: three is refused"
    assert all((hands.store.folder / row.executed).is_file() for row in found.rows)
    assert load_sweep(hands.store, find_sweep(hands.store, "last")) == sweep


def test_a_job_is_the_sweeps_plan_with_other_values(hands):
    sweep = hands.plan(lr="0.1,0.5", depth="7")
    run(hands, sweep)

    for point in points_of(hands.store, sweep.id):
        job = load_job(hands.store, point.job_id)
        folder = hands.store.job_folder(job.id)
        assert job.values == {"depth": 7, **point.values}
        assert (job.sweep_id, job.snapshot_digest) == (sweep.id, sweep.snapshot_digest)
        assert job.shared_cells == sweep.shared_cells == ("parameters", "c1")
        assert (folder / "input.ipynb").read_bytes() == hands.notebook.read_bytes()
        assert (folder / "lock.json").is_file()
    assert sweep.sharing_ends == "cell c2, line 1: it mentions lr"


def test_an_equal_job_that_succeeded_is_taken_and_one_that_failed_is_tried_again(hands):
    run(hands, hands.plan(lr="0.1", depth="2,3"))
    hands.done.clear()

    sweep = hands.plan(lr="0.1,0.5", depth="2,3")
    run(hands, sweep)

    assert {"lr": 0.1, "depth": 2} not in hands.done
    assert len(hands.done) == 3
    rows = results(hands, sweep).rows
    assert [row.is_reused for row in rows] == [True, False, False, False]


def test_a_driver_that_is_gone_is_followed_by_one_that_repeats_nothing(hands):
    hands.at_most = 2
    sweep = hands.plan(lr="0.1,0.5", depth="2..4")
    driving = drive(sweep, hands.machine())
    next(driving)
    driving.close()
    assert len(hands.done) == 2

    hands.at_most = None
    run(hands, sweep)

    assert sorted(map(str, hands.done)) == sorted(map(str, grid_points(sweep.space)))
    run(hands, sweep)
    assert len(hands.done) == 6


def test_a_job_that_was_killed_or_given_up_is_attempted_again_on_resume(hands):
    hands.at_most = 0
    sweep = hands.plan(lr="0.1,0.5", depth="2")
    machine = hands.machine()
    driving = drive(sweep, machine)
    next(driving)
    driving.close()
    first, second = points_of(hands.store, sweep.id)
    attempt = make_attempt(
        hands.store, first.job_id, project=hands.folder, clock=hands.clock
    )
    hands.queue.take(first.job_id, attempt=1)
    close_abandoned(hands.store, attempt, clock=hands.clock, process="the worker")
    assert stop(sweep, machine) == sorted([first.job_id, second.job_id])
    for point in (first, second):
        hands.queue.drop(point.job_id)
    statuses = [row.status for row in results(hands, sweep).rows]
    assert statuses == ["killed", "waiting"]

    hands.at_most = None
    run(hands, sweep)

    assert [row.status for row in results(hands, sweep).rows] == ["succeeded"] * 2


def test_two_drivers_do_not_drive_one_sweep(hands):
    sweep = hands.plan(lr="0.1,0.5", depth="2")
    driving = drive(sweep, hands.machine())
    next(driving)
    with pytest.raises(JobError, match="another process drives it"):
        next(drive(sweep, hands.machine()))
    driving.close()


class Twice(ListedSearch):
    """Proposes the same points again, as a search that learns may; notes what it is told."""

    def __init__(self):
        super().__init__([{"lr": 0.1}, {"lr": 0.5}, {"lr": 0.1}, {"lr": 0.9}])
        self.told = {}
        self.begun = {}

    def begin(self, number, values):
        self.begun[number] = dict(values)

    def tell(self, number, value, *, is_pruned):
        self.told[number] = None if is_pruned else value


def test_a_search_keeps_as_many_jobs_under_way_as_there_are_workers(hands):
    hands.at_most = 0
    sweep = hands.plan(
        Ask(sampler=Sampler.OPTUNA, samples=4, metric="acc", direction="maximize"),
        lr="0..1",
        depth="2",
    )
    search = Twice()
    driving = drive(sweep, hands.machine(workers=2, search=lambda *_: search))
    assert next(driving).chosen == 2
    hands.at_most = None
    assert list(driving)[-1].settled == 4
    assert len(hands.done) == 3
    assert search.told == {1: 0.2, 2: 1.0, 3: 0.2, 4: 1.8}

    again = Twice()
    run(hands, sweep, search=lambda *_: again)
    assert again.begun == {
        1: {"lr": 0.1},
        2: {"lr": 0.5},
        3: {"lr": 0.1},
        4: {"lr": 0.9},
    }
    assert again.told == search.told
    assert len(hands.done) == 3


def test_a_running_job_that_falls_behind_is_given_up_and_its_outcome_says_pruned(hands):
    class Strict(ListedSearch):
        reports: list = []  # noqa: RUF012  # a test's

        def report(self, number, *, step, value):
            self.reports.append((number, step, value))
            return value < 0.5

    hands.at_most = 0
    sweep = hands.plan(
        Ask(metric="acc", direction="maximize", is_pruning=True),
        lr="0.1,0.5",
        depth="2",
    )
    driving = drive(
        sweep, hands.machine(search=lambda *_: Strict(grid_points(sweep.space)))
    )
    next(driving)
    slow, good = points_of(hands.store, sweep.id)
    attempts = {}
    for point in (slow, good):
        attempt = attempts[point.job_id] = make_attempt(
            hands.store, point.job_id, project=hands.folder, clock=hands.clock
        )
        hands.queue.take(point.job_id, attempt=1)
        recorder = Recorder(
            hands.store, attempt.run_id, hands.store.journal(attempt.run_id)
        )
        recorder.start(origin="job")
        for value in (0.9, 0.4 if point is slow else 0.8):
            recorder.metric("acc", value)
        recorder.metric("other", 0.0)
    next(driving)
    assert Strict.reports == [(1, 1, 0.9), (1, 2, 0.4), (2, 1, 0.9), (2, 2, 0.8)]
    assert hands.queue.ticket(slow.job_id).state == "cancelled"
    assert hands.queue.ticket(good.job_id).state == "running"
    note = hands.store.load(
        Pruning, hands.store.attempt_folder(slow.job_id, 1) / "pruning.json"
    )
    assert (note.metric, note.value, note.step) == ("acc", 0.4, 2)

    for point, status in ((slow, RunStatus.INTERRUPTED), (good, RunStatus.INTERRUPTED)):
        attempt = attempts[point.job_id]
        Recorder(hands.store, attempt.run_id, hands.store.journal(attempt.run_id)).end(
            status, "interrupted in cell c2"
        )
        close_abandoned(hands.store, attempt, clock=hands.clock, process="the worker")
        hands.queue.drop(point.job_id)
    list(driving)

    outcome = published_outcome(hands.store, slow.job_id)
    assert outcome.status is JobStatus.PRUNED
    assert outcome.cause == (
        "pruned: acc was 0.4 at step 2, behind the median of earlier jobs"
    )
    assert published_outcome(hands.store, good.job_id).status is JobStatus.INTERRUPTED
    assert results(hands, sweep).best is None


def test_a_job_that_ended_by_itself_before_it_was_given_up_keeps_its_own_end(hands):
    note = Pruning(
        metric="acc", value=0.1, step=1, cause="pruned: late", at=hands.clock.now()
    )

    def noted(values):
        for folder in hands.store.folder.glob("jobs/*/attempts/1"):
            hands.store.save(note, folder / "pruning.json")
        return score(values)

    hands.result = noted
    sweep = hands.plan(lr="0.1", depth="2,3")
    run(hands, sweep)

    statuses = [row.status for row in results(hands, sweep).rows]
    assert statuses == ["succeeded", "failed"]


def test_a_success_without_the_metric_says_so_and_is_not_the_best(hands):
    hands.result = lambda values: {"loss": 1.0} if values["lr"] == 0.5 else {"acc": 0.1}
    sweep = hands.plan(Ask(metric="acc", direction="maximize"), lr="0.1,0.5", depth="2")
    run(hands, sweep)
    found = results(hands, sweep)
    assert found.best == 1
    assert found.rows[1].cause == "it logged no acc"


def test_the_record_of_a_sweep_holds_what_was_asked(hands):
    ask = Ask(sampler=Sampler.RANDOM, samples=2, metric="acc")
    sweep = hands.plan(ask, lr="0..1", depth="2")
    path = hands.store.record_path(sweep.id) / "sweep.json"
    record = json.loads(path.read_text())
    assert record["schema"] == "sweep/1"
    assert record["sampler"] == "random"
    assert record["values"] == {"depth": 2}
    assert record["space"][0]["text"] == "0..1"
    assert (record["samples"], record["metric"], record["seed"]) == (2, "acc", 0)

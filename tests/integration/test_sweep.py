"""Sweeps with real kernels: planned, queued, executed, compared, resumed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys

import pytest

from nbship.adapters.store.files import FileStore
from nbship.adapters.store.queue import SqliteQueue
from nbship.records.job import JobStatus
from nbship.workflow.jobs import attempt_numbers, published_outcome
from nbship.workflow.sweeping import points_of
from support.html import Page
from support.live_kernel import LiveKernel
from support.notebook_files import wait_for, write_notebook
from support.project import Project

pytestmark = pytest.mark.kernel

PARAMETERS = """
from typing import Literal
lr: float = 0.1
depth: int = 3
how: Literal["mean", "max"] = "mean"
"""
LOGS = """
import nbship
assert depth != 4, "four is refused"
nbship.log(accuracy=lr * depth, direction="maximize")
"""


@pytest.fixture
def project(tmp_path):
    made = Project(tmp_path / "project", settings="trackers = []\n")
    yield made
    give_up(made)


def give_up(project):
    """Give up what is queued still; the supervisor ends by itself."""
    for ticket in SqliteQueue(FileStore(project.store)).tickets():
        project.call("cancel", ticket.job_id)  # it may have settled by now


def store_of(project):
    return FileStore(project.store)


def only_sweep(project):
    (sweep_id,) = store_of(project).ids("sweep")
    return sweep_id


def test_a_grid_is_executed_and_compared(project):
    write_notebook(project.folder / "train.ipynb", LOGS, parameters=PARAMETERS)

    done = project.call("sweep", "train.ipynb", "-p", "lr=0.1,0.5", "-p", "depth=2..4")

    assert done.returncode == 1, done.stderr  # depth 4 failed
    assert "6 jobs: 4 succeeded, 2 failed" in done.stdout
    lines = done.stdout.split("\n")
    assert lines[2].split()[:5] == ["*", "5", "0.5", "3", "1.5"]
    assert "AssertionError: four is refused in cell c1" in done.stdout
    data = json.loads(project.must("sweep", "--show", "last", "--json"))
    assert [row["status"] for row in data["rows"]] == [
        "succeeded",
        "succeeded",
        "failed",
    ] * 2
    assert (data["metric"], data["direction"], data["best"]) == (
        "accuracy",
        "maximize",
        5,
    )

    text = (project.store / "sweeps" / only_sweep(project) / "sweep.html").read_text()
    page = Page(text)
    links = [a.attributes["href"] for a in page.all("a")]
    assert len(links) == 6
    folder = project.store / "sweeps" / only_sweep(project)
    for link in links:
        executed = json.loads((folder / link).read_text())
        assert executed["metadata"]["papermill"]["parameters"]["lr"] in {0.1, 0.5}
    assert not page.all("script")

    again = project.must(
        "sweep",
        "train.ipynb",
        "-p",
        "lr=0.1,0.5",
        "-p",
        "depth=2,3",
        "--html",
        "out.html",
    )
    assert again.count("(reused)") == 4
    handed_on = Page((project.folder / "out.html").read_text())
    for link in handed_on.all("a"):
        assert (project.folder / link.attributes["href"]).is_file()
    assert "grid" in project.must("sweeps")


def test_everything_wrong_is_told_before_anything_is_written(project):
    write_notebook(project.folder / "train.ipynb", LOGS, parameters=PARAMETERS)

    done = project.call(
        "sweep",
        "train.ipynb",
        "-p",
        "lrr=1,2",
        "-p",
        "depth=x",
        "-p",
        "how=*",
        "--prune",
    )

    assert done.returncode == 3
    assert "did you mean 'lr'?" in done.stderr
    assert "depth = x" in done.stderr
    assert "--prune: --metric says which metric is compared" in done.stderr
    assert not (project.store / "sweeps").exists()
    assert not (project.store / "jobs").exists()


SLOW = """
import time, nbship
from pathlib import Path
with Path("ran.txt").open("a") as file:
    file.write(f"{lr}\\n")
while lr > 0.25 and not Path("go").exists():
    time.sleep(0.05)
nbship.log(accuracy=lr, direction="maximize")
"""


def start_sweep(project, *words):
    command = [sys.executable, "-m", "nbship.faces.cli", "sweep", *words]
    return subprocess.Popen(
        command,
        cwd=project.folder,
        env=project.environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),  # noqa: PLW1509
    )


def settled_count(project):
    outcomes = project.store.glob("jobs/*/attempts/*/outcome.json")
    return len(list(outcomes))


def test_a_driver_killed_in_the_middle_is_resumed_and_nothing_runs_twice(project):
    write_notebook(project.folder / "train.ipynb", SLOW, parameters=PARAMETERS)
    process = start_sweep(
        project, "train.ipynb", "-p", "lr=0.1,0.2,0.3,0.4", "--workers", "2"
    )
    wait_for(lambda: settled_count(project) == 2)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate(timeout=60)

    (project.folder / "go").touch()
    text = project.must("sweep", "--resume", "last")

    assert "4 jobs: 4 succeeded" in text
    ran = (project.folder / "ran.txt").read_text().split()
    assert sorted(ran) == ["0.1", "0.2", "0.3", "0.4"]
    store = store_of(project)
    for point in points_of(store, only_sweep(project)):
        assert attempt_numbers(store, point.job_id) == (1,)


@pytest.mark.full
def test_ctrl_c_gives_the_rest_up_and_resume_goes_on(project):
    write_notebook(project.folder / "train.ipynb", SLOW, parameters=PARAMETERS)
    process = start_sweep(
        project, "train.ipynb", "-p", "lr=0.1,0.3,0.4", "--workers", "2"
    )
    wait_for(
        lambda: (
            settled_count(project) == 1
            and "0.3" in (project.folder / "ran.txt").read_text()
        )
    )
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=90)
    assert "goes on" in out
    assert process.returncode == 1

    (project.folder / "go").touch()
    assert "3 jobs: 3 succeeded" in project.must("sweep", "--resume", "last")


LEARNS = """
import time
from pathlib import Path
%load_ext nbship
for epoch in range(1, 6):
    level = lr * epoch
    %mlops log accuracy=level --step epoch --direction maximize
while lr < 0.5 and not Path("go").exists():
    time.sleep(0.05)
"""


def test_a_job_that_falls_behind_is_pruned_and_is_no_failure(project):
    write_notebook(project.folder / "train.ipynb", LEARNS, parameters=PARAMETERS)

    done = project.call(
        "sweep", "train.ipynb", "-p", "lr=1,2,3,4,5,6,0.1",
        "--metric", "accuracy", "--prune", "--workers", "1",
    )  # fmt: skip

    assert done.returncode == 0, done.stdout + done.stderr
    assert "7 jobs: 6 succeeded, 1 pruned" in done.stdout
    store = store_of(project)
    outcomes = [
        published_outcome(store, p.job_id)
        for p in points_of(store, only_sweep(project))
    ]
    pruned = outcomes[-1]
    assert pruned.status is JobStatus.PRUNED
    assert pruned.cause.startswith("pruned: accuracy was 0.")
    assert [outcome.status for outcome in outcomes[:-1]] == [JobStatus.SUCCEEDED] * 6
    assert "pruned" in project.must("jobs")


@pytest.mark.full
def test_optuna_learns_and_is_resumed_from_the_jobs(project):
    score = (
        "import nbship\n"
        "nbship.log(loss=(lr - 0.3) ** 2 + (depth - 4) ** 2, direction='minimize')"
    )
    write_notebook(project.folder / "train.ipynb", score, parameters=PARAMETERS)
    words = ["-p", "lr=0.01..1:log", "-p", "depth=2..8", "--sampler", "optuna"]
    process = start_sweep(
        project, "train.ipynb", *words, "--samples", "16", "--metric", "loss"
    )
    wait_for(lambda: settled_count(project) >= 5)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate(timeout=60)

    data = json.loads(project.must("sweep", "--resume", "last", "--json"))

    assert [row["status"] for row in data["rows"]] == ["succeeded"] * 16
    assert data["direction"] == "minimize"
    best = data["rows"][data["best"] - 1]
    assert best["metrics"]["loss"] == min(
        row["metrics"]["loss"] for row in data["rows"]
    )
    store = store_of(project)
    jobs = {point.job_id for point in points_of(store, only_sweep(project))}
    assert all(attempt_numbers(store, job_id) == (1,) for job_id in jobs)


@pytest.mark.full
def test_a_detached_sweep_goes_on_by_itself(project):
    write_notebook(project.folder / "train.ipynb", LOGS, parameters=PARAMETERS)
    text = project.must("sweep", "train.ipynb", "-p", "lr=0.1,0.5", "--detach")
    assert "is under way" in text
    wait_for(lambda: settled_count(project) == 2)
    shown = wait_for(
        lambda: (
            "2 succeeded" in (told := project.must("sweep", "--show", "last")) and told
        )
    )
    assert "accuracy" in shown


@pytest.mark.full
def test_in_a_notebook_a_sweep_answers_with_a_widget_that_has_a_text(project):
    write_notebook(project.folder / "train.ipynb", LOGS, parameters=PARAMETERS)
    kernel = LiveKernel(project.folder)
    try:
        kernel.run("%load_ext nbship")
        reply = kernel.run("%mlops sweep train.ipynb -p lr=0.1,0.5")
    finally:
        kernel.close()

    shown = [c for kind, c in reply.messages if kind == "display_data"][-1]["data"]
    assert "2 jobs: 2 succeeded" in shown["text/plain"]
    assert "<svg" in shown["text/html"]
    assert "application/vnd.jupyter.widget-view+json" in shown

"""Supervisors and workers are killed while 40 jobs run: none is lost, none runs twice at once."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path

import pytest

from nbship.adapters.probes.processes import holders_of
from nbship.records.job import JobStatus, Outcome
from nbship.workbench import Workbench
from nbship.workflow.jobs import attempt_numbers, job_status, published_outcome
from nbship.workflow.queueing import settled
from support.gpus import machine
from support.notebook_files import wait_for, write_notebook
from support.project import Project

pytestmark = [pytest.mark.full, pytest.mark.kernel]

JOBS, KILLS = 40, 20
TARGETS = ("supervisor", "worker", "both")

PARAMETERS = "k: int = 0\nplace: str = ''"
#: the kernel holds a lock of its own per job, and per GPU, as long as it lives
BEGIN = """
import fcntl, os, time
def say(text):
    with open(f"{place}/said.txt", "a") as file:
        file.write(text + "\\n")
def alone(name):
    file = open(f"{place}/{name}.held", "a")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        say(f"overlap {name}")
    return file
gpus = [name for name in os.environ["CUDA_VISIBLE_DEVICES"].split(",") if name]
held = [alone(name) for name in (f"job-{k}", *gpus)]
say(f"begin {k} {len(gpus)}")
"""
END = "say(f'end {k}')"

PLAN = """
import sys
from pathlib import Path
from nbship.records.job import Resources
from nbship.workbench import Workbench
from nbship.workflow.queueing import enqueue
from nbship.workflow.submission import Request, submit
bench, place, count = Workbench.open(), sys.argv[1], int(sys.argv[2])
data, snapshot = bench.notebook(Path("in.ipynb"))
job_ids = []
for k in range(count):
    request = Request(
        notebook=Path("in.ipynb"), data=data, snapshot=snapshot,
        texts={"k": str(k), "place": place}, project=bench.settings.project,
        resources=Resources(gpus=int(k % 4 == 0)),
    )
    surroundings = bench.surroundings
    job_ids.append(submit(
        request, store=bench.store, clock=bench.clock, surroundings=surroundings
    ).job.id)
enqueue(bench.queue, job_ids, losses=100)
print(*job_ids)
"""


@pytest.fixture
def project(tmp_path, monkeypatch):
    made = Project(tmp_path / "project", settings="trackers = []\n")
    gpus = machine(tmp_path, "gpu GPU-aaaa 16384 0 0 ok Stand-in")
    told = {**gpus.environ, "MLOPS_QUEUE_IDLE_S": "1", "MLOPS_QUEUE_BACKOFF_S": "0.05"}
    for name, value in told.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    write_notebook(
        made.folder / "in.ipynb", BEGIN, "time.sleep(0.5)", END, parameters=PARAMETERS
    )
    made.environ = {**made.environ, **told}
    made.environ.pop("CUDA_VISIBLE_DEVICES", None)
    return made


def planned(project, place):
    done = subprocess.run(
        [sys.executable, "-c", PLAN, str(place), str(JOBS)],
        cwd=project.folder,
        env=project.environ,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


def supervisors(store):
    return holders_of(store.folder / "supervisor.lock")


def workers(store):
    words = f"nbship.faces.worker\0{store.folder}\0".encode()
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if words in (process / "cmdline").read_bytes():
                found.append(int(process.name))
        except OSError:
            continue
    return found


def kill(store, target, choice):
    """Kill what is there of a target; return how many processes that were."""
    pids = list(supervisors(store)) if target != "worker" else []
    if target != "supervisor":
        pids += choice.sample(workers(store), min(1, len(workers(store))))
    for pid in pids:
        os.kill(pid, signal.SIGKILL)
    return len(pids)


def wreak_havoc(bench, choice, is_over):
    """Kill at random moments, each time while something runs; return the targets."""
    done = []
    while len(done) < KILLS and not is_over.is_set():
        time.sleep(choice.uniform(0.05, 1.2))
        target = choice.choice(TARGETS)
        if workers(bench.store) and kill(bench.store, target, choice):
            done.append(target)
            bench.start_supervisor()  # as the next one who submits would
    return done


def test_killed_supervisors_and_workers_lose_no_job_and_run_none_twice_at_once(
    project, tmp_path
):
    seed = int(os.environ.get("CHAOS_SEED") or random.SystemRandom().randrange(10**6))
    print(f"CHAOS_SEED={seed}")  # noqa: T201  # repeats the same moments
    bench = Workbench.over(project.store, project=project.folder)
    job_ids = planned(project, tmp_path)
    bench.start_supervisor(workers=2)
    choice = random.Random(seed)  # noqa: S311  # moments, no secrets
    is_over, kills = threading.Event(), []
    havoc = threading.Thread(
        target=lambda: kills.extend(wreak_havoc(bench, choice, is_over))
    )
    havoc.start()
    try:
        outcomes = {
            outcome.job_id: outcome
            for outcome in settled(
                bench.store,
                bench.queue,
                job_ids,
                timeout_s=280,
                revive=bench.start_supervisor,
            )
        }
    finally:
        is_over.set()
        havoc.join()
    print(f"kills: {dict(Counter(kills))}")  # noqa: T201

    store, said = bench.store, (tmp_path / "said.txt").read_text().splitlines()
    assert len(kills) == KILLS
    assert [line for line in said if line.startswith("overlap")] == []
    assert sorted(outcomes) == sorted(job_ids)
    assert {o.status for o in outcomes.values()} == {JobStatus.SUCCEEDED}
    ended = [int(line.split()[1]) for line in said if line.startswith("end")]
    assert set(ended) == set(range(JOBS))
    assert {line.split()[2] for line in said if line.startswith("begin")} == {"0", "1"}
    attempts = 0
    for job_id in job_ids:
        found = every_outcome(store, job_id)
        attempts += len(found)
        successes = [o for o in found if o.status is JobStatus.SUCCEEDED]
        assert len(successes) == 1
        assert published_outcome(store, job_id) == successes[0]
        assert all(o.is_lost for o in found if o is not successes[0])
        assert job_status(store, job_id) is JobStatus.SUCCEEDED
    print(f"{JOBS} jobs, {attempts} attempts, {len(ended)} came to the end")  # noqa: T201
    assert bench.queue.tickets() == ()
    wait_for(lambda: not supervisors(store) and not workers(store))
    locks = [*project.store.rglob("*.lock"), *tmp_path.glob("gpu-locks/*")]
    assert [path for path in locks if holders_of(path)] == []
    assert len([path for path in locks if path.name.startswith("GPU-")]) == 1


def every_outcome(store, job_id):
    numbers = attempt_numbers(store, job_id)
    folders = [store.attempt_folder(job_id, number) for number in numbers]
    return [store.load(Outcome, folder / "outcome.json") for folder in folders]


def test_a_killed_supervisor_leaves_the_attempt_at_hand_to_its_worker(
    project, tmp_path
):
    bench = Workbench.over(project.store, project=project.folder)
    source = "while not os.path.exists(f'{place}/go'): time.sleep(0.02)"
    write_notebook(
        project.folder / "in.ipynb", BEGIN, source, END, parameters=PARAMETERS
    )
    project.must("submit", "in.ipynb", "-p", f"place={tmp_path}", "--detach")
    (job_id,) = bench.store.ids("job")
    wait_for((tmp_path / "said.txt").exists)

    (pid,) = supervisors(bench.store)
    os.kill(pid, signal.SIGKILL)
    wait_for(lambda: not supervisors(bench.store))
    assert job_status(bench.store, job_id) is JobStatus.RUNNING
    listed = json.loads(project.must("queue", "--json"))
    (tmp_path / "go").touch()
    text = project.must("attach", job_id)

    assert [(one["job_id"], one["attempt"]) for one in listed] == [(job_id, 1)]
    assert f"{job_id} succeeded (attempt 1)" in text
    wait_for(lambda: not workers(bench.store))

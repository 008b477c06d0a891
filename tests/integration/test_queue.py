"""The queue as a user meets it: detach, order, cancel, attach, attempts, mirrors."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from nbship.adapters.probes.processes import holders_of
from nbship.adapters.store.files import FileStore
from nbship.adapters.store.ledger import SqliteLedger
from nbship.adapters.store.queue import SqliteQueue
from nbship.records.job import JobStatus, Outcome
from nbship.workflow.jobs import attempt_numbers, job_status, published_outcome
from support.notebook_files import wait_for, write_notebook
from support.project import Project

pytestmark = pytest.mark.kernel

WAITS = (
    "import os, time\nfrom pathlib import Path\nPath(f'began-{k}').touch()\n"
    "print('in it', flush=True)\nwhile not Path('go').exists(): time.sleep(0.02)"
)


@pytest.fixture
def project(tmp_path):
    made = Project(tmp_path / "project", settings="trackers = []\n")
    made.environ |= {"MLOPS_QUEUE_WORKERS": "1", "MLOPS_QUEUE_BACKOFF_S": "0.1"}
    write_notebook(made.folder / "waits.ipynb", WAITS, parameters="k: int = 0")
    return made


def detached(project, k, *words):
    text = project.must("submit", "waits.ipynb", "-p", f"k={k}", "--detach", *words)
    return text.split()[0]


def began(project, k):
    wait_for((project.folder / f"began-{k}").exists)


def test_detached_jobs_run_by_priority_and_are_listed_cancelled_and_attached_to(
    project,
):
    first = detached(project, 1)
    began(project, 1)
    second, third = detached(project, 2), detached(project, 3)
    urgent = detached(project, 4, "--priority", "5")

    listed = json.loads(project.must("queue", "--json"))
    again = project.call("submit", "waits.ipynb", "-p", "k=2")
    given_up = project.must("cancel", third)
    (project.folder / "go").touch()
    text = project.must("attach", second)

    assert "in it" in text  # its log
    assert [(one["job_id"], one["state"]) for one in listed] == [
        (urgent, "queued"),
        (first, "running"),
        (second, "queued"),
        (third, "queued"),
    ]
    assert again.returncode == 3
    assert f"{second} has this plan and is queued" in again.stderr
    assert f"{third} interrupted" in given_up
    assert f"{second} succeeded (attempt 1)" in text
    store = FileStore(project.store)
    assert published_outcome(store, third).cause == "cancelled before it began"
    assert not (project.folder / "began-3").exists()
    ended = {j: published_outcome(store, j).started_at for j in (first, urgent, second)}
    assert sorted(ended, key=ended.get) == [first, urgent, second]
    refused = project.call("cancel", second)
    assert (refused.returncode, "neither queued nor" in refused.stderr) == (3, True)


def test_a_running_job_that_is_cancelled_is_interrupted_and_its_worker_stays(project):
    project.environ["MLOPS_QUEUE_IDLE_S"] = "20"
    first = detached(project, 1)
    began(project, 1)
    (pid,) = workers_of(project)

    text = project.must("cancel", first)
    (project.folder / "go").touch()
    project.must("submit", "waits.ipynb", "-p", "k=2")

    assert f"{first} interrupted" in text
    store = FileStore(project.store)
    assert published_outcome(store, first).cell_id == "c1"
    log = store.attempt_folder(first, 1) / "log.txt"
    assert "in it" in log.read_text()
    assert workers_of(project) == [pid]


def workers_of(project):
    words = f"nbship.faces.worker\0{project.store}\0".encode()
    return [
        int(path.parent.name)
        for path in Path("/proc").glob("[0-9]*/cmdline")
        if words in _bytes(path)
    ]


def _bytes(path):
    try:
        return path.read_bytes()
    except OSError:
        return b""


def test_ctrl_c_leaves_a_job_alone_that_is_only_attached_to(project):
    first = detached(project, 1)
    began(project, 1)
    watching = subprocess.Popen(
        [sys.executable, "-m", "nbship.faces.cli", "attach", first],
        cwd=project.folder,
        env=project.environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),  # noqa: PLW1509
    )
    assert "attempt 1" in watching.stderr.readline()

    watching.send_signal(signal.SIGINT)
    text, _ = watching.communicate(timeout=60)

    assert f"{first} goes on" in text
    assert job_status(FileStore(project.store), first) is JobStatus.RUNNING
    (project.folder / "go").touch()
    followed = project.must("logs", "-f", first)
    assert "in it" in followed


def test_a_failure_is_repeated_as_often_as_asked_and_a_lost_attempt_by_itself(project):
    source = (
        "from pathlib import Path\nplace = Path('count')\n"
        "count = int(place.read_text()) + 1 if place.exists() else 1\n"
        "place.write_text(str(count))\nassert count > 2"
    )
    write_notebook(project.folder / "fails.ipynb", source)

    text = project.must("submit", "fails.ipynb", "--attempts", "3")

    assert "succeeded (attempt 3)" in text
    store = FileStore(project.store)
    (job_id,) = store.ids("job")
    first, second, third = outcomes(store, job_id)
    assert [o.status.value for o in (first, second, third)] == [
        "failed",
        "failed",
        "succeeded",
    ]
    pauses = [
        (second.started_at - first.ended_at).total_seconds(),
        (third.started_at - second.ended_at).total_seconds(),
    ]
    assert pauses[0] >= 0.1
    assert pauses[1] >= 0.2

    lost = detached(project, 1)
    began(project, 1)
    for pid in workers_of(project):
        os.kill(pid, signal.SIGKILL)
    wait_for(lambda: len(attempt_numbers(store, lost)) == 2)
    (project.folder / "go").touch()
    assert f"{lost} succeeded (attempt 2)" in project.must("attach", lost)
    assert [o.is_lost for o in outcomes(store, lost)] == [True, False]


def outcomes(store, job_id):
    numbers = attempt_numbers(store, job_id)
    folders = [store.attempt_folder(job_id, number) for number in numbers]
    return [store.load(Outcome, folder / "outcome.json") for folder in folders]


def test_a_job_has_the_environment_of_who_submitted_it_and_no_disk_sees_it(project):
    source = "import os\nprint(os.environ['MINE'], os.environ['OMP_NUM_THREADS'])"
    write_notebook(project.folder / "in.ipynb", source, parameters="k: int = 0")
    for k, value in enumerate(("canary-1", "canary-2")):
        project.environ["MINE"] = value
        words = ["-p", f"k={k}", "--cpus", "3"]
        project.must("submit", "in.ipynb", *words)

    store = FileStore(project.store)
    logs = [
        (store.attempt_folder(job_id, 1) / "log.txt").read_text()
        for job_id in store.ids("job")
    ]
    assert ["canary-1 3" in logs[0], "canary-2 3" in logs[1]] == [True, True]
    wait_for(lambda: not holders_of(project.store / "supervisor.lock"))
    kept = [path for path in project.store.glob("*") if path.is_file()]
    assert [path for path in kept if b"canary" in path.read_bytes()] == []
    assert [p for p in Path("/dev/shm").glob("nbship-*/*") if b"canary" in _bytes(p)] == []  # noqa: S108  # fmt: skip


def test_a_lost_database_loses_no_job(project):
    first = detached(project, 1)
    began(project, 1)
    second = detached(project, 2)
    (supervisor,) = holders_of(project.store / "supervisor.lock")
    os.kill(supervisor, signal.SIGKILL)
    wait_for(lambda: not holders_of(project.store / "supervisor.lock"))
    for path in project.store.glob("queue.sqlite*"):
        path.unlink()

    (project.folder / "go").touch()
    project.must("attach", second)

    store = FileStore(project.store)
    assert [job_status(store, j).value for j in (first, second)] == ["succeeded"] * 2
    assert [len(attempt_numbers(store, j)) for j in (first, second)] == [1, 1]
    wait_for(lambda: SqliteQueue(store).tickets() == ())


def test_one_process_mirrors_the_runs_of_all_jobs(project):
    (project.folder / "mlops.toml").write_text('trackers = ["mlflow", "wandb"]\n')
    project.environ |= {"MLOPS_QUEUE_WORKERS": "2", "MLOPS_QUEUE_IDLE_S": "20"}
    write_notebook(
        project.folder / "in.ipynb",
        "get_ipython().run_line_magic('load_ext', 'nbship')\n"
        "import nbship\nnbship.log(loss=k)",
        parameters="k: int = 0",
    )
    for k in range(3):
        project.must("submit", "in.ipynb", "-p", f"k={k}", "--detach")
    store = FileStore(project.store)

    shippers = set()

    def is_mirrored():
        shippers.update(shippers_of(project))
        mirrors = [
            mirror
            for run_id in store.ids("run")
            for mirror in SqliteLedger(project.store / "shipping.sqlite").mirrors(
                run_id
            )
        ]
        return len(mirrors) == 6 and all(mirror.is_closed for mirror in mirrors)

    wait_for(is_mirrored, timeout_s=180)
    assert len(shippers) == 1
    assert not list(project.store.glob("runs/*/shipper.log"))
    wait_for(lambda: not shippers_of(project))


def shippers_of(project):
    """List the shippers' pids; what they fork is none, though it looks so until it executes."""
    words = f"shipper\0{project.store}\0".encode()
    found = {
        path.parent.name: _parent(path.with_name("stat"))
        for path in Path("/proc").glob("[0-9]*/cmdline")
        if words in _bytes(path)
    }
    return [pid for pid, parent in found.items() if parent not in found]


def _parent(stat):
    fields = _bytes(stat).rpartition(b")")[2].split()
    return fields[1].decode() if fields else ""

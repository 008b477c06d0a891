"""Jobs as a user makes them: submit, reuse, rerun, logs; and what each leaves in the store."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys

import pytest

from nbship.adapters.store.files import FileStore
from nbship.records.digest import digest_file
from nbship.records.job import JobStatus, Outcome
from nbship.workflow.jobs import job_status, load_job, published_outcome
from support.live_kernel import LiveKernel
from support.notebook_files import (
    cells_of,
    journal_says,
    tree,
    wait_for,
    write_notebook,
)
from support.project import Project

pytestmark = pytest.mark.kernel

PARAMETERS = """
from datetime import date
from pathlib import Path
from typing import Literal
lr: float = 0.1  # learning rate
depth: int | None = None
how: Literal["mean", "max"] = "mean"
day: date = date(2024, 1, 2)
place: Path = Path("data")
layers: list[int] = [64]
"""


@pytest.fixture
def project(tmp_path):
    return Project(tmp_path / "project", settings="trackers = []\n")


def store_of(project):
    return FileStore(project.store)


def records_of(project):
    """Read jobs and runs; beside them the processes of the queue write what they learn."""
    files = tree(project.store)
    return {n: d for n, d in files.items() if n.startswith(("jobs/job-", "runs/"))}


def only_job(project):
    (job_id,) = store_of(project).ids("job")
    return job_id


def test_a_job_runs_with_typed_values_and_publishes_its_outcome_by_a_link(project):
    check = (
        "assert (lr, depth, how, day, place, layers) == "
        "(float('inf'), 7, 'max', date(2025, 3, 4), Path('a b'), [1, 2])\n"
        "from pathlib import Path\nPath('seen.txt').write_text(repr(day))"
    )
    write_notebook(project.folder / "in.ipynb", check, parameters=PARAMETERS)
    (project.folder / "other").mkdir()

    words = ["lr=inf", "depth=7", "how=max", "day=2025-03-04", "place=a b"]
    options = [part for word in words for part in ("-p", word)]
    text = project.must("submit", "in.ipynb", *options, "-p", "layers=[1, 2]")

    store, job_id = store_of(project), only_job(project)
    job, outcome = load_job(store, job_id), published_outcome(store, job_id)
    folder = store.job_folder(job_id)
    assert job.values["day"] == "2025-03-04"
    assert job.snapshot_digest == digest_file(project.folder / "in.ipynb")
    assert (outcome.status, outcome.attempt) == (JobStatus.SUCCEEDED, 1)
    assert outcome.lock_digest == job.lock_digest
    assert outcome.output_digest == digest_file(folder / "attempts/1/output.ipynb")
    published = folder / "outcome.json"
    assert published.samefile(folder / "attempts/1/outcome.json")
    assert (project.folder / "seen.txt").read_text() == "datetime.date(2025, 3, 4)"
    assert f".mlops/jobs/{job_id}/attempts/1/output.ipynb" in text.split()
    executed = json.loads((folder / "attempts/1/output.ipynb").read_text())
    assert executed["metadata"]["mlops"]["job_id"] == job_id
    assert executed["metadata"]["papermill"]["parameters"]["lr"] == "inf"
    assert "day = date.fromisoformat('2025-03-04')" in "".join(
        executed["cells"][1]["source"]
    )


def test_an_equal_job_is_reused_while_its_data_holds(project):
    write_notebook(
        project.folder / "in.ipynb", "print(open('d.csv').read())", parameters="x = 1"
    )
    data = project.folder / "d.csv"
    data.write_text("1")
    first = project.must("submit", "in.ipynb", "-p", "x=2")
    before = records_of(project)

    again = project.must("submit", "in.ipynb", "-p", "x=2")

    assert "reused" in again
    assert first.split()[0] == again.split()[0]
    assert records_of(project) == before

    forced = project.must("submit", "in.ipynb", "-p", "x=2", "--again")
    assert f"{first.split()[0]} succeeded (attempt 2)" in forced

    data.write_text("2")
    changed = project.must("submit", "in.ipynb", "-p", "x=2")
    assert changed.split()[0] != first.split()[0]
    other = project.must("submit", "in.ipynb", "-p", "x=3")
    assert "attempt 1" in other


def test_a_failed_job_says_why_and_gets_a_new_attempt(project):
    source = "print('so far')\nfrom pathlib import Path\nassert Path('ok').exists()"
    write_notebook(project.folder / "in.ipynb", source, "2")

    failed = project.call("submit", "in.ipynb")

    store, job_id = store_of(project), only_job(project)
    outcome = published_outcome(store, job_id)
    assert failed.returncode == 1
    assert outcome.status is JobStatus.FAILED
    assert outcome.cell_id == "c1"
    assert outcome.cause.startswith("AssertionError in cell c1")
    assert "AssertionError" in outcome.log_end
    assert "AssertionError" in failed.stdout
    assert not (store.job_folder(job_id) / "outcome.json").exists()
    cells = cells_of(store.attempt_folder(job_id, 1) / "output.ipynb")
    assert (cells["c1"][:2], cells["c2"][0]) == (("failed", True), "pending")

    (project.folder / "ok").touch()
    mended = project.must("submit", "in.ipynb")

    assert f"{job_id} succeeded (attempt 2)" in mended
    assert published_outcome(store, job_id).attempt == 2
    assert "succeeded  2" in project.must("jobs")
    assert "so far" in project.must("logs", "last")
    assert "AssertionError" in project.must("logs", job_id, "--attempt", "1")
    assert json.loads(project.must("jobs", "--json"))[0]["status"] == "succeeded"

    project.must("rerun", job_id)
    assert published_outcome(store, job_id).attempt == 2
    assert store.load(
        Outcome, store.attempt_folder(job_id, 3) / "outcome.json"
    ).status is JobStatus.SUCCEEDED  # fmt: skip


def test_a_kernel_killed_in_a_job_leaves_a_killed_outcome(project):
    kill = "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)"
    write_notebook(project.folder / "in.ipynb", "print('so far')", kill, "3")

    done = project.call("submit", "in.ipynb")

    outcome = published_outcome(store_of(project), only_job(project))
    assert done.returncode == 1
    assert (outcome.status, outcome.cell_id) == (JobStatus.KILLED, "c2")
    assert "killed by SIGKILL" in outcome.cause


def test_a_job_over_its_time_fails_with_the_limit_as_cause(project):
    write_notebook(project.folder / "in.ipynb", "import time\ntime.sleep(600)")

    done = project.call("submit", "in.ipynb", "--timeout-s", "2")

    outcome = published_outcome(store_of(project), only_job(project))
    assert done.returncode == 1
    assert "the job took longer than its limit of 2 s" in outcome.cause


SLEEPS = "import os, time\nprint('in it', os.getppid(), flush=True)\ntime.sleep(600)"


def submit_in_background(project):
    process = subprocess.Popen(
        [sys.executable, "-m", "nbship.faces.cli", "submit", "in.ipynb"],
        cwd=project.folder,
        env=project.environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),  # noqa: PLW1509
    )
    wait_for(lambda: journal_says(project.store, '"text": "in it'))
    return process


def worker_pid(project):
    (journal,) = project.store.glob("runs/*/journal.jsonl")
    return json.loads(journal.read_text().splitlines()[0])["pid"]


def test_a_worker_killed_leaves_an_outcome_that_names_the_cell(project):
    project.environ["MLOPS_QUEUE_LOSSES"] = "0"
    write_notebook(project.folder / "in.ipynb", SLEEPS)
    process = submit_in_background(project)
    store, job_id = store_of(project), only_job(project)
    assert job_status(store, job_id) is JobStatus.RUNNING

    os.kill(worker_pid(project), signal.SIGKILL)
    process.communicate(timeout=60)

    outcome = published_outcome(store, job_id)
    assert process.returncode == 1
    assert (outcome.status, outcome.cell_id) == (JobStatus.KILLED, "c1")
    assert job_status(store, job_id) is JobStatus.KILLED


def test_ctrl_c_interrupts_the_job(project):
    write_notebook(project.folder / "in.ipynb", SLEEPS)
    process = submit_in_background(project)

    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)

    outcome = published_outcome(store_of(project), only_job(project))
    assert process.returncode == 1
    assert (outcome.status, outcome.cell_id) == (JobStatus.INTERRUPTED, "c1")


def test_an_attempt_is_worked_on_once(project):
    write_notebook(project.folder / "in.ipynb", SLEEPS)
    process = submit_in_background(project)
    store, job_id = store_of(project), only_job(project)
    folder = store.attempt_folder(job_id, 1)

    second = project.call("exec", folder)
    other = project.call("rerun", job_id)
    equal = project.call("submit", "in.ipynb")

    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)
    third = project.call("exec", folder)
    assert [x.returncode for x in (second, other, equal, third)] == [3, 3, 3, 3]
    assert "is taken" in second.stderr
    assert "is running" in other.stderr
    assert len(store.ids("job")) == 1


def test_a_submit_from_a_run_records_a_run_of_its_own(project):
    write_notebook(
        project.folder / "in.ipynb", "import os\nos.environ['MLOPS_RUN_DIR']"
    )
    project.environ["MLOPS_RUN_DIR"] = str(project.folder / "elsewhere")

    project.must("submit", "in.ipynb")

    store = store_of(project)
    outcome = published_outcome(store, only_job(project))
    executed = cells_of(store.attempt_folder(outcome.job_id, 1) / "output.ipynb")
    assert outcome.run_id in executed["c1"][2][0]


def test_params_shows_the_contract(project):
    write_notebook(project.folder / "in.ipynb", "1", parameters=PARAMETERS)

    text = project.must("params", "in.ipynb")

    assert "lr      float" in text
    assert "learning rate" in text
    data = json.loads(project.must("params", "in.ipynb", "--json"))
    assert data["parameters"][2]["choices"] == ["mean", "max"]


def test_in_a_notebook_the_cells_are_counted_in_one_output(project):
    write_notebook(project.folder / "in.ipynb", "1", "2", "3")
    kernel = LiveKernel(project.folder)
    try:
        kernel.run("%load_ext nbship")
        reply = kernel.run("%mlops submit in.ipynb")
    finally:
        kernel.close()

    kinds = [kind for kind, _ in reply.messages]
    assert "stream" not in kinds
    assert kinds.count("display_data") == 2
    last = [c for kind, c in reply.messages if kind == "update_display_data"][-1]
    assert last["data"]["text/plain"].endswith("attempt 1: cell 3/3")

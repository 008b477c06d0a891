"""A job's capsule: code beside the notebook, repository, settings; and that they are used."""

import json
import random
import subprocess

import numpy as np
import pytest

from nbship.ports import Grant
from nbship.records.job import Attempt
from nbship.workbench import Workbench
from nbship.workflow.jobs import load_job
from nbship.workflow.submission import Request, make_attempt, submit
from support.notebook_files import cells_of, write_notebook
from support.project import Project
from support.tools import need_tool

pytestmark = pytest.mark.kernel


@pytest.fixture
def project(tmp_path):
    return Project(tmp_path / "project", settings="trackers = []\n")


def _git(folder, *words):
    own = ["-c", "user.name=A", "-c", "user.email=a@example.org"]
    command = [need_tool("git"), *own, "-c", "commit.gpgsign=false", *words]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)


def test_a_job_keeps_the_code_beside_its_notebook_and_runs_with_it(project):
    (project.folder / "nb").mkdir()
    helper = project.folder / "nb" / "helper.py"
    helper.write_text("import deep\nANSWER = deep.ANSWER\n")
    (project.folder / "nb" / "deep.py").write_text("ANSWER = 42\n")
    write_notebook(project.folder / "nb" / "in.ipynb", "import helper; helper.ANSWER")
    first = project.must("submit", "nb/in.ipynb").split()[0]

    folder = project.store / "jobs" / first
    assert (folder / "modules" / "nb" / "deep.py").read_text() == "ANSWER = 42\n"
    assert "reused" in project.must("submit", "nb/in.ipynb")

    (project.folder / "nb" / "deep.py").write_text("ANSWER = 43\n")
    second = project.must("submit", "nb/in.ipynb").split()[0]
    assert second != first

    project.must("rerun", first)
    outputs = [
        cells_of(path / "output.ipynb")["c1"][2]
        for path in (
            folder / "attempts" / "1",
            project.store / "jobs" / second / "attempts" / "1",
            folder / "attempts" / "2",
        )
    ]
    assert outputs == [["42"], ["43"], ["42"]]
    log = (folder / "attempts" / "2" / "log.txt").read_text()
    assert "nb/deep.py changed since the job was planned" in log


@pytest.mark.full
def test_a_job_keeps_commit_patch_and_names_of_unknown_files(project):
    folder = project.folder
    _git(folder, "init", "-q", "-b", "main")
    write_notebook(folder / "in.ipynb", "1")
    (folder / "table.csv").write_text("a\n1\n")
    (folder / ".gitignore").write_text(".mlops/\n")
    _git(folder, "add", ".")
    _git(folder, "commit", "-qm", "first")
    (folder / "table.csv").write_text("a\n2\n")
    (folder / "new.txt").write_text("x\n")

    job = project.must("submit", "in.ipynb").split()[0]

    kept = project.store / "jobs" / job
    record = json.loads((kept / "git.json").read_text())
    assert len(record["state"]["commit"]) == 40
    assert (record["state"]["is_dirty"], record["untracked"]) == (True, ["new.txt"])
    assert record["remarks"] == []
    assert "-1\n+2\n" in (kept / "patch.diff").read_text()
    _git(folder, "checkout", "table.csv")
    _git(folder, "apply", str(kept / "patch.diff"))
    assert (folder / "table.csv").read_text() == "a\n2\n"

    secret = "ghp_" + "abcdEFGH0123" * 3
    (folder / "table.csv").write_text(f"a\n{secret}\n")
    write_notebook(folder / "in.ipynb", "2")
    job = project.must("submit", "in.ipynb").split()[0]
    kept = project.store / "jobs" / job
    record = json.loads((kept / "git.json").read_text())
    assert record["remarks"] == [
        "patch left out: it seems to hold a secret (GitHub token)"
    ]
    assert not (kept / "patch.diff").exists()
    assert secret not in "".join(p.read_text() for p in kept.glob("*.json"))


def test_a_job_keeps_settings_and_hardware_and_begins_with_them(project):
    write_notebook(
        project.folder / "in.ipynb",
        "import os, random, time; print(random.random())\n"
        "print(os.environ['OMP_NUM_THREADS'], os.environ['PYTHONHASHSEED'], time.tzname)",
    )
    project.environ |= {"TZ": "Asia/Tokyo"}
    project.environ.pop("OMP_NUM_THREADS", None)

    job_id = project.must("submit", "in.ipynb").split()[0]

    folder = project.store / "jobs" / job_id
    job = json.loads((folder / "job.json").read_text())["determinism"]
    assert (job["seed"], job["is_strict"]) == (0, False)
    assert job["environ"]["TZ"] == "Asia/Tokyo"
    environment = json.loads((folder / "environment.json").read_text())
    assert environment["cpus"] >= 1
    assert environment["memory_gib"] > 0
    assert environment["packages"] == []
    assert environment["accelerators"] is not None
    expected = random.Random(0).random()  # noqa: S311
    said = cells_of(folder / "attempts" / "1" / "output.ipynb")["c1"][2]
    assert said == [f"{expected}\n1 0 ('JST', 'JST')\n"]


@pytest.mark.full
def test_forked_kernels_begin_as_fresh_ones(project, monkeypatch):
    """numpy is imported by the first kernel, and known to the server of the later ones."""
    monkeypatch.chdir(project.folder)
    bench = Workbench.open(project.folder)
    expected = float(np.random.RandomState(0).random())
    said = []
    try:
        for number in range(3):
            path = write_notebook(
                project.folder / "in.ipynb",
                f"import numpy, random; print(numpy.random.random(), random.random())  # {number}",
            )
            said.append(_executed(bench, path))
    finally:
        bench.launcher.close()

    assert said == [[f"{expected} {random.Random(0).random()}\n"]] * 3  # noqa: S311


def _executed(bench, path):
    data, snapshot = bench.notebook(path)
    request = Request(
        notebook=path,
        data=data,
        snapshot=snapshot,
        texts={},
        project=bench.settings.project,
    )
    store = bench.store
    given = {"store": store, "clock": bench.clock}
    job = submit(request, surroundings=bench.surroundings, **given).job
    attempt = make_attempt(
        store, job.id, project=bench.settings.project, clock=bench.clock
    )
    assert isinstance(attempt, Attempt)
    source = store.job_folder(job.id) / "input.ipynb"
    job = load_job(store, job.id)
    assert bench.execute_attempt(job, attempt, source, Grant()) == ""
    return cells_of(store.attempt_folder(job.id, 1) / "output.ipynb")["c1"][2]

"""`mlops rerun JOB --verify` as a user calls it."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from nbship.adapters.store.files import FileStore
from nbship.records.comparison import Comparison, ComparisonVerdict
from nbship.records.job import Job
from nbship.workbench import Workbench
from nbship.workflow.verifying import verify_job
from support.mutations import mutated, mutations_of
from support.notebook_files import tree, write_notebook
from support.project import NOTEBOOKS, Project

pytestmark = pytest.mark.kernel

CURRENT = ("--environment", "current")
CELLS = (
    "import os, time\nbegun = time.time()\nrows = open('d.csv').read().split()\nprint(rows)",
    """import nbship, random
random.seed(3)
level = random.random() * 2.5
nbship.log(level=level)
print(f'{level:.3f}', os.getcwd())""",
    "os.mkdir('out')\nprint('took', time.time() - begun, 's')",
)


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A project with one job that succeeded."""
    folder = tmp_path_factory.mktemp("verify") / "project"
    found = Project(folder, settings="trackers = []\n")
    (found.folder / "d.csv").write_text("1 2 3")
    write_notebook(found.folder / "in.ipynb", *CELLS)
    found.must("submit", "in.ipynb")
    return found


def only_job(project):
    (job_id,) = FileStore(project.store).ids("job")
    return job_id


def verified(project, kind):
    """Verify the job with the first change of a kind in its notebook."""
    job_id = only_job(project)
    document = json.loads((project.folder / "in.ipynb").read_text())
    change = next(m for m in mutations_of(document) if m.kind == kind)
    snapshot = project.folder / "changed.ipynb"
    snapshot.write_bytes(mutated(document, change))
    bench = Workbench.open(project.folder)
    comparison, _ = verify_job(
        job_id,
        bench.verifier(lambda _text: None),
        environment=bench.current_environment,
        snapshot=snapshot,
    )
    return comparison


def kept(project):
    """Read the project's files; beside records, the processes of the queue write what they learn."""
    records = (".mlops/jobs/job-", ".mlops/runs/")
    return {
        name: data
        for name, data in tree(project.folder).items()
        if name.startswith(records) or not name.startswith(".mlops/")
    }


def test_an_unchanged_rerun_verifies_and_touches_nothing(project):
    job_id = only_job(project)
    before = kept(project)

    done = project.call("rerun", "last", "--verify", "--json", *CURRENT)

    assert done.returncode == 0, done.stdout + done.stderr
    answer = json.loads(done.stdout)
    found = FileStore(project.store).load(Comparison, Path(answer["path"]))
    assert answer["comparison"]["id"] == found.id
    assert found.verdict is ComparisonVerdict.WITHIN_TOLERANCE
    verdicts = [cell.verdict.value for cell in found.cells]
    assert verdicts == ["identical", "identical", "noise"]
    assert [(m.name, m.verdict.value) for m in found.metrics] == [
        ("level", "identical")
    ]
    assert [(run.status, run.hash_seed) for run in found.runs] == [
        ("succeeded", ""),
        ("succeeded", "1"),
    ]
    after = kept(project)
    beside = {name for name in after if "/verifications/" not in name}
    assert {name: after[name] for name in beside} == before
    assert len(FileStore(project.store).ids("run")) == 1
    assert len(project.records(f"jobs/{job_id}/attempts/*/outcome.json")) == 1


def test_a_change_is_found_and_the_cell_is_named(project):
    found = verified(project, "seed")

    assert found.verdict is ComparisonVerdict.DIVERGED
    assert found.diverged_at.number == 2
    assert [m.verdict.value for m in found.metrics] == ["changed"]
    worst = found.diverged_at.differences[0]
    assert (worst.rule, worst.place) == ("number", "printed, line 1")
    assert worst.published != worst.rerun


def test_data_that_changed_is_named_and_nothing_is_executed(project):
    data = project.folder / "d.csv"
    data.write_text("1 2")
    try:
        done = project.call("rerun", only_job(project), "--verify", "--json", *CURRENT)
    finally:
        data.write_text("1 2 3")

    assert done.returncode == 1
    answer = json.loads(done.stdout)
    assert answer["comparison"]["changed_inputs"] == ["d.csv"]
    assert not list(Path(answer["path"]).parent.glob("jobs"))


def test_another_environment_is_refused_and_what_differs_is_named(project):
    store = FileStore(project.store)
    folder = store.job_folder(only_job(project))
    job = store.load(Job, folder / "job.json")
    lock = (folder / "lock.json").read_text()
    data = json.loads(lock)
    data["packages"]["nbclient"]["version"] = "0.0.1"
    try:
        store.save(replace(job, lock_digest="0" * 64), folder / "job.json")
        (folder / "lock.json").write_text(json.dumps(data))
        done = project.call("rerun", job.id, "--verify", *CURRENT)
    finally:
        store.save(job, folder / "job.json")
        (folder / "lock.json").write_text(lock)

    assert done.returncode == 3
    assert "nbclient 0.0.1 -> " in done.stderr


def test_a_job_that_failed_has_nothing_to_compare_with(tmp_path):
    project = Project(tmp_path / "project", settings="trackers = []\n")
    write_notebook(project.folder / "in.ipynb", "1 / 0")
    project.call("submit", "in.ipynb")

    done = project.call("rerun", "last", "--verify", *CURRENT)

    assert done.returncode == 3
    assert "nothing was published" in done.stderr


@pytest.mark.full
@pytest.mark.parametrize(
    "name", sorted(p.stem for p in (NOTEBOOKS / "verify").glob("*.ipynb"))
)
def test_unchanged_notebooks_of_every_kind_are_never_called_changed(tmp_path, name):
    folder = tmp_path / "project"
    shutil.copytree(NOTEBOOKS / "verify", folder)
    project = Project(folder, settings="trackers = []\n")
    project.must("submit", f"{name}.ipynb")

    done = project.call("rerun", "last", "--verify", *CURRENT)

    expected = {"unseeded": (1, "not verifiable")}.get(name, (0, ""))
    assert (done.returncode, expected[1] in done.stdout) == (expected[0], True), (
        done.stdout
    )
    assert "diverged" not in done.stdout

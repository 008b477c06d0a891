"""A job's environment is locked behind it, and rebuilt from its folder alone."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from nbship.adapters.bundles.environment_lock import lock_environment
from nbship.adapters.bundles.rebuilt import install_lock
from nbship.adapters.probes.environment import probe_environment
from nbship.errors import JobError
from nbship.records.digest import digest_file
from nbship.records.job import Lock
from nbship.records.locks import lock_differences, lock_of
from nbship.release.lock_text import read_lock
from nbship.workbench import Workbench
from nbship.workflow.environments import lock_state
from support.notebook_files import wait_for, write_notebook
from support.project import Project
from support.small_environment import (
    make_environment,
    uv,
    write_kernel,
    write_project,
    write_wheel,
)

pytestmark = [pytest.mark.kernel, pytest.mark.full]

VERSIONS = (
    "from importlib.metadata import distributions as d\n"
    "print(sorted((x.name.lower(), x.version) for x in d()))"
)


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    folder = tmp_path_factory.mktemp("small")
    wheel, project = write_wheel(folder / "wheels"), write_project(folder / "helping")
    python = make_environment(folder / "env", "ipykernel", wheel, "-e", project)
    write_kernel(folder / "jupyter", python)
    return folder


@pytest.fixture
def project(small, tmp_path):
    made = Project(tmp_path / "project", settings='trackers = []\njob.kernel = "small"')
    made.environ |= {
        "JUPYTER_PATH": str(small / "jupyter"),
        "MLOPS_JOB_LOCK": "eager",
        "PYTHONPATH": os.environ.get("PYTHONPATH", ""),
    }
    write_notebook(
        made.folder / "in.ipynb",
        "import helping, scaling; print(helping.ANSWER * scaling.FACTOR)",
    )
    return made


def _submitted(project):
    return project.must("submit", "in.ipynb").split()[0]


def _bench(project, monkeypatch):
    monkeypatch.setenv("JUPYTER_PATH", project.environ["JUPYTER_PATH"])
    return Workbench.over(project.store, project=project.folder)


def _versions(python):
    done = subprocess.run(
        [python, "-c", VERSIONS], capture_output=True, text=True, check=True
    )
    return done.stdout


def test_a_locked_environment_is_rebuilt_elsewhere_with_equal_packages(
    small, project, monkeypatch
):
    job_id = _submitted(project)
    folder = project.store / "jobs" / job_id
    wait_for((folder / "environment-lock.json").is_file, timeout_s=120)
    bench = _bench(project, monkeypatch)

    rebuilt = bench.rebuild(job_id)

    record = json.loads((folder / "environment-lock.json").read_text())
    assert [(w["name"], w["reason"], w["origin"]) for w in record["wheels"]] == [
        ("helping", "editable", "built"),
        ("scaling", "local", "packed"),
    ]
    assert (record["missing"], record["remarks"]) == ([], [])
    assert rebuilt.differences == rebuilt.remarks == ()
    python = str(small / "env" / "bin" / "python")
    assert Path(rebuilt.python) != Path(python)
    assert _versions(rebuilt.python) == _versions(python)
    assert lock_state(bench.store, job_id) == "locked with hashes, 2 wheels carried"

    again = bench.rebuild(job_id)
    assert again == rebuilt

    project.environ["JUPYTER_PATH"] = rebuilt.jupyter_path
    project.must("rerun", job_id)
    output = folder / "attempts" / "2" / "output.ipynb"
    assert json.loads(output.read_text())["cells"][0]["outputs"][0]["text"] == ["126\n"]


def test_the_second_job_of_an_environment_is_locked_at_once(project):
    first = _submitted(project)
    jobs = project.store / "jobs"
    wait_for((jobs / first / "environment-lock.json").is_file, timeout_s=120)

    write_notebook(project.folder / "in.ipynb", "print(2)")
    second = _submitted(project)

    name = "wheelhouse/scaling-1.5+cpu-py3-none-any.whl"
    assert (jobs / first / name).samefile(jobs / second / name)
    record = json.loads((jobs / first / "environment-lock.json").read_text())
    digest = {wheel["name"]: wheel["digest"] for wheel in record["wheels"]}["scaling"]
    kept = project.store / "locks" / "wheels" / digest
    assert kept.samefile(jobs / first / name)
    assert digest_file(kept) == digest


def test_an_environment_that_changed_before_its_lock_is_said_to_have(
    tmp_path, monkeypatch
):
    python = make_environment(tmp_path / "env", "ipykernel")
    write_kernel(tmp_path / "jupyter", python)
    project = Project(tmp_path / "project", settings='job.kernel = "small"')
    project.environ |= {"JUPYTER_PATH": str(tmp_path / "jupyter")}
    write_notebook(project.folder / "in.ipynb", "print(1)")
    job_id = _submitted(project)  # on demand: no lock is made
    bench = _bench(project, monkeypatch)
    assert "not made yet" in lock_state(bench.store, job_id)

    uv("pip", "install", "--quiet", "--python", python, write_wheel(tmp_path))

    with pytest.raises(JobError, match="changed before the lock"):
        bench.rebuild(job_id)
    assert "changed before" in lock_state(bench.store, job_id)
    lock = bench.store.load(Lock, bench.store.job_folder(job_id) / "lock.json")
    assert "ipykernel" in lock.packages


def test_this_very_environment_is_locked_and_rebuilt(tmp_path):
    """It has this checkout, editable, and numpy, and hundreds of other distributions."""
    wheelhouse = tmp_path / "wheelhouse"
    wheelhouse.mkdir()
    planned = lock_of(probe_environment(sys.executable))

    locked = lock_environment(sys.executable, wheelhouse)

    assert (locked.missing, locked.remarks) == ((), ())
    carried = {wheel.name: wheel.origin for wheel in locked.wheels}
    assert carried["nbship"] == "built"
    assert {"numpy", "ipykernel", "pyzmq"} <= read_lock(locked.requirements).keys()
    requirements = tmp_path / "requirements.lock"
    requirements.write_text(locked.requirements)
    python = install_lock(
        requirements,
        wheelhouse,
        into=tmp_path / "env",
        python_version=planned.python_version,
    )
    found = lock_of(probe_environment(python))
    assert lock_differences(planned, found, built={"nbship"}) == []
    code = "import numpy, nbship.resources as r; print(r.template_folder('package'))"
    done = subprocess.run(
        [python, "-I", "-c", code], capture_output=True, text=True, check=True
    )
    assert str(tmp_path / "env") in done.stdout

"""A kernel whose environment holds ipykernel and nothing of ours."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from nbship.adapters.store.files import FileStore
from nbship.records.run import RunStatus
from nbship.workflow.jobs import load_job, published_outcome
from support.notebook_files import only_run, write_notebook
from support.project import Project

pytestmark = [pytest.mark.kernel, pytest.mark.full]


@pytest.fixture(scope="module")
def jupyter_path(tmp_path_factory):
    """A folder with the kernel ``bare``, for JUPYTER_PATH."""
    folder = tmp_path_factory.mktemp("bare")
    python = folder / "venv" / "bin" / "python"
    uv = [sys.executable, "-m", "uv"]
    subprocess.run([*uv, "venv", "-q", folder / "venv"], check=True)
    install = [*uv, "pip", "install", "-q", "--python", python, "ipykernel"]
    subprocess.run(install, check=True)
    spec = folder / "kernels" / "bare" / "kernel.json"
    spec.parent.mkdir(parents=True)
    argv = [str(python), "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    spec.write_text(
        json.dumps({"argv": argv, "display_name": "Bare", "language": "python"})
    )
    return folder


@pytest.fixture
def project(tmp_path, jupyter_path):
    settings = 'trackers = []\nexport.roots = ["predict"]\n'
    project = Project(tmp_path / "project", settings=settings)
    project.environ["JUPYTER_PATH"] = str(jupyter_path)
    source = (
        "import importlib.util, sys\n"
        "assert importlib.util.find_spec('nbship') is None\n"
        "def predict(x):\n    return x\n"
        "print(sys.prefix)"
    )
    write_notebook(project.folder / "in.ipynb", source, kernel="bare")
    return project


def test_papermill_records_its_run(project, jupyter_path):
    command = [sys.executable, "-m", "papermill", "--engine", "nbship"]

    subprocess.run(
        [*command, "in.ipynb", "out.ipynb"],
        cwd=project.folder,
        env={**os.environ, "JUPYTER_PATH": str(jupyter_path)},
        check=True,
    )

    run = only_run(project.store)
    assert run.status is RunStatus.SUCCEEDED
    assert run.environment.executable == str(jupyter_path / "venv/bin/python")
    assert run.environment.version_of("nbship") is None
    assert run.cells[0].outputs[0]["text"] == f"{jupyter_path / 'venv'}\n"


def test_a_job_succeeds_and_its_root_is_refused_with_the_reason(project):
    text = project.must("submit", "in.ipynb")

    store = FileStore(project.store)
    (job_id,) = store.ids("job")
    job, outcome = load_job(store, job_id), published_outcome(store, job_id)
    assert job.kernel_name == "bare"
    assert outcome.lock_digest == job.lock_digest
    assert outcome.roots[0].digest == ""
    assert "lacks nbship" in outcome.roots[0].refusal
    assert "lacks nbship" in text

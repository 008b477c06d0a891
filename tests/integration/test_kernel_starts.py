"""How a job's kernel is started: warm, fresh, directly; and that its run says so."""

import json
import sys

import pytest

from support.notebook_files import write_notebook
from support.project import Project

pytestmark = [
    pytest.mark.kernel,
    pytest.mark.skipif(sys.platform != "linux", reason="warm kernels need Linux"),
]


def test_a_job_starts_its_kernel_as_it_was_asked_and_its_run_tells(tmp_path):
    project = Project(tmp_path / "project", settings="trackers = []\n")
    write_notebook(project.folder / "in.ipynb", "import json; print(json.dumps(5))")

    answers = [
        json.loads(project.must("submit", "in.ipynb", "--json", *flags))
        for flags in ([], [], ["--fresh"], ["--direct"], ["--again"])
    ]

    jobs = [answer["job"] for answer in answers]
    assert jobs[0] == jobs[1] == jobs[4]  # who asks for no certain start is served
    assert len(set(jobs)) == 3
    tags = {}
    for path in project.store.glob("runs/*/journal.jsonl"):
        events = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
        (job,) = [e["data"]["job_id"] for e in events if e["kind"] == "run_started"]
        told = [e["data"]["value"] for e in events if e["kind"] == "tag"]
        tags.setdefault(job, set()).update(text.partition(" ")[0] for text in told)
    assert tags == {jobs[0]: {"forked"}, jobs[2]: {"fresh:"}, jobs[3]: {"direct,"}}

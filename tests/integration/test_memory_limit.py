"""A job's limit of memory, from the setting to the outcome."""

from __future__ import annotations

import pytest

from nbship.records.cause import CauseKind
from nbship.records.codec import from_json
from nbship.records.job import Outcome
from support.notebook_files import only_run, write_notebook
from support.project import Project

pytestmark = pytest.mark.kernel


def test_a_job_beyond_its_memory_is_killed_and_says_so(tmp_path):
    project = Project(
        tmp_path / "project", settings="trackers = []\n[job]\nmemory_gib = 0.75\n"
    )
    source = (
        "import time\nheld = []\nwhile len(held) < 200:\n"
        "    held.append(b'x' * (1 << 24))\n    time.sleep(0.02)"
    )
    write_notebook(project.folder / "in.ipynb", "print('before')", source, "'after'")

    done = project.call("submit", "in.ipynb")

    assert done.returncode == 1
    (record,) = project.records("jobs/*/attempts/*/outcome.json")
    outcome = from_json(Outcome, record)
    why = outcome.why
    assert (why.kind, why.signal) == (CauseKind.OUT_OF_MEMORY, "SIGKILL")
    assert outcome.cell_id == "c2"
    run = only_run(project.store)
    size, _, means = run.tags["memory_limit"].partition(", by ")
    assert size == "768 MiB"
    if means == "a cgroup":
        assert why.evidence.oom_kills == 1
    else:
        assert why.evidence.exceeded_bytes == 768 << 20

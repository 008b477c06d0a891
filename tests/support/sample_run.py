"""A run with everything a tracker is to mirror, written to a journal by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nbship.records.environment import Environment, GitState, Package
from nbship.records.run import CellStatus, RunStatus
from nbship.workflow.recording import Recorder

if TYPE_CHECKING:
    from nbship.adapters.store.files import FileStore

RUN_ID = "run-20261123-120000-abcd"
GIT = GitState(
    commit="a" * 40, branch="main", is_dirty=True, remote_url="https://example.org/x"
)
ENVIRONMENT = Environment(
    python_version="3.12.1",
    implementation="CPython",
    executable="/usr/bin/python3",
    platform="Linux",
    machine="x86_64",
    cpus=2,
    packages=(Package(name="numpy", version="2.4.0"),),
)


def begin(store: FileStore, run_id: str = RUN_ID) -> Recorder:
    """Write a run's beginning: values, tags, some metrics."""
    recorder = Recorder(store, run_id, store.journal(run_id))
    recorder.start(experiment="tariffs", notebook="study.ipynb", origin="live")
    recorder.git(GIT)
    execution = recorder.start_cell(cell_id="fit", source="fit()", execution_count=1)
    recorder.value("alpha", 0.5)
    recorder.value("name", "ridge")
    recorder.value("steps", [1, 2])
    recorder.tag("data", "v2")
    for step in range(3):
        recorder.metric("loss", 1 / (step + 1), step=step)
    recorder.metric("recall@5", 0.75)
    output = {"output_type": "stream", "name": "stdout", "text": "hello\n"}
    recorder.output(execution, {"output": output})
    recorder.end_cell(execution, CellStatus.OK, duration_s=0.25, execution_count=1)
    return recorder


def finish(recorder: Recorder, status: RunStatus = RunStatus.SUCCEEDED) -> None:
    """Write a run's end: more metrics, notes, a changed tag, the environment."""
    recorder.metric("loss", 0.125, step=3)
    recorder.metric("recall@5", 0.875)
    recorder.metric("bad", float("nan"))
    recorder.tag("data", "v3")
    recorder.note("first note")
    recorder.note("second note")
    recorder.environment(ENVIRONMENT)
    recorder.end(status, "" if status is RunStatus.SUCCEEDED else "why")

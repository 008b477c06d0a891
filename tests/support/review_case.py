"""A vetted job in a store, made by hand: what reviews and reports are about."""

from __future__ import annotations

import base64
import dataclasses
import json
import zlib
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import nbformat
from nbformat.v4 import (
    new_code_cell,
    new_markdown_cell,
    new_notebook,
    new_output,
)

from nbship.adapters.store.files import FileStore
from nbship.records.digest import digest_file, digest_json, digest_text
from nbship.records.environment import Environment, GitState
from nbship.records.job import CapturedRoot, Job, JobStatus, Lock, Outcome
from nbship.records.parameters import Parameter, ParameterContract, ParameterKind
from nbship.records.run import Artifact, EventKind
from nbship.records.vetting import Finding, Severity, Verdict, Waiver
from nbship.vetting.subject import subject_of

if TYPE_CHECKING:
    from pathlib import Path

AT = datetime(2026, 11, 23, 9, 15, tzinfo=UTC)
JOB_ID = "job-20261123-091500-7k2m"
RUN_ID = "run-20261123-091500-9x1c"
VERDICT_ID = "verdict-20261123-092000-4dfe"
FRAME_HTML = """<div><style scoped>.dataframe td {vertical-align: top;}</style>
<table border="1" class="dataframe"><thead><tr style="text-align: right;"><th></th>
<th>species</th><th>bill_length_mm</th><th>body_mass_g</th></tr></thead><tbody>
<tr><th>0</th><td>Adelie</td><td>39.1</td><td>3750.0</td></tr>
<tr><th>1</th><td>Gentoo</td><td>47.5</td><td>NaN</td></tr></tbody></table></div>"""


def tiny_png() -> str:
    """A white 8x8 picture, base64."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        body = kind + data
        return len(data).to_bytes(4, "big") + body + zlib.crc32(body).to_bytes(4, "big")

    head = (8).to_bytes(4, "big") * 2 + bytes([8, 0, 0, 0, 0])
    rows = b"".join(b"\0" + b"\xff" * 8 for _ in range(8))
    parts = (
        chunk(b"IHDR", head),
        chunk(b"IDAT", zlib.compress(rows)),
        chunk(b"IEND", b""),
    )
    return base64.b64encode(b"\x89PNG\r\n\x1a\n" + b"".join(parts)).decode()


def code(
    cell_id: str, source: str, *outputs: Any, count: int | None = 1, tags: Any = ()
) -> Any:
    return new_code_cell(
        source,
        id=cell_id,
        outputs=list(outputs),
        execution_count=count,
        metadata={"tags": list(tags)} if tags else {},
    )


def shown(data: dict[str, Any], **metadata: Any) -> Any:
    return new_output("display_data", data=data, metadata=metadata)


def notebook_of(*cells: Any) -> Any:
    notebook = new_notebook(cells=list(cells))
    notebook.metadata["language_info"] = {"name": "python"}
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3"}
    return notebook


def penguins_notebook(picture: str = "") -> Any:
    """An executed notebook with what a data scientist leaves in one."""
    figure = {"image/png": picture or tiny_png(), "text/plain": "<Figure>"}
    return notebook_of(
        new_markdown_cell(
            "# Penguin species from their measures\n\nA first look at *palmerpenguins*, "
            "and a model whose loss is $L = -\\sum_i y_i \\log p_i$.\n\n"
            "| column | unit |\n|---|---|\n| bill length | mm |\n",
            id="title",
        ),
        code(
            "params",
            "test_size: float = 0.25  # share held out\nseed: int = 0",
            tags=["parameters"],
        ),
        code(
            "injected",
            "# Parameters\ntest_size = 0.3\n",
            tags=["injected-parameters"],
            count=2,
        ),
        code(
            "load",
            "import pandas as pd\n\n# as it comes\nframe = load_penguins()\nframe.head(2)",
            new_output("stream", name="stderr", text="1 row has missing values\n"),
            shown({"text/html": FRAME_HTML, "text/plain": "  species  bill"}),
            count=3,
        ),
        code("plot", "frame.plot.scatter('bill_length_mm', 'body_mass_g')",
             shown(figure, alt="Body mass grows with bill length"), count=4),
        code(
            "train",
            "@golden\ndef predict(rows):\n    return model.predict_proba(rows)\n\nprint('accuracy', 0.984)",
            new_output("stream", name="stdout", text="accuracy \x1b[32m0.984\x1b[0m\n"),
            count=5,
        ),
    )  # fmt: skip


class ReviewCase:
    """A store with one job, its run, its outcome and one verdict."""

    def __init__(self, project: Path, notebook: Any = None) -> None:
        self.project = project
        self.store = FileStore(project / ".mlops")
        attempt = self.store.attempt_folder(JOB_ID, 1)
        attempt.mkdir(parents=True)
        self.notebook = notebook or penguins_notebook()
        nbformat.write(self.notebook, attempt / "output.ipynb")
        self.lock = Lock(
            python_version="3.11.7",
            packages={
                "numpy": {"version": "2.4.6", "record_digest": "a" * 64},
                "pandas": {"version": "3.1.1", "record_digest": ""},
            },
        )
        self.store.save(self.lock, self.store.job_folder(JOB_ID) / "lock.json")
        self.job = _job(digest_json({"packages": 2}))
        self.store.save(self.job, self.store.job_folder(JOB_ID) / "job.json")
        self._write_run()

    def use_snapshot(self, path: Path) -> None:
        """Plan the job from that file."""
        self.job = dataclasses.replace(self.job, snapshot_digest=digest_file(path))
        self.store.save(self.job, self.store.job_folder(JOB_ID) / "job.json")

    def finish(
        self, status: JobStatus = JobStatus.SUCCEEDED, **changes: Any
    ) -> Outcome:
        attempt = self.store.attempt_folder(JOB_ID, 1)
        fields: dict[str, Any] = {
            "job_id": JOB_ID,
            "attempt": 1,
            "run_id": RUN_ID,
            "status": status,
            "started_at": AT,
            "ended_at": AT + timedelta(seconds=41.3),
            "output_digest": digest_file(attempt / "output.ipynb"),
            "lock_digest": self.job.lock_digest,
            "data": (
                Artifact(
                    name="penguins.csv",
                    digest=digest_text("penguins"),
                    size_bytes=15_240,
                    path="data/penguins.csv",
                ),
            ),
            "metrics": {"accuracy": 0.9837, "log_loss": 0.0712, "rows": 344.0},
            "roots": (CapturedRoot(name="predict", digest=digest_text("root")),),
            **changes,
        }
        outcome = Outcome(**fields)
        self.store.save(outcome, self.store.job_folder(JOB_ID) / "outcome.json")
        return outcome

    def vet(self, *findings: Finding, verdict_id: str = VERDICT_ID) -> Verdict:
        outcome = self.store.load(
            Outcome, self.store.job_folder(JOB_ID) / "outcome.json"
        )
        blocks = any(
            f.severity is Severity.BLOCKER and f.waiver is None for f in findings
        )
        verdict = Verdict(
            id=verdict_id,
            job_id=JOB_ID,
            vetted_at=AT + timedelta(minutes=5),
            passed=not blocks,
            findings=findings,
            gates=("NB101", "NB102", "NB205", "NB301", "MX001", "SEC001"),
            subject=subject_of(self.job, outcome, findings),
            metrics={
                "accuracy": {
                    "value": 0.9837,
                    "threshold": 0.95,
                    "baseline": 0.979,
                    "direction": "maximize",
                    "passed": True,
                }
            },
        )
        path = self.store.folder / "verdicts" / f"{verdict_id}.json"
        self.store.save(verdict, path)
        return verdict

    def _write_run(self) -> None:
        journal = self.store.journal(RUN_ID)
        started = {"run_id": RUN_ID, "experiment": "penguins", "origin": "job"}
        journal.append(EventKind.RUN_STARTED, started | {"notebook": "penguins.ipynb"})
        git = GitState(commit="0f" * 20, branch="main", is_dirty=True)
        journal.append(EventKind.GIT, _plain(git))
        environment = Environment(
            python_version="3.11.7",
            implementation="CPython",
            executable="/usr/bin/python3",
            platform="Linux-6.1-x86_64",
            machine="x86_64",
            cpus=2,
        )
        journal.append(EventKind.ENVIRONMENT, _plain(environment))
        journal.append(EventKind.RUN_ENDED, {"status": "succeeded"})
        journal.close()


def waiver() -> Waiver:
    return Waiver(
        code="NB301",
        reason="seeded inside the helper",
        person="Ann",
        expires_on="2027-06-30",
    )


def _job(lock_digest: str) -> Job:
    contract = ParameterContract(
        cell_id="params",
        parameters=(
            Parameter(
                name="test_size",
                kind=ParameterKind.FLOAT,
                annotation="float",
                default=0.25,
                default_text="0.25",
                description="share held out",
            ),
            Parameter(
                name="seed",
                kind=ParameterKind.INT,
                annotation="int",
                default=0,
                default_text="0",
            ),
        ),
    )
    return Job(
        id=JOB_ID,
        notebook="penguins.ipynb",
        snapshot_digest=digest_text("snapshot"),
        lock_digest=lock_digest,
        plan_digest=digest_text("plan"),
        planned_at=AT,
        kernel_name="python3",
        experiment="penguins",
        values={"test_size": 0.3},
        contract=contract,
        roots=("predict",),
    )


def _plain(record: Any) -> Any:
    from nbship.records.codec import to_json

    return json.loads(json.dumps(to_json(record)))

"""Runs and releases written by the port, for tests that read them."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from nbship.records.codec import to_json
from nbship.records.ids import make_id
from nbship.records.release import Manifest, ParityReport, Signature
from nbship.records.run import EventKind

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from nbship.adapters.store.files import FileStore


def write_run(
    store: FileStore,
    number: int,
    *,
    status: str = "succeeded",
    metrics: Mapping[str, float] | None = None,
    **head: Any,
) -> str:
    """Write the journal of a run and return its id; a higher number is a younger run."""
    run_id = make_id("run", at=datetime(2026, 11, 1, tzinfo=UTC), entropy=number)
    journal = store.journal(run_id)
    started = {
        "run_id": run_id,
        "experiment": "penguins",
        "notebook": "penguins.ipynb",
        "origin": "live",
        "pid": 1,
        **head,
    }
    journal.append(EventKind.RUN_STARTED, started)
    for name, value in (metrics or {}).items():
        journal.append(EventKind.METRIC, {"name": name, "value": value})
    if status != "running":
        cause = "" if status == "succeeded" else "ValueError: no rows are left"
        journal.append(EventKind.RUN_ENDED, {"status": status, "cause": cause})
    journal.close()
    return run_id


def write_release(store: FileStore, *, version: str, job_id: str, run_id: str) -> Path:
    """Write the manifest of a release."""
    manifest = Manifest(
        name="penguins",
        version=version,
        released_at=datetime(2026, 11, 2, tzinfo=UTC),
        tool="nbship",
        job_id=job_id,
        run_id=run_id,
        verdict_id="",
        verdict_digest="",
        approvals=(),
        notebook="penguins.ipynb",
        subject={},
        git={},
        package="penguins",
        wheel="",
        capture_digest="",
        python_version="3.11",
        signature=Signature(inputs=(), outputs=()),
        parity=ParityReport(passed=True, cases=1, rows=1, is_proven=False),
    )
    path = store.folder / "releases" / "penguins" / version / "manifest.json"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps(to_json(manifest)), "utf-8")
    return path

"""Which jobs have which plan, without reading every job.

``jobs/plans.txt`` holds a line per job: its id and the digest of its plan. Jobs that it lacks are
read and added; it may be deleted.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from nbship.errors import NbshipError
from nbship.workflow.jobs import load_job

if TYPE_CHECKING:
    from pathlib import Path

    from nbship.ports import Store
    from nbship.records.job import Job

_WORDS = 2


def known_plans(store: Store) -> dict[str, str]:
    """Map every job, oldest first, to the digest of its plan.

    Raises
    ------
    StoreError
        If a job cannot be read.
    """
    path = store.folder / "jobs" / "plans.txt"
    known = _read(path)
    plans, fresh = {}, []
    for job_id in store.ids("job"):
        if job_id not in known:
            known[job_id] = load_job(store, job_id).plan_digest
            fresh.append(f"{job_id} {known[job_id]}\n")
        plans[job_id] = known[job_id]
    if fresh:
        with contextlib.suppress(NbshipError):  # a store that is only read
            store.append("".join(fresh).encode(), path)
    return plans


def job_of_plan(store: Store, digest: str) -> Job | None:
    """Return the youngest job of a plan.

    Raises
    ------
    StoreError
        If a job cannot be read.
    """
    plans = known_plans(store)
    found = next((j for j in reversed(plans) if plans[j] == digest), None)
    return None if found is None else load_job(store, found)


def _read(path: Path) -> dict[str, str]:
    try:
        lines = path.read_text("utf-8").splitlines()
    except OSError:
        return {}
    words = (line.split() for line in lines)  # a torn line has other words than two
    return {pair[0]: pair[1] for pair in words if len(pair) == _WORDS}

"""What a job's kernel captured of a root."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote

from nbship.errors import ExportError
from nbship.records.job import Lock
from nbship.release.wheelhouse import WHEELHOUSE
from nbship.workflow.jobs import find_job, load_job, published_outcome

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from nbship.ports import Store


@dataclass(frozen=True, kw_only=True, slots=True)
class CapturedByJob:
    """A captured root, and what is known of its origin."""

    folder: Path
    notebook: str
    job_id: str
    #: distribution -> version, as the job's lock has them; None without a lock
    installed: Mapping[str, str] | None
    #: wheels of its environment that no index has; None where they were not kept
    carried: Path | None = None


def captured_by_job(store: Store, job: str, root: str) -> CapturedByJob:
    """Find the capture of a root in the attempt that published a job's outcome.

    Parameters
    ----------
    store
        Where the job lies.
    job
        ``last``, an id or its beginning.
    root
        Name of the root.

    Raises
    ------
    ExportError
        If the job has no outcome, did not declare that root, or refused it.
    """
    found = load_job(store, find_job(store, job))
    outcome = published_outcome(store, found.id)
    if outcome is None:
        raise ExportError(
            f"{found.id} has no outcome yet", hint=f"Wait for it: mlops jobs {found.id}"
        )
    if root not in found.roots:
        declared = ", ".join(found.roots) or "none"
        raise ExportError(
            f"{found.id} captured no root {root!r} (declared when it was planned: "
            f"{declared})",
            hint=f'Set export.roots = ["{root}"] and submit the notebook again.',
        )
    roots = store.attempt_folder(found.id, outcome.attempt) / "roots"
    folder = root_folder(roots, root)
    refusal = folder / "refusal.json"
    if refusal.is_file():
        said = json.loads(refusal.read_text("utf-8"))
        raise ExportError(f"{found.id}: {said['message']}", hint=said["hint"])
    lock = store.job_folder(found.id) / "lock.json"
    packages = store.load(Lock, lock).packages if lock.is_file() else None
    return CapturedByJob(
        folder=folder,
        notebook=found.notebook,
        job_id=found.id,
        carried=carried_by_job(store, found.id),
        installed=packages and {n: item["version"] for n, item in packages.items()},
    )


def carried_by_job(store: Store, job_id: str) -> Path | None:
    """Return the folder of wheels that a job's environment has and no index."""
    house = store.job_folder(job_id) / WHEELHOUSE
    return house if house.is_dir() else None


def root_folder(roots: Path, name: str) -> Path:
    """Return the folder of a root below ``roots/``: its name, quoted as in an address."""
    return roots / quote(name, safe="")

"""From snapshot, values and lock to a job; and when an earlier job serves as well."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from nbship.records.capsule import Determinism, LocalModule
from nbship.records.codec import to_json
from nbship.records.digest import digest_json
from nbship.records.job import Job, JobStatus, Resources
from nbship.records.locks import lock_digest

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from nbship.records.environment import Environment
    from nbship.records.job import Lock, Outcome
    from nbship.records.notebook import Notebook
    from nbship.records.parameters import ParameterContract


@dataclass(frozen=True, kw_only=True, slots=True)
class Wish:
    """Everything that a job is planned from, read and checked."""

    notebook: Notebook
    #: path of the notebook relative to the project
    path: str
    contract: ParameterContract
    lock: Lock
    kernel_name: str
    #: working folder of the kernel, absolute
    cwd: str
    experiment: str = ""
    values: Mapping[str, Any] = field(default_factory=dict)
    resources: Resources = field(default_factory=Resources)
    roots: tuple[str, ...] = ()
    determinism: Determinism = field(default_factory=Determinism)
    modules: tuple[LocalModule, ...] = ()
    #: variable of the kernel -> where its secret value is found
    secrets: Mapping[str, str] = field(default_factory=dict)
    #: True forbids a forked kernel
    is_fresh: bool = False
    #: True asks for a process without the kernel's protocol
    is_direct: bool = False
    #: bytes of the modules, by their ``copy``
    copies: Mapping[str, bytes] = field(default_factory=dict, repr=False)
    environment: Environment | None = None


def plan(wish: Wish, *, job_id: str, at: datetime) -> Job:
    """Plan a job.

    Parameters
    ----------
    wish
        What is to be executed.
    job_id
        The id of the new job.
    at
        Now, aware.
    """
    return Job(
        id=job_id,
        notebook=wish.path,
        snapshot_digest=wish.notebook.digest,
        lock_digest=lock_digest(wish.lock),
        plan_digest=plan_digest(wish),
        planned_at=at,
        kernel_name=wish.kernel_name,
        experiment=wish.experiment or PurePosixPath(wish.path).stem,
        values=dict(wish.values),
        contract=wish.contract,
        resources=wish.resources,
        roots=wish.roots,
        cwd=wish.cwd,
        determinism=wish.determinism,
        modules=wish.modules,
        secrets=dict(wish.secrets),
        is_fresh=wish.is_fresh,
        is_direct=wish.is_direct,
    )


def plan_digest(wish: Wish) -> str:
    """Return the digest by which equal plans are found.

    The folder counts too, relative to the project: the same notebook reads other files from
    another folder. The time a job may take does not: it changes no answer.
    """
    resources = to_json(wish.resources)
    resources.pop("timeout_s")
    return digest_json(
        {
            "snapshot": wish.notebook.digest,
            "values": dict(wish.values),
            "lock": lock_digest(wish.lock),
            "roots": sorted(wish.roots),
            "resources": resources,
            "kernel": wish.kernel_name,
            "determinism": to_json(wish.determinism),
            "modules": {module.path: module.digest for module in wish.modules},
            "secrets": dict(wish.secrets),
            "folder": PurePosixPath(wish.path).parent.as_posix(),
        }
    )


def wish_again(job: Job, notebook: Notebook, lock: Lock) -> Wish:
    """Return what a job was planned from, for jobs that differ from it in their values.

    Parameters
    ----------
    job
        The job.
    notebook, lock
        Its snapshot and its lock.
    """
    shared = {f.name for f in fields(Wish)} & {f.name for f in fields(Job)}
    kept = {name: getattr(job, name) for name in shared - {"notebook"}}
    return Wish(notebook=notebook, path=job.notebook, lock=lock, **kept)


def changed_data(outcome: Outcome, digests: Mapping[str, str]) -> tuple[str, ...]:
    """Name the files that an outcome rests on and that are no longer what they were.

    Parameters
    ----------
    outcome
        What an earlier job left behind.
    digests
        The digest of each file now, by path; a missing file is left out.
    """
    return tuple(
        file.path for file in outcome.data if digests.get(file.path) != file.digest
    )


def can_be_reused(outcome: Outcome | None, digests: Mapping[str, str]) -> bool:
    """Tell whether an outcome of an equal plan serves as it is.

    It does where it is a success and every file that it read still has its digest.
    """
    if outcome is None or outcome.status is not JobStatus.SUCCEEDED:
        return False
    return not changed_data(outcome, digests)

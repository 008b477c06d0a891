"""The lock of an environment, with hashes; and the environment that is rebuilt from it.

``lock.json`` stands in every job's folder from the first moment: names, versions and digests.
``requirements.lock`` and the wheelhouse take seconds and are made once per environment, beside
or behind its first job, as long as the environment still is the one that was locked.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from nbship.errors import JobError, NbshipError
from nbship.records.capsule import EnvironmentLock, RebuiltEnvironment
from nbship.records.digest import digest_file, digest_text
from nbship.records.job import Lock
from nbship.records.locks import lock_differences, lock_digest, lock_of
from nbship.workflow.jobs import load_job

if TYPE_CHECKING:
    from collections.abc import Callable

    from nbship.ports import Clock, Store
    from nbship.records.capsule import LockedEnvironment
    from nbship.records.environment import Environment
    from nbship.records.job import Job

REQUIREMENTS = "requirements.lock"
RECORD = "environment-lock.json"
WHEELHOUSE = "wheelhouse"
REFUSAL = "lock-refusal.json"
_REBUILT = "rebuilt.json"
_POLL_S = 0.2
_RETRY_S = 24 * 3600.0
_SUBMIT_AGAIN = "Submit it again in the environment of today."


@dataclass(frozen=True, kw_only=True, slots=True)
class EnvironmentTools:
    """What locking and rebuilding ask of the machine."""

    store: Store
    clock: Clock
    #: interpreter of a job's kernel, None where it is unknown; raises KernelError
    interpreter: Callable[[str], str | None]
    #: environment of an interpreter
    environment: Callable[[str], Environment]
    #: locks an interpreter's environment; wheels go to the folder
    lock: Callable[[str, Path], LockedEnvironment]
    #: installs a lock and its wheelhouse into a folder, for a Python version; returns the interpreter
    install: Callable[[Path, Path, Path, str], str]


def keep_lock(tools: EnvironmentTools, job_id: str) -> EnvironmentLock | None:
    """Make the lock of a job's environment where there is none, and link it into its folder.

    Parameters
    ----------
    tools
        What it takes.
    job_id
        The job.

    Returns
    -------
    EnvironmentLock or None
        None where another process is making it.

    Raises
    ------
    JobError
        If the environment is no longer the one that the job was planned in; the job's folder
        then says so too.
    NbshipError
        If it cannot be locked at all.
    """
    store = tools.store
    job = load_job(store, job_id)
    folder = _lock_folder(store, job)
    if not (folder / RECORD).is_file():
        with store.hold(_making(folder)) as lock:
            if lock is None:
                return None
            if not (folder / RECORD).is_file():
                _making(folder).touch()
                _make(tools, job, folder)
    return _linked(store, job, folder)


def is_due(store: Store, job: Job) -> bool:
    """Tell whether a job lacks a lock that can be linked, or begun by nobody else."""
    folder = _lock_folder(store, job)
    if (store.job_folder(job.id) / RECORD).is_file():
        return False
    return not (_making(folder).is_file() and _is_hopeless(store, folder))


def keep_locks(tools: EnvironmentTools, job_id: str) -> None:
    """Make a job's lock and link it into the folders of all jobs of the same environment.

    Raises
    ------
    NbshipError
        If it cannot be made.
    """
    store = tools.store
    digest = load_job(store, job_id).lock_digest
    if keep_lock(tools, job_id) is None:
        return
    for other in store.ids("job"):
        if not (store.job_folder(other) / RECORD).is_file():
            job = load_job(store, other)
            if job.lock_digest == digest:
                _linked(store, job, _lock_folder(store, job))


def lock_state(store: Store, job_id: str) -> str:
    """Say in a few words how a job's environment is kept."""
    folder = store.job_folder(job_id)
    if (folder / RECORD).is_file():
        found = store.load(EnvironmentLock, folder / RECORD)
        lacks = f", {len(found.missing)} missing" if found.missing else ""
        return f"locked with hashes, {len(found.wheels)} wheels carried{lacks}"
    if (folder / REFUSAL).is_file():
        return str(store.load(dict, folder / REFUSAL)["message"])
    return "named in lock.json; its lock with hashes is not made yet"


def rebuild_environment(
    tools: EnvironmentTools, job_id: str, *, wait_s: float = 1800.0
) -> RebuiltEnvironment:
    """Make the environment of a job anew from its lock, or find it where that was done.

    It lies in ``.mlops/environments/<digest>/`` and touches no kernel of the user: where
    ``JUPYTER_PATH`` begins with its ``jupyter_path``, the job's kernel is found there.

    Parameters
    ----------
    tools
        What it takes.
    job_id
        The job.
    wait_s
        Seconds to wait for another process that makes the same one.

    Raises
    ------
    JobError
        If the job's environment was never locked and has changed since.
    VerificationError
        If a file of the lock cannot be had.
    """
    store, job = tools.store, load_job(tools.store, job_id)
    until_s = time.monotonic() + wait_s
    job_folder = store.job_folder(job_id)
    while not (job_folder / RECORD).is_file() and keep_lock(tools, job_id) is None:
        _pause(job, until_s)
    digest = digest_file(job_folder / REQUIREMENTS)
    folder = store.folder / "environments" / digest
    while True:
        with store.hold(_making(folder)) as lock:
            if lock is not None:
                rebuilt = _kept(store, folder) or _rebuilt(tools, job, folder)
                _offer_kernel(store, rebuilt, job.kernel_name)
                return rebuilt
        _pause(job, until_s)


def _pause(job: Job, until_s: float) -> None:
    if time.monotonic() >= until_s:
        raise JobError(
            f"{job.id}: another process is at its environment, and does not end",
            hint="Look for it with `ps`, and repeat the command.",
        )
    time.sleep(_POLL_S)


def _making(folder: Path) -> Path:
    """Return the file that is held while a folder is made."""
    return folder.with_name(f".{folder.name}.making")


def _is_hopeless(store: Store, folder: Path) -> bool:
    """Tell whether a lock is being made by another process, or was tried within a day in vain."""
    making = _making(folder)
    is_tried = not folder.is_dir() and time.time() - making.stat().st_mtime < _RETRY_S
    return store.is_held(making) or is_tried


def _lock_folder(store: Store, job: Job) -> Path:
    return store.folder / "locks" / job.lock_digest


def _make(tools: EnvironmentTools, job: Job, folder: Path) -> None:
    store = tools.store
    python, environment = _unchanged(tools, job)
    with store.whole_folder(folder) as draft:
        (draft / WHEELHOUSE).mkdir()
        locked = tools.lock(python, draft / WHEELHOUSE)
        _unchanged(tools, job)
        for wheel in locked.wheels:
            _share(store, draft / WHEELHOUSE / wheel.file, wheel.digest)
        store.write_bytes(locked.requirements.encode(), draft / REQUIREMENTS)
        record = EnvironmentLock(
            lock_digest=job.lock_digest,
            made_at=tools.clock.now(),
            python_version=environment.python_version,
            implementation=environment.implementation,
            platform=environment.platform,
            requirements_digest=digest_text(locked.requirements),
            wheels=locked.wheels,
            missing=locked.missing,
            remarks=locked.remarks,
        )
        store.save(record, draft / RECORD)


def _share(store: Store, wheel: Path, digest: str) -> None:
    """Keep a wheel's bytes once for all environments of a store, named by their digest."""
    kept = store.folder / "locks" / "wheels" / digest
    kept.parent.mkdir(exist_ok=True)
    if not store.link(wheel, kept):
        wheel.unlink()
        store.link(kept, wheel)


def _unchanged(tools: EnvironmentTools, job: Job) -> tuple[str, Environment]:
    """Return interpreter and environment of a job's kernel, where they still are the job's.

    Raises
    ------
    JobError
        If they are not.
    """
    python = tools.interpreter(job.kernel_name)
    if python is None:
        words = "its kernel is no Python"
        raise JobError(_refused(tools.store, job, words), hint=_SUBMIT_AGAIN)
    environment = tools.environment(python)
    if lock_digest(lock_of(environment)) != job.lock_digest:
        words = "its environment changed before the lock with hashes was made"
        raise JobError(_refused(tools.store, job, words), hint=_SUBMIT_AGAIN)
    return python, environment


def _refused(store: Store, job: Job, words: str) -> str:
    """Say in the job's folder why there is no lock, and return the same for an error."""
    store.save({"message": words}, store.job_folder(job.id) / REFUSAL)
    return f"{job.id}: {words}"


def _linked(store: Store, job: Job, folder: Path) -> EnvironmentLock:
    """Give the files of a lock second names in a job's folder; the record comes last."""
    record = store.load(EnvironmentLock, folder / RECORD)
    target = store.job_folder(job.id)
    (target / WHEELHOUSE).mkdir(exist_ok=True)
    names = [f"{WHEELHOUSE}/{wheel.file}" for wheel in record.wheels]
    for name in (*names, REQUIREMENTS, RECORD):
        store.link(folder / name, target / name)
    return record


def _kept(store: Store, folder: Path) -> RebuiltEnvironment | None:
    """Return an environment that was rebuilt earlier, where it still is there."""
    try:
        found = store.load(RebuiltEnvironment, folder / _REBUILT)
    except NbshipError:
        return None
    return found if Path(found.python).exists() else None


def _rebuilt(tools: EnvironmentTools, job: Job, folder: Path) -> RebuiltEnvironment:
    store, job_folder = tools.store, tools.store.job_folder(job.id)
    record = store.load(EnvironmentLock, job_folder / RECORD)
    planned = store.load(Lock, job_folder / "lock.json")
    python = tools.install(
        job_folder / REQUIREMENTS,
        job_folder / WHEELHOUSE,
        folder.absolute(),
        record.python_version,
    )
    found = lock_of(tools.environment(python))
    built = {wheel.name for wheel in record.wheels if wheel.reason == "editable"}
    remarks = list(record.remarks)
    if found.python_version != planned.python_version:
        remarks.append(
            f"Python {found.python_version} stands in for {planned.python_version}"
        )
    rebuilt = RebuiltEnvironment(
        python=python,
        jupyter_path=str(folder.absolute() / "jupyter"),
        digest=folder.name,
        differences=tuple(lock_differences(planned, found, built=built)),
        remarks=tuple(remarks),
    )
    store.save(rebuilt, folder / _REBUILT)
    return rebuilt


def _offer_kernel(store: Store, rebuilt: RebuiltEnvironment, name: str) -> None:
    """Write the specification by which the job's kernel starts the rebuilt interpreter."""
    specification = {
        "argv": [rebuilt.python, "-m", "ipykernel_launcher", "-f", "{connection_file}"],
        "display_name": f"{name} (rebuilt)",
        "language": "python",
    }
    path = Path(rebuilt.jupyter_path) / "kernels" / name / "kernel.json"
    if not path.is_file():
        store.save(specification, path)

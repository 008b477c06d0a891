"""A job, its attempts, and the outcome that one attempt publishes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar

from nbship.records.capsule import Determinism, LocalModule
from nbship.records.cause import Cause
from nbship.records.parameters import ParameterContract
from nbship.records.run import Artifact


class JobStatus(StrEnum):
    """How a job stands: planned, or as its attempts left it."""

    PLANNED = "planned"
    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    INTERRUPTED = "interrupted"
    KILLED = "killed"
    #: ended early by its sweep: it fell behind
    PRUNED = "pruned"


@dataclass(frozen=True, kw_only=True, slots=True)
class Resources:
    """What a job asks for."""

    gpus: int = 0
    gpu_memory_gib: float = 0.0
    cpus: int = 1
    memory_gib: float = 0.0
    #: whole job; 0 means no limit
    timeout_s: float = 0.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Job:
    """A planned, reproducible execution of a snapshot with values."""

    SCHEMA: ClassVar[str] = "job/1"

    id: str
    #: the notebook's path relative to the project, for people
    notebook: str
    #: sha256 of ``input.ipynb``
    snapshot_digest: str
    #: digest of the canonical JSON of the lock in ``lock.json``
    lock_digest: str
    #: digest over snapshot, values, lock, modules, determinism, secrets' references, roots,
    #: resources, kernel and folder: equal jobs have equal plans
    plan_digest: str
    planned_at: datetime
    kernel_name: str
    experiment: str
    values: Mapping[str, Any] = field(default_factory=dict)
    contract: ParameterContract
    resources: Resources = field(default_factory=Resources)
    #: names declared in ``[tool.mlops.export] roots``
    roots: tuple[str, ...] = ()
    #: working folder of the kernel, absolute
    cwd: str = ""
    #: what the kernel begins with
    determinism: Determinism = field(default_factory=Determinism)
    #: code beside the notebook, copied to ``modules/``
    modules: tuple[LocalModule, ...] = ()
    #: variable of the kernel -> where its secret value is found; never the value
    secrets: Mapping[str, str] = field(default_factory=dict)
    #: the sweep that planned it; "" where none did
    sweep_id: str = ""
    #: ids of leading cells that may be executed once for several jobs of its sweep
    shared_cells: tuple[str, ...] = ()
    #: True forbids a forked kernel; it changes no answer, and is no part of the plan's digest
    is_fresh: bool = False
    #: True asks for a process without the kernel's protocol, where the notebook needs no more
    is_direct: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Attempt:
    """One try of an executor at a job: ``attempts/<number>/attempt.json``."""

    SCHEMA: ClassVar[str] = "attempt/1"

    job_id: str
    #: from 1
    number: int
    #: the run that it records
    run_id: str
    #: folder of the project, absolute
    project: str
    #: the notebook's file, absolute; the snapshot is what runs
    notebook: str
    made_at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class CapturedRoot:
    """A root as the engine found it in the job's kernel after the last cell."""

    name: str
    #: digest over every file of ``roots/<name>/``; "" where the capture was refused
    digest: str
    #: why there is no capture; "" where there is one
    refusal: str = ""
    hint: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """What a finished job left behind, with the cause where it failed."""

    SCHEMA: ClassVar[str] = "outcome/1"

    job_id: str
    #: number of the attempt, from 1
    attempt: int
    run_id: str
    status: JobStatus
    started_at: datetime
    ended_at: datetime
    #: exception and message, signal, timeout; "" where it succeeded
    cause: str = ""
    #: the same in parts, with what was seen of the kernel; None where it succeeded
    why: Cause | None = None
    #: id of the cell that failed or was running
    cell_id: str | None = None
    #: last lines of the log, 4 kB at most
    log_end: str = ""
    #: sha256 of ``output.ipynb``
    output_digest: str = ""
    #: sha256 of the lock found after the last cell; equal to the job's where nothing was installed
    lock_digest: str = ""
    #: files that the kernel read, with digests
    data: tuple[Artifact, ...] = ()
    #: last value of each metric
    metrics: Mapping[str, float] = field(default_factory=dict)
    roots: tuple[CapturedRoot, ...] = ()
    #: True where worker or machine went away in mid-attempt: the notebook had no part in its end
    is_lost: bool = False
    #: ids of leading cells that were executed once, for this job and others of its sweep
    shared_cells: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Lock:
    """Every distribution of an environment, kernel stack included."""

    SCHEMA: ClassVar[str] = "lock/1"

    python_version: str
    #: ``name==version`` sorted, each with the sha256 of its RECORD file or ""
    packages: Mapping[str, Any] = field(default_factory=dict)

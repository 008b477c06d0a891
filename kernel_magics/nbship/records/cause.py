"""Why an execution did not come to its end: the kind, and the evidence for it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class CauseKind(StrEnum):
    """What ended it."""

    #: a cell raised an exception
    ERROR = "error"
    #: a cell called ``sys.exit`` with another code than 0
    EXIT = "exit"
    CELL_TIMEOUT = "cell_timeout"
    JOB_TIMEOUT = "job_timeout"
    #: SIGINT: Ctrl-C
    INTERRUPTED = "interrupted"
    #: SIGTERM to whoever executes: preemption, a cancelled CI run
    TERMINATED = "terminated"
    #: a signal ended the kernel, and nothing tells why it was sent
    KERNEL_KILLED = "kernel_killed"
    #: the kernel ended its own process: ``os._exit``
    KERNEL_EXITED = "kernel_exited"
    #: memory of the machine, or of the cgroup, ran out
    OUT_OF_MEMORY = "out_of_memory"
    #: memory of a GPU ran out
    GPU_OUT_OF_MEMORY = "gpu_out_of_memory"
    #: a leased GPU is no longer there
    GPU_LOST = "gpu_lost"
    #: no space was left, or no quota
    DISK_FULL = "disk_full"
    #: the process that executes was killed
    WORKER_KILLED = "worker_killed"
    #: anything else: a kernel that does not start, a store that cannot be read
    OTHER = "other"


@dataclass(frozen=True, kw_only=True, slots=True)
class Sample:
    """How much a kernel used at one moment."""

    at: datetime
    #: resident memory of the kernel, and the share of its child processes
    memory_bytes: int
    #: of all leased GPUs together; None without GPUs
    gpu_memory_bytes: int | None = None
    #: mean of the leased GPUs, 0 to 100; None where the driver does not tell
    gpu_busy_percent: float | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class CellUsage:
    """How much one cell execution used."""

    #: highest resident memory that was seen
    peak_memory_bytes: int
    #: that peak, less the memory when the cell began
    memory_growth_bytes: int
    #: of all leased GPUs together; None without GPUs
    peak_gpu_memory_bytes: int | None = None
    #: mean over the cell, 0 to 100; None where the driver does not tell
    gpu_busy_percent: float | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Evidence:
    """What was seen of a kernel beside its exit code."""

    #: processes that the kernel's cgroup lost for lack of memory since the kernel began; None
    #: where no cgroup tells
    oom_kills: int | None = None
    #: the same of the whole machine; some may be other people's
    machine_oom_kills: int = 0
    #: limit of that cgroup; 0 where there is none, or it cannot be read
    memory_limit_bytes: int = 0
    #: the last ones, oldest first
    samples: tuple[Sample, ...] = ()
    #: UUIDs of leased GPUs that are no longer there
    lost_gpus: tuple[str, ...] = ()
    #: limit on resident memory beyond which the kernel was killed; 0 where it was not
    exceeded_bytes: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Cause:
    """Why an execution did not come to its end."""

    kind: CauseKind
    #: name of the signal, such as ``SIGKILL``; "" where none was involved
    signal: str = ""
    #: of the kernel's process, or the one that a cell gave to ``sys.exit``
    exit_code: int | None = None
    evidence: Evidence = Evidence()
    #: the cell to blame where the run has none that failed
    cell_id: str | None = None

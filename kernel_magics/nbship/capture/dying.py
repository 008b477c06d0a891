"""Why a kernel's process ended: what its exit code and the evidence say together."""

from __future__ import annotations

import signal

from nbship.records.cause import Cause, CauseKind, Evidence

_GIB, _MIB = float(1 << 30), float(1 << 20)


def death(exit_code: int | None, evidence: Evidence) -> tuple[Cause, str]:
    """Return cause and words for a kernel that died.

    Parameters
    ----------
    exit_code
        Of its process, negative for a signal; None where it is unknown.
    evidence
        What was seen of it.
    """
    name = signal_name(exit_code)
    kind, text = _told(exit_code, name, evidence)
    cause = Cause(kind=kind, signal=name, exit_code=exit_code, evidence=evidence)
    return cause, text + _last_seen(evidence)


def signal_name(exit_code: int | None) -> str:
    """Return the signal that an exit code tells of, such as ``SIGKILL``; "" for none."""
    if exit_code is None or exit_code >= 0:
        return ""
    known = set(signal.Signals)
    return signal.Signals(-exit_code).name if -exit_code in known else str(-exit_code)


def memory_text(size_bytes: int) -> str:
    """Write an amount of memory for people: ``1.5 GiB``, ``200 MiB``."""
    if size_bytes >= _GIB:
        return f"{size_bytes / _GIB:.3g} GiB"
    return f"{size_bytes / _MIB:.3g} MiB"


def _told(
    exit_code: int | None, name: str, evidence: Evidence
) -> tuple[CauseKind, str]:
    if evidence.lost_gpus:
        lost = ", ".join(evidence.lost_gpus)
        return CauseKind.GPU_LOST, f"{lost} was lost, and the kernel stopped"
    if evidence.exceeded_bytes:
        limit = memory_text(evidence.exceeded_bytes)
        return CauseKind.OUT_OF_MEMORY, f"the kernel used more memory than {limit}"
    if name == "SIGKILL":
        return _killed(evidence)
    if name:
        return CauseKind.KERNEL_KILLED, f"the kernel was killed by {name}"
    if exit_code is None:
        return CauseKind.KERNEL_KILLED, "the kernel died"
    return (
        CauseKind.KERNEL_EXITED,
        f"the kernel ended itself with exit code {exit_code}",
    )


def _killed(evidence: Evidence) -> tuple[CauseKind, str]:
    said = "the kernel was killed by SIGKILL"
    kills, limit = evidence.oom_kills, evidence.memory_limit_bytes
    if kills:
        room = f" of {memory_text(limit)}" if limit else ""
        text = f"{said}: memory ran out (its cgroup{room} counts oom_kill {kills})"
        return CauseKind.OUT_OF_MEMORY, text
    if kills == 0:
        return CauseKind.KERNEL_KILLED, f"{said}; memory had not run out"
    kills = evidence.machine_oom_kills
    if kills:
        text = f"{said}: memory may have run out (the machine counts oom_kill {kills})"
        return CauseKind.OUT_OF_MEMORY, text
    return CauseKind.KERNEL_KILLED, f"{said}; no cgroup tells whether memory ran out"


def _last_seen(evidence: Evidence) -> str:
    if not evidence.samples:
        return ""
    last = evidence.samples[-1]
    gpu = last.gpu_memory_bytes
    on_gpu = "" if gpu is None else f", and {memory_text(gpu)} on its GPUs"
    return f"; it last used {memory_text(last.memory_bytes)}{on_gpu}"

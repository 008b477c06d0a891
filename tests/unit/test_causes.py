"""What exit codes, evidence and exceptions say about the end of an execution."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from nbship.capture.dying import death
from nbship.capture.exhaustion import exhausted
from nbship.faces.report_words import usage
from nbship.records.cause import Cause, CauseKind, CellUsage, Evidence, Sample

GIB = 1 << 30
SAMPLE = Sample(
    at=datetime(2026, 1, 1, tzinfo=UTC), memory_bytes=3 * GIB, gpu_memory_bytes=GIB // 2
)
COUNTED = Evidence(oom_kills=1, memory_limit_bytes=200 << 20)


@pytest.mark.parametrize(
    ("exit_code", "evidence", "kind", "signal", "text"),
    [
        (
            -9,
            COUNTED,
            CauseKind.OUT_OF_MEMORY,
            "SIGKILL",
            (
                "the kernel was killed by SIGKILL: memory ran out "
                "(its cgroup of 200 MiB counts oom_kill 1)"
            ),
        ),
        (
            -9,
            Evidence(oom_kills=0, machine_oom_kills=3),
            CauseKind.KERNEL_KILLED,
            "SIGKILL",
            "the kernel was killed by SIGKILL; memory had not run out",
        ),
        (
            -9,
            Evidence(),
            CauseKind.KERNEL_KILLED,
            "SIGKILL",
            "the kernel was killed by SIGKILL; no cgroup tells whether memory ran out",
        ),
        (
            -9,
            Evidence(machine_oom_kills=2),
            CauseKind.OUT_OF_MEMORY,
            "SIGKILL",
            (
                "the kernel was killed by SIGKILL: memory may have run out "
                "(the machine counts oom_kill 2)"
            ),
        ),
        (
            -9,
            Evidence(oom_kills=0, exceeded_bytes=GIB),
            CauseKind.OUT_OF_MEMORY,
            "SIGKILL",
            "the kernel used more memory than 1 GiB",
        ),
        (
            -9,
            Evidence(oom_kills=0, lost_gpus=("GPU-1",)),
            CauseKind.GPU_LOST,
            "SIGKILL",
            "GPU-1 was lost, and the kernel stopped",
        ),
        (
            -11,
            COUNTED,
            CauseKind.KERNEL_KILLED,
            "SIGSEGV",
            "the kernel was killed by SIGSEGV",
        ),
        (
            3,
            Evidence(),
            CauseKind.KERNEL_EXITED,
            "",
            "the kernel ended itself with exit code 3",
        ),
        (None, Evidence(), CauseKind.KERNEL_KILLED, "", "the kernel died"),
    ],
)
def test_a_death_is_told_by_exit_code_and_evidence(
    exit_code, evidence, kind, signal, text
):
    why = Cause(kind=kind, signal=signal, exit_code=exit_code, evidence=evidence)
    assert death(exit_code, evidence) == (why, text)


def test_a_death_tells_what_was_last_seen():
    _, text = death(-9, Evidence(oom_kills=0, samples=(SAMPLE,)))
    assert text.endswith("; it last used 3 GiB, and 512 MiB on its GPUs")


HOST, GPU = CauseKind.OUT_OF_MEMORY, CauseKind.GPU_OUT_OF_MEMORY


@pytest.mark.parametrize(
    ("ename", "evalue", "kind"),
    [
        (
            "OutOfMemoryError",
            "CUDA out of memory. Tried to allocate 20.00 GiB. GPU 0 has a total capacity",
            GPU,
        ),
        ("RuntimeError", "CUDA error: out of memory\nCUDA kernel errors might be", GPU),
        ("RuntimeError", "CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling", GPU),
        ("OutOfMemoryError", "HIP out of memory. Tried to allocate 2.00 GiB", GPU),
        (
            "OutOfMemoryError",
            "Out of memory allocating 1,024 bytes (allocated so far: 0 bytes).",
            GPU,
        ),
        ("CudaAPIError", "[2] Call to cuMemAlloc: CUDA_ERROR_OUT_OF_MEMORY", GPU),
        (
            "XlaRuntimeError",
            "RESOURCE_EXHAUSTED: Out of memory while trying to allocate 8 bytes",
            GPU,
        ),
        ("ResourceExhaustedError", "OOM when allocating tensor with shape[1]", GPU),
        ("MemoryError", "", HOST),
        ("_ArrayMemoryError", "Unable to allocate 7.28 TiB for an array", HOST),
        (
            "RuntimeError",
            (
                "[enforce fail at alloc_cpu.cpp:117] err == 0. DefaultCPUAllocator: can't "
                "allocate memory: you tried to allocate 8 bytes. Error code 12"
            ),
            HOST,
        ),
        ("OSError", "[Errno 12] Cannot allocate memory", HOST),
        ("OSError", "[Errno 28] No space left on device", CauseKind.DISK_FULL),
        ("OSError", "[Errno 122] Disk quota exceeded: 'a'", CauseKind.DISK_FULL),
        ("ValueError", "memory is a fine thing", None),
        ("RuntimeError", "CUDA error: device-side assert triggered", None),
    ],
)
def test_what_ran_out_is_read_from_the_exception(ename, evalue, kind):
    assert exhausted(ename, evalue, has_gpus=True) is kind


def test_what_xla_calls_exhausted_is_the_machines_memory_where_there_is_no_gpu():
    text = "RESOURCE_EXHAUSTED: Out of memory allocating 8 bytes."
    assert exhausted("XlaRuntimeError", text, has_gpus=False) is HOST


def test_what_a_cell_used_is_written_for_people():
    used = CellUsage(peak_memory_bytes=GIB, memory_growth_bytes=5 << 20)
    on_gpu = CellUsage(
        peak_memory_bytes=GIB,
        memory_growth_bytes=0,
        peak_gpu_memory_bytes=2 * GIB,
        gpu_busy_percent=71.4,
    )
    assert usage(None) == ""
    assert usage(used) == "1024.0 MiB (+5.0 MiB)"
    assert usage(on_gpu) == "1024.0 MiB (+0 B), GPU 2048.0 MiB, 71 % busy"

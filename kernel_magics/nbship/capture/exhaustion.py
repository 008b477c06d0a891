"""Whether an exception says that something ran out: the machine's memory, a GPU's, the disk."""

from __future__ import annotations

import re

from nbship.records.cause import CauseKind

#: what PyTorch, CuPy, CUDA, cuBLAS, HIP, Numba and ONNX Runtime say
_GPU = re.compile(
    r"(CUDA|HIP|XPU|MPS backend)[^\n]*out of memory|out of memory[^\n]*(CUDA|GPU)"
    r"|CUDA_ERROR_OUT_OF_MEMORY|cudaErrorMemoryAllocation"
    r"|CU(BLAS|DNN|SOLVER|FFT|SPARSE)_STATUS_ALLOC_FAILED"
    r"|^Out of memory allocating [\d,]+ bytes \(allocated so far",
    re.IGNORECASE,
)
#: what XLA says, for GPUs and for the machine's own memory alike
_XLA = re.compile(r"RESOURCE_EXHAUSTED|ResourceExhaustedError|OOM when allocating")
_HOST = re.compile(
    r"DefaultCPUAllocator: (can't allocate memory|not enough memory)"
    r"|\[Errno 12\]|Cannot allocate memory|std::bad_alloc"
)
_HOST_NAMES = {
    "MemoryError",
    "_ArrayMemoryError",
    "ArrayMemoryError",
    "ArrowMemoryError",
}
_GPU_NAMES = {"OutOfMemoryError"}
_DISK = re.compile(r"\[Errno (28|122)\]|No space left on device|Disk quota exceeded")


def exhausted(ename: str, evalue: str, *, has_gpus: bool) -> CauseKind | None:
    """Tell what ran out, None where the exception says nothing of the kind.

    Parameters
    ----------
    ename, evalue
        Name and text of the exception.
    has_gpus
        False where the kernel sees no GPU: what XLA calls exhausted is then the machine's memory.
    """
    if _GPU.search(evalue) or (ename in _GPU_NAMES and not _HOST.search(evalue)):
        return CauseKind.GPU_OUT_OF_MEMORY
    if _XLA.search(f"{ename}: {evalue}"):
        return CauseKind.GPU_OUT_OF_MEMORY if has_gpus else CauseKind.OUT_OF_MEMORY
    if ename in _HOST_NAMES or _HOST.search(evalue):
        return CauseKind.OUT_OF_MEMORY
    return CauseKind.DISK_FULL if _DISK.search(evalue) else None

"""The GPUs of this machine, as NVML names them."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
from typing import TYPE_CHECKING

from nbship.records.environment import Accelerator

if TYPE_CHECKING:
    from collections.abc import Iterable

_TIMEOUT_S = 20
_MIB_PER_GIB = 1024
_QUERY = "uuid,name,memory.total,driver_version"


def accelerators() -> tuple[Accelerator, ...]:
    """List the GPUs: by pynvml where it is installed, else by nvidia-smi, else none."""
    return _from_nvml() or _from_smi()


def _from_nvml() -> tuple[Accelerator, ...]:
    try:
        import pynvml
    except ImportError:
        return ()
    with contextlib.suppress(pynvml.NVMLError):
        pynvml.nvmlInit()
        try:
            driver = _text(pynvml.nvmlSystemGetDriverVersion())
            handles = [
                pynvml.nvmlDeviceGetHandleByIndex(index)
                for index in range(pynvml.nvmlDeviceGetCount())
            ]
            return tuple(
                Accelerator(
                    uuid=_text(pynvml.nvmlDeviceGetUUID(handle)),
                    name=_text(pynvml.nvmlDeviceGetName(handle)),
                    memory_gib=_gib(
                        pynvml.nvmlDeviceGetMemoryInfo(handle).total / (1 << 20)
                    ),
                    driver=driver,
                )
                for handle in handles
            )
        finally:
            pynvml.nvmlShutdown()
    return ()


def _from_smi() -> tuple[Accelerator, ...]:
    program = shutil.which("nvidia-smi")
    if program is None:
        return ()
    try:
        done = subprocess.run(
            [program, f"--query-gpu={_QUERY}", "--format=csv,noheader,nounits"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_TIMEOUT_S,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return ()
    return read_smi(done.stdout.splitlines())


def read_smi(lines: Iterable[str]) -> tuple[Accelerator, ...]:
    """Read the lines of ``nvidia-smi --query-gpu=uuid,name,memory.total,driver_version``."""
    found = []
    for line in lines:
        fields = [part.strip() for part in line.split(",")]
        if len(fields) != len(_QUERY.split(",")):
            continue
        uuid, name, memory_mib, driver = fields
        with contextlib.suppress(ValueError):
            found.append(
                Accelerator(
                    uuid=uuid,
                    name=name,
                    memory_gib=_gib(float(memory_mib)),
                    driver=driver,
                )
            )
    return tuple(found)


def _gib(mib: float) -> float:
    return round(mib / _MIB_PER_GIB, 2)


def _text(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else value

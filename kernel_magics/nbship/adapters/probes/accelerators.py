"""The GPUs of this machine, as NVML names them: whole ones, and the instances of MIG."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

from nbship.records.environment import Accelerator, GpuSurvey

if TYPE_CHECKING:
    from collections.abc import Iterator

_LIBRARY = "libnvidia-ml.so.1"
_GIB = float(1 << 30)


def accelerators() -> tuple[Accelerator, ...]:
    """List the GPUs that a job could be given; see :func:`survey_gpus`."""
    return survey_gpus().accelerators


def survey_gpus() -> GpuSurvey:
    """Ask the driver which GPUs there are.

    A GPU in MIG mode cannot be used as a whole: its instances stand in its place. One that is
    lost, or that this process may not open, is left out, and a remark says so.

    Returns
    -------
    GpuSurvey
        The GPUs in NVML's order, and what was looked for in vain.
    """
    with opened_nvml() as (nvml, why):
        if nvml is None:
            return GpuSurvey(remarks=(why,))
        return _survey(nvml)


@contextlib.contextmanager
def opened_nvml() -> Iterator[tuple[Any, str]]:
    """Open NVML for a while.

    Yields
    ------
    tuple
        The module ``pynvml``, initialised; or None and why there is none.
    """
    import ctypes

    try:  # before pynvml: it is a large module, and most machines have no driver
        ctypes.CDLL(_LIBRARY)
    except OSError:
        yield None, f"the NVIDIA driver's library {_LIBRARY} was looked for, not found"
        return
    import pynvml

    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError as error:
        yield None, f"{_LIBRARY} was found, and says: {error}"
        return
    try:
        yield pynvml, ""
    finally:
        with contextlib.suppress(pynvml.NVMLError):
            pynvml.nvmlShutdown()


def _survey(nvml: Any) -> GpuSurvey:  # noqa: ANN401  # pynvml has no types
    found: list[Accelerator] = []
    remarks: list[str] = []
    try:
        driver = _text(nvml.nvmlSystemGetDriverVersion())
        count = nvml.nvmlDeviceGetCount()
    except nvml.NVMLError as error:
        return GpuSurvey(remarks=(f"{_LIBRARY} was found, and says: {error}",))
    for index in range(count):
        try:
            found += _devices(nvml, index, driver)
        except nvml.NVMLError as error:
            remarks.append(f"GPU {index} cannot be used: {error}")
    if not found and not remarks:
        remarks.append(f"the driver {driver} lists no GPU")
    return GpuSurvey(accelerators=tuple(found), remarks=tuple(remarks))


def _devices(nvml: Any, index: int, driver: str) -> list[Accelerator]:  # noqa: ANN401
    """Return a whole GPU, or the instances of one in MIG mode."""
    handle = nvml.nvmlDeviceGetHandleByIndex(index)
    whole = _accelerator(nvml, handle, index, driver)
    if not _is_mig(nvml, handle):
        return [whole]
    instances = []
    for place in range(nvml.nvmlDeviceGetMaxMigDeviceCount(handle)):
        try:
            instance = nvml.nvmlDeviceGetMigDeviceHandleByIndex(handle, place)
        except nvml.NVMLError_NotFound:  # a place without an instance
            continue
        instances.append(_accelerator(nvml, instance, index, driver, parent=whole.uuid))
    return instances


def _is_mig(nvml: Any, handle: Any) -> bool:  # noqa: ANN401
    try:
        current, _ = nvml.nvmlDeviceGetMigMode(handle)
    except (nvml.NVMLError_NotSupported, nvml.NVMLError_FunctionNotFound):
        return False
    return bool(current == nvml.NVML_DEVICE_MIG_ENABLE)


def _accelerator(
    nvml: Any,  # noqa: ANN401
    handle: Any,  # noqa: ANN401
    index: int,
    driver: str,
    *,
    parent: str = "",
) -> Accelerator:
    total = nvml.nvmlDeviceGetMemoryInfo(handle).total
    return Accelerator(
        uuid=_text(nvml.nvmlDeviceGetUUID(handle)),
        name=_text(nvml.nvmlDeviceGetName(handle)),
        memory_gib=round(total / _GIB, 2),
        driver=driver,
        index=index,
        parent_uuid=parent,
    )


def _text(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else value

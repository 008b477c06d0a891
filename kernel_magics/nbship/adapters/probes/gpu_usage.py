"""What leased GPUs are doing, and whether they are still there."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any, Self

from nbship.adapters.probes.accelerators import opened_nvml

if TYPE_CHECKING:
    from types import TracebackType

    from nbship.records.environment import Accelerator

#: times in a row that the driver must say that a GPU is gone
_CERTAIN = 2


class GpuUsage:
    """Reads memory and utilisation of some GPUs; without GPUs the driver is left alone.

    Parameters
    ----------
    gpus
        Those that were leased.
    """

    def __init__(self, gpus: tuple[Accelerator, ...]) -> None:
        self._uuids = tuple(one.uuid for one in gpus)
        self._missed = dict.fromkeys(self._uuids, 0)
        self._open = contextlib.ExitStack()
        self._nvml: Any = None

    @property
    def lost(self) -> tuple[str, ...]:
        """UUIDs of those that are gone."""
        return tuple(u for u, missed in self._missed.items() if missed >= _CERTAIN)

    def __enter__(self) -> Self:
        if self._uuids:
            self._nvml, _ = self._open.enter_context(opened_nvml())
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._open.close()

    def read(self) -> tuple[int | None, float | None]:
        """Return the memory that all of them use, and their mean utilisation in percent."""
        if self._nvml is None:
            return None, None
        used: list[int] = []
        busy: list[float] = []
        for uuid in self._uuids:
            with contextlib.suppress(self._nvml.NVMLError):
                used.append(self._memory(uuid))
                busy.append(self._utilisation(uuid))
        mean = sum(busy) / len(busy) if busy else None
        return (sum(used) if used else None), mean

    def _memory(self, uuid: str) -> int:
        nvml = self._nvml
        try:
            handle = nvml.nvmlDeviceGetHandleByUUID(uuid.encode())
            used: int = nvml.nvmlDeviceGetMemoryInfo(handle).used
        except (nvml.NVMLError_GpuIsLost, nvml.NVMLError_NotFound):
            self._missed[uuid] += 1
            raise
        self._missed[uuid] = 0
        return used

    def _utilisation(self, uuid: str) -> float:
        handle = self._nvml.nvmlDeviceGetHandleByUUID(uuid.encode())
        return float(self._nvml.nvmlDeviceGetUtilizationRates(handle).gpu)

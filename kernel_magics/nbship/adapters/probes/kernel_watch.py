"""Watch a kernel while it runs: its memory, its GPUs, and what the system killed for memory.

A thread takes samples. It begins a quarter of a second after the kernel, loads what it needs
only then, and takes a fiftieth of the time at most, so that short notebooks pay nothing.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from nbship.adapters.probes.cgroups import machine_oom_kills, memory_cgroup
from nbship.adapters.probes.confinement import Confinement
from nbship.adapters.probes.gpu_usage import GpuUsage
from nbship.adapters.probes.resident import Family, resident_bytes
from nbship.capture.dying import memory_text
from nbship.records.cause import CellUsage, Evidence, Sample

if TYPE_CHECKING:
    from collections.abc import Callable

    from nbship.adapters.probes.cgroups import MemoryCgroup
    from nbship.records.environment import Accelerator

_FIRST_S, _SHORTEST_S, _LONGEST_S = 0.25, 0.2, 1.0
#: between two samples, however much they cost
_RAREST_S = 5.0
_SLOWER, _SHARE = 1.25, 50.0
#: samples that an outcome shows
_LAST = 5
#: a reading of this age still tells how a cell began
_FRESH_S = 0.05


class KernelWatch:
    """Samples of one kernel.

    Parameters
    ----------
    gpus
        GPUs that were leased for it; others are not asked.
    limit_bytes
        Memory that the kernel may use; 0 is no limit. A cgroup holds it to that where one can
        be made, else it is killed when a sample shows more.
    may_confine
        False never makes a cgroup.
    """

    def __init__(
        self,
        *,
        gpus: tuple[Accelerator, ...] = (),
        limit_bytes: int = 0,
        may_confine: bool = True,
    ) -> None:
        self._gpus = gpus
        self._limit_bytes = limit_bytes
        self._may_confine = may_confine
        self._confinement: Confinement | None = None
        self._pid = 0
        self._stop_kernel: Callable[[], None] = _nothing
        self._over = threading.Event()
        self._thread: threading.Thread | None = None
        self._cgroup: MemoryCgroup | None = None
        self._kills_before: int | None = None
        self._machine_before = 0
        self._lock = threading.Lock()
        self._last: deque[Sample] = deque(maxlen=_LAST)
        self._lost: tuple[str, ...] = ()
        self._exceeded_bytes = 0
        self._cell = _Cell(began_s=0.0, before_bytes=0, highest_bytes=0)
        self._reading = (0.0, 0, 0)

    def begin(self, pid: int, stop_kernel: Callable[[], None]) -> None:
        """Begin to watch a kernel.

        Parameters
        ----------
        pid
            Its process.
        stop_kernel
            Kills it; called from the watching thread where a GPU is lost, or memory exceeded.
        """
        self._pid, self._stop_kernel = pid, stop_kernel
        if self._limit_bytes and self._may_confine:
            self._confinement = Confinement(pid, self._limit_bytes)
        self._machine_before = machine_oom_kills()
        self._note_cgroup()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    @property
    def limit_remark(self) -> str:
        """Who holds the kernel to its limit of memory; "" where it has none."""
        if not self._limit_bytes:
            return ""
        means = "a cgroup" if self._is_confined else "samples of its resident memory"
        return f"{memory_text(self._limit_bytes)}, by {means}"

    def cell_started(self) -> None:
        """Take note that a cell begins."""
        now_s = time.monotonic()
        if now_s - self._reading[0] > _FRESH_S:
            self._reading = (now_s, *resident_bytes(self._pid))
        _, before, highest = self._reading
        cell = _Cell(began_s=now_s, before_bytes=before, highest_bytes=highest)
        with self._lock:
            self._cell = cell

    def cell_ended(self) -> CellUsage | None:
        """Return what the cell used; None where it was too short to tell."""
        now_s = time.monotonic()
        if now_s - self._cell.began_s < _FRESH_S:
            return None
        now, highest = resident_bytes(self._pid)
        self._reading = (now_s, now, highest)
        with self._lock:
            return self._cell.usage(now, highest)

    def evidence(self) -> Evidence:
        """Return what was seen; the kernel may be gone."""
        with self._lock:
            return Evidence(
                oom_kills=self._new_kills(),
                machine_oom_kills=machine_oom_kills() - self._machine_before,
                memory_limit_bytes=self._cgroup.limit_bytes() if self._cgroup else 0,
                samples=tuple(self._last),
                lost_gpus=self._lost,
                exceeded_bytes=self._exceeded_bytes,
            )

    def close(self) -> None:
        """Take no more samples; the kernel has ended."""
        self._over.set()
        if self._thread is not None:
            self._thread.join(_LONGEST_S)
        if self._confinement is not None:
            self._confinement.close()

    def _watch(self) -> None:
        if self._over.wait(_FIRST_S):
            return
        family = Family(self._pid)  # imports; that is no sample's cost
        pause_s = _SHORTEST_S
        with GpuUsage(self._gpus) as gpus:
            while True:
                began_s = time.thread_time()
                memory = family.memory_bytes()
                if not memory:  # it has ended, or is about to
                    return
                self._take(memory, gpus)
                cost_s = time.thread_time() - began_s
                pause_s = min(_LONGEST_S, pause_s * _SLOWER)
                wished_s = min(_RAREST_S, max(pause_s, cost_s * _SHARE))
                if self._over.wait(wished_s):
                    return

    def _take(self, memory: int, gpus: GpuUsage) -> None:
        used, busy = gpus.read()
        sample = Sample(
            at=datetime.now(UTC),
            memory_bytes=memory,
            gpu_memory_bytes=used,
            gpu_busy_percent=busy,
        )
        exceeds = not self._is_confined and 0 < self._limit_bytes < memory
        with self._lock:
            self._last.append(sample)
            self._cell.take(sample)
            self._lost = gpus.lost
            self._exceeded_bytes = self._limit_bytes if exceeds else 0
        self._note_cgroup()
        if exceeds or gpus.lost:
            self._stop_kernel()

    @property
    def _is_confined(self) -> bool:
        return self._confinement is not None and self._confinement.is_in_force

    def _new_kills(self) -> int | None:
        now = None if self._cgroup is None else self._cgroup.oom_kills()
        if now is None or self._kills_before is None:
            return None
        return now - self._kills_before

    def _note_cgroup(self) -> None:
        """Find the kernel's cgroup; whoever enforces limits may move it into another."""
        found = memory_cgroup(self._pid)
        if found is None or found == self._cgroup:
            return
        # a process that is dying has left its cgroup for the topmost one
        if self._cgroup is not None and found.folder == found.top:
            return
        self._kills_before = found.oom_kills()
        self._cgroup = found


class _Cell:
    """The peaks of one cell execution."""

    def __init__(
        self, *, began_s: float, before_bytes: int, highest_bytes: int
    ) -> None:
        self.began_s = began_s
        self._before = before_bytes
        #: the highest that the kernel's process ever had, as the system counts
        self._highest_before = highest_bytes
        self._peak = before_bytes
        self._gpu_peak: int | None = None
        self._busy: list[float] = []

    def take(self, sample: Sample) -> None:
        self._peak = max(self._peak, sample.memory_bytes)
        if sample.gpu_memory_bytes is not None:
            self._gpu_peak = max(self._gpu_peak or 0, sample.gpu_memory_bytes)
        if sample.gpu_busy_percent is not None:
            self._busy.append(sample.gpu_busy_percent)

    def usage(self, now_bytes: int, highest_bytes: int) -> CellUsage | None:
        peak = max(self._peak, now_bytes)
        if highest_bytes > self._highest_before:  # reached within this cell
            peak = max(peak, highest_bytes)
        if not peak:
            return None
        busy = round(sum(self._busy) / len(self._busy), 1) if self._busy else None
        return CellUsage(
            peak_memory_bytes=peak,
            memory_growth_bytes=peak - self._before,
            peak_gpu_memory_bytes=self._gpu_peak,
            gpu_busy_percent=busy,
        )


def _nothing() -> None:
    """Stop no kernel: none was begun."""

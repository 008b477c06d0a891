"""The shipper: a process beside the kernel that mirrors one run and closes it if the kernel dies.

It reads the journal and never talks to the kernel. One shipper serves a run at a time, held
apart by a lock; it ends by itself when the run has ended and every tracker has it, or refused
it several times. What is left then is done by ``mlops sync``.
"""

from __future__ import annotations

import argparse
import os
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from nbship.errors import NbshipError
from nbship.records.run import EventKind
from nbship.workbench import Workbench
from nbship.workflow.recording import close_killed, interpreter_to_probe

if TYPE_CHECKING:
    from collections.abc import Callable

    from nbship.workflow.shipping import Shipment

_POLL_S = 0.3
_LONGEST_PAUSE_S = 30.0
#: attempts of one tracker after the run's end, with pauses of 4 s in all
_LAST_ATTEMPTS = 4
_NICENESS = 5


def main(words: list[str] | None = None) -> int:
    """Ship one run to its end."""
    parser = argparse.ArgumentParser(prog="python -m nbship.faces.shipper")
    parser.add_argument("store", type=Path)
    parser.add_argument("run")
    parser.add_argument("--project", type=Path)
    parser.add_argument("--watch-pid", type=int)
    parser.add_argument("--watch-only", action="store_true")
    given = parser.parse_args(words)
    os.nice(_NICENESS)
    bench = Workbench.over(given.store, project=given.project)
    if given.watch_only:
        bench = Workbench(replace(bench.settings, trackers=()))
    wait_s = 0.0 if given.watch_pid else 60.0
    with bench.shipping_lock(given.run, wait_s=wait_s) as is_held:
        if is_held:
            _Shipper(bench, given.run, given.watch_pid).work()
    return 0


class _Shipper:
    def __init__(self, bench: Workbench, run_id: str, watch_pid: int | None) -> None:
        self._bench = bench
        self._run_id = run_id
        self._watch_pid = watch_pid
        self._is_complete = threading.Event()

    def work(self) -> None:
        birth = self._bench.birth_of(self._watch_pid) if self._watch_pid else None
        threads = [
            threading.Thread(
                target=self._ship, args=(shipment,), name=shipment.tracker.name
            )
            for shipment in self._bench.shipments(self._run_id)
        ]
        for thread in threads:
            thread.start()
        try:
            _said(self._record_environment)
            if self._watch_pid:
                self._watch(self._watch_pid, birth)
        finally:
            self._is_complete.set()
        for thread in threads:
            thread.join()

    def _record_environment(self) -> None:
        """Probe the run's interpreter out of its process, where the run names one."""
        python = interpreter_to_probe(self._bench.store.journal(self._run_id).events())
        if python:
            recorder = self._bench.recorder(self._run_id)
            recorder.environment(self._bench.environment(python))

    def _watch(self, pid: int, birth: str | None) -> None:
        """Wait for the run's end, or for the process's, which ends the run."""
        journal, offset = self._bench.store.journal(self._run_id), 0
        while True:
            is_alive = birth is not None and self._bench.birth_of(pid) == birth
            for event, behind in journal.events_from(offset):
                offset = behind
                if event.kind is EventKind.RUN_ENDED:
                    return
            if not is_alive:
                _said(lambda: close_killed(self._bench.store, self._run_id))
                return
            time.sleep(_POLL_S)

    def _ship(self, shipment: Shipment) -> None:
        failures, is_last = 0, False
        while True:
            if not is_last and self._is_complete.is_set():
                failures, is_last = 0, True
            try:
                mirror = shipment.advance(may_close=is_last)
            except Exception as error:  # noqa: BLE001  # a tracker may fail in any way
                shipment.fail(error)
                failures += 1
                if is_last and failures >= _LAST_ATTEMPTS:
                    return
            else:
                failures = 0
                if mirror.is_closed or (is_last and not shipment.has_ended):
                    return
            self._pause(min(_POLL_S * 2.0**failures, _LONGEST_PAUSE_S), is_last=is_last)

    def _pause(self, duration_s: float, *, is_last: bool) -> None:
        """Wait; the run's end cuts short a wait that began before it."""
        if is_last:
            time.sleep(duration_s)
        else:
            self._is_complete.wait(duration_s)


def _said(act: Callable[[], object]) -> None:
    try:
        act()
    except (NbshipError, OSError) as error:
        print(f"nbship shipper: {error}", file=sys.stderr, flush=True)  # noqa: T201  # its log


if __name__ == "__main__":
    sys.exit(main())

"""The shipper of jobs: one process that mirrors the runs of all jobs of a store.

``python -m nbship.faces.jobs_shipper STORE``: its supervisor writes ``begin RUN`` and ``end RUN``
to its standard input. It follows journals while they grow, some seconds behind and at the lowest
priority of the system, so that trackers, whose libraries alone take seconds to load, slow no job.
When the supervisor is gone it finishes the runs that have ended, and leaves; what it could not
send, ``mlops sync`` does.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import selectors
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from nbship.workbench import Workbench

if TYPE_CHECKING:
    from nbship.workflow.shipping import Shipment

_POLL_S = 0.3
_LONGEST_PAUSE_S = 30.0
#: attempts of one tracker after the run's end
_LAST_ATTEMPTS = 4
_READ_BYTES = 65536
#: seconds that a run waits before it is mirrored: a burst of short jobs goes first
_PATIENCE_S = 10.0


def main(words: list[str] | None = None) -> int:
    """Ship until the supervisor is gone and the runs that have ended are mirrored."""
    parser = argparse.ArgumentParser(prog="python -m nbship.faces.jobs_shipper")
    parser.add_argument("store", type=Path)
    parser.add_argument("--project", type=Path)
    given = parser.parse_args(words)
    _step_back()
    _Fleet(Workbench.over(given.store, project=given.project)).work()
    return 0


def _step_back() -> None:
    """Take processor time that nobody else wants."""
    try:
        os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
    except (AttributeError, OSError):
        os.nice(19)


@dataclass(slots=True)
class _Leg:
    """A run on its way to one tracker."""

    shipment: Shipment
    failures: int = 0
    next_at_s: float = 0.0
    is_done: bool = False

    def advance(self, *, is_over: bool) -> None:
        try:
            mirror = self.shipment.advance()
        except Exception as error:  # noqa: BLE001  # a tracker may fail in any way
            self.shipment.fail(error)
            self.failures += 1
            pause_s = min(_POLL_S * 2.0**self.failures, _LONGEST_PAUSE_S)
            self.next_at_s = time.monotonic() + pause_s
            has_ended = self.shipment.has_ended or is_over
            self.is_done = has_ended and self.failures >= _LAST_ATTEMPTS
        else:
            self.failures = 0
            self.is_done = mirror.is_closed or (is_over and not self.shipment.has_ended)


@dataclass(slots=True)
class _Voyage:
    """A run that this process has taken on: nobody else ships it meanwhile."""

    held: contextlib.ExitStack
    legs: list[_Leg] = field(default_factory=list)
    is_over: bool = False


@dataclass(slots=True)
class _Wish:
    """A run that is to be mirrored."""

    due_at_s: float
    is_over: bool


class _Fleet:
    def __init__(self, bench: Workbench) -> None:
        self._bench = bench
        self._voyages: dict[str, _Voyage] = {}
        #: runs that are not taken on yet: too young, or in the hands of another process
        self._waiting: dict[str, _Wish] = {}
        self._arrived: set[str] = set()
        self._rest = b""
        self._is_alone = False
        # one thread a tracker: one that is down holds up no other
        self._pool = ThreadPoolExecutor(max(1, len(bench.settings.trackers)))

    def work(self) -> None:
        selector = selectors.DefaultSelector()
        selector.register(0, selectors.EVENT_READ)
        while not self._is_alone or self._voyages or self._waiting:
            is_busy = self._voyages or self._waiting
            if self._is_alone:
                time.sleep(_POLL_S)
            elif selector.select(_POLL_S if is_busy else None):
                self._listen()
            self._take_on()
            self._advance()
        self._pool.shutdown()

    def _listen(self) -> None:
        data = os.read(0, _READ_BYTES)
        self._is_alone = not data
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            word, _, run_id = line.decode().partition(" ")
            if run_id in self._voyages:
                self._voyages[run_id].is_over |= word == "end"
            elif run_id in self._waiting:
                self._waiting[run_id].is_over |= word == "end"
            elif run_id not in self._arrived:
                due_at_s = time.monotonic() + _PATIENCE_S
                self._waiting[run_id] = _Wish(due_at_s, word == "end")
        if self._is_alone:  # what runs still is for the next supervisor's shipper
            self._waiting = {
                run_id: _Wish(0.0, is_over=True)
                for run_id, wish in self._waiting.items()
                if wish.is_over
            }
            for run_id, voyage in list(self._voyages.items()):
                if not all(leg.shipment.has_ended for leg in voyage.legs):
                    self._leave(run_id)

    def _take_on(self) -> None:
        now_s = time.monotonic()
        for run_id, wish in list(self._waiting.items()):
            if wish.due_at_s > now_s:
                continue
            held = contextlib.ExitStack()
            if not held.enter_context(self._bench.shipping_lock(run_id, wait_s=0.0)):
                held.close()
                if self._is_alone:  # whoever has it finishes it
                    del self._waiting[run_id]
                continue
            del self._waiting[run_id]
            legs = [_Leg(shipment) for shipment in self._bench.shipments(run_id)]
            self._voyages[run_id] = _Voyage(held, legs, wish.is_over)

    def _advance(self) -> None:
        now_s = time.monotonic()
        by_tracker: dict[str, list[tuple[_Leg, bool]]] = {}
        for voyage in self._voyages.values():
            for leg in voyage.legs:
                if not leg.is_done and leg.next_at_s <= now_s:
                    lane = by_tracker.setdefault(leg.shipment.tracker.name, [])
                    lane.append((leg, voyage.is_over))
        list(self._pool.map(_advance_lane, by_tracker.values()))
        for run_id, voyage in list(self._voyages.items()):
            if all(leg.is_done for leg in voyage.legs):
                self._arrived.add(run_id)
                self._leave(run_id)

    def _leave(self, run_id: str) -> None:
        self._voyages.pop(run_id).held.close()


def _advance_lane(lane: list[tuple[_Leg, bool]]) -> None:
    for leg, is_over in lane:
        leg.advance(is_over=is_over)


if __name__ == "__main__":
    sys.exit(main())

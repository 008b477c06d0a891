"""The supervisor: one process per store that hands queued jobs to workers.

``python -m nbship.faces.supervisor STORE``: started by whoever queues a job where none lives, in a
session of its own, so that neither a shell, a kernel nor a Jupyter server takes it along. It waits
for descriptors: its bell, its workers' answers and ends, and locks that become free; when nothing
has been wanted for a while it leaves. Killed, it is followed by another one, which finds out from
the files what became of the attempts.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import selectors
import sys
import threading
import time
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from nbship.adapters.executors.bell import Bell
from nbship.adapters.executors.crew import Crew
from nbship.adapters.probes.accelerators import survey_gpus
from nbship.adapters.probes.environment_cache import cpus_here
from nbship.adapters.probes.processes import end_holders, stop_holders
from nbship.adapters.store.locks import file_lock, wait_until_free
from nbship.errors import (
    JobError,
    NbshipError,
    RecordFormatError,
    RecordNotFoundError,
)
from nbship.records.job import Outcome
from nbship.records.queue import TicketState
from nbship.workbench import Workbench
from nbship.workbench_queue import LOCK_NAME
from nbship.workflow.jobs import load_job
from nbship.workflow.supervising import begin, conclude, give_up, is_over, is_running

if TYPE_CHECKING:
    from nbship.adapters.executors.workers import WorkerProcess
    from nbship.records.job import Resources
    from nbship.records.queue import Ticket

#: how long an attempt that was cancelled may take to write its outcome
_GRACE_S = 30.0
#: how often a GPU that others hold is asked for
_LEASE_PAUSE_S = 0.5


def main(words: list[str] | None = None) -> int:
    """Supervise one store until nothing has been wanted for a while."""
    parser = argparse.ArgumentParser(prog="python -m nbship.faces.supervisor")
    parser.add_argument("store", type=Path)
    parser.add_argument("--project", type=Path)
    parser.add_argument("--workers", type=int, default=0)
    given = parser.parse_args(words)
    bench = Workbench.over(given.store, project=given.project)
    while True:
        with file_lock(bench.store.folder / LOCK_NAME, wait_s=0.0) as is_ours:
            if not is_ours:
                return 0
            _Supervisor(bench, given.workers or bench.workers).work()
        # whoever queued a job before the lock was free relied on us
        if not bench.queue.tickets():
            return 0


@dataclass(kw_only=True, slots=True)
class _Running:
    """An attempt that somebody works on."""

    ticket: Ticket
    resources: Resources
    #: None where it is an earlier supervisor's
    worker: WorkerProcess | None = None
    #: when it was told to end, by the monotonic clock
    told_at_s: float | None = None
    is_killed: bool = False


@dataclass(slots=True)
class _News:
    """What the threads that wait for locks have to say."""

    readable: int
    writable: int
    jobs: list[str] = field(default_factory=list)

    def tell(self, job_id: str) -> None:
        self.jobs.append(job_id)
        with contextlib.suppress(OSError):
            os.write(self.writable, b".")


class _Supervisor:
    def __init__(self, bench: Workbench, limit: int) -> None:
        self._bench, self._store, self._queue = bench, bench.store, bench.queue
        self._limit = limit
        self._running: dict[str, _Running] = {}
        self._crew = Crew(
            bench.store.folder,
            project=bench.settings.project,
            cpus=cpus_here(),
            survey=survey_gpus,
        )
        self._bell = Bell(bench.store.folder)
        self._news = _News(*os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK))
        self._is_waiting_for_lease = False
        self._busy_at_s = time.monotonic()
        self._selector = selectors.DefaultSelector()
        self._listen(self._bell.fileno(), self._take_bell)
        self._listen(self._news.readable, self._take_news)

    def work(self) -> None:
        for ticket in self._queue.tickets():
            if is_running(ticket):
                self._adopt(ticket)
        while True:
            self._serve()
            self._crew.pace(is_busy=bool(self._running))
            pause_s = self._pause_s()
            if pause_s is None:
                break
            for key, _ in self._selector.select(pause_s):
                key.data()
        self._queue.when_empty(self._crew.forget)
        self._crew.dismiss()
        self._bell.close()

    def _serve(self) -> None:
        """Do what there is to do about the tickets, in their order."""
        self._is_waiting_for_lease = False
        may_begin = True
        for ticket in self._queue.due(self._bench.clock.now()):
            self._busy_at_s = time.monotonic()
            try:
                if ticket.state is TicketState.CANCELLED:
                    self._cancel(ticket)
                elif ticket.state is TicketState.QUEUED and may_begin:
                    may_begin = self._begin(ticket)
            except (RecordNotFoundError, RecordFormatError) as error:
                self._set_aside(ticket, error)
            except JobError as error:  # somebody works on it by hand
                _say(error.message)
                later = self._bench.clock.now() + timedelta(seconds=_GRACE_S)
                self._queue.put_back(ticket.job_id, not_before_at=later)

    def _begin(self, ticket: Ticket) -> bool:
        """Begin an attempt where there is room; False where those behind it have to wait."""
        if len(self._running) >= self._limit:
            return False
        job = load_job(self._store, ticket.job_id)
        taken = sum(running.resources.cpus for running in self._running.values())
        if self._running and taken + job.resources.cpus > self._crew.cpus:
            return False
        lease = self._crew.lease(ticket, job.resources)
        if lease is None:
            self._is_waiting_for_lease = True
            return True
        try:
            worker = self._crew.free_worker(ticket, self._limit)
            project = self._crew.project_of(ticket)
            clock = self._bench.clock
            attempt = begin(
                self._store, self._queue, ticket, project=project, clock=clock
            )
            if attempt is None:
                return True
            self._hire(worker)
            self._running[ticket.job_id] = _Running(
                ticket=ticket, resources=job.resources, worker=worker
            )
            folder = self._store.attempt_folder(ticket.job_id, attempt.number)
            self._crew.assign(worker, folder.absolute(), lease)
            self._crew.mirror(ticket, "begin", attempt.run_id)
        finally:  # the worker has it by now
            lease.release()
        return True

    def _hire(self, worker: WorkerProcess) -> None:
        if worker.end not in self._selector.get_map():
            self._listen(worker.end, lambda: self._take_end(worker))
            self._listen(worker.channel.fileno(), lambda: self._take_answer(worker))

    def _take_answer(self, worker: WorkerProcess) -> None:
        if worker.heard():
            self._crew.release(worker)
            job_id = self._job_of(worker)
            if job_id is not None:
                self._find_out(job_id, worker.description)

    def _take_end(self, worker: WorkerProcess) -> None:
        """Bury a worker, and end its kernel; what it had written counts."""
        for descriptor in (worker.end, worker.channel.fileno()):
            self._selector.unregister(descriptor)
        self._crew.bury(worker)
        job_id = self._job_of(worker)
        if job_id is not None:
            ticket = self._queue.ticket(job_id)
            if ticket is not None and ticket.attempt:
                end_holders(self._lock_of(ticket))
            self._find_out(job_id, worker.description)

    def _take_bell(self) -> None:
        wished = self._bell.heard()
        self._limit = max(self._limit, wished or 0)
        self._busy_at_s = time.monotonic()

    def _take_news(self) -> None:
        with contextlib.suppress(BlockingIOError):
            os.read(self._news.readable, 4096)
        while self._news.jobs:
            self._find_out(self._news.jobs.pop(), "its worker")

    def _adopt(self, ticket: Ticket) -> None:
        """See to an attempt of an earlier supervisor."""
        try:
            resources = load_job(self._store, ticket.job_id).resources
            self._running[ticket.job_id] = _Running(ticket=ticket, resources=resources)
            self._find_out(ticket.job_id, "its worker")
        except (RecordNotFoundError, RecordFormatError) as error:
            self._set_aside(ticket, error)

    def _find_out(self, job_id: str, process: str) -> None:
        """Settle a job whose attempt is over, or wait until it is."""
        self._busy_at_s = time.monotonic()
        clock, ticket = self._bench.clock, self._queue.ticket(job_id)
        if ticket is None or not ticket.attempt:
            self._running.pop(job_id, None)
            return
        if not is_over(self._store, self._queue, ticket, clock=clock, process=process):
            self._follow(ticket)
            return
        self._running.pop(job_id, None)
        self._end_mirrors(ticket)
        backoff_s = self._bench.settings.backoff_s
        conclude(self._store, self._queue, job_id, clock=clock, backoff_s=backoff_s)

    def _end_mirrors(self, ticket: Ticket) -> None:
        folder = self._store.attempt_folder(ticket.job_id, ticket.attempt)
        if (folder / "outcome.json").is_file():
            run_id = self._store.load(Outcome, folder / "outcome.json").run_id
            self._crew.mirror(ticket, "end", run_id)

    def _follow(self, ticket: Ticket) -> None:
        """Wait, beside everything else, until nobody holds an attempt's lock."""
        lock, job_id, news = self._lock_of(ticket), ticket.job_id, self._news

        def wait() -> None:
            with contextlib.suppress(OSError):
                wait_until_free(lock)
            news.tell(job_id)

        threading.Thread(target=wait, daemon=True, name=job_id).start()

    def _cancel(self, ticket: Ticket) -> None:
        running = self._running.get(ticket.job_id)
        if running is None:
            project = self._crew.project_of(ticket)
            clock = self._bench.clock
            give_up(self._store, self._queue, ticket, project=project, clock=clock)
        elif running.told_at_s is None:
            running.told_at_s = time.monotonic()
            if running.worker is not None:
                running.worker.interrupt()
            else:
                stop_holders(self._lock_of(ticket))
        elif not running.is_killed and time.monotonic() > running.told_at_s + _GRACE_S:
            running.is_killed = True
            end_holders(self._lock_of(ticket))
            if running.worker is not None:
                running.worker.kill()

    def _pause_s(self) -> float | None:
        """Return how long nothing has to be done; None where it is time to leave."""
        now_s = time.monotonic()
        pauses = []
        waiting = self._queue.earliest()
        if not self._running and waiting is None:
            idle_s = self._busy_at_s + self._bench.settings.idle_s - now_s
            if idle_s <= 0:
                return None
            pauses.append(idle_s)
        elif waiting is not None and len(self._running) < self._limit:
            due_s = (waiting - self._bench.clock.now()).total_seconds()
            pauses += [due_s] if due_s > 0 else []
        told = [r.told_at_s for r in self._running.values() if r.told_at_s]
        pauses += [max(told_s + _GRACE_S - now_s, 0.1) for told_s in told]
        if self._is_waiting_for_lease or self._bell.fileno() is None:
            pauses.append(_LEASE_PAUSE_S)
        return min(pauses, default=_GRACE_S)

    def _set_aside(self, ticket: Ticket, error: NbshipError) -> None:
        """Drop a job that cannot be attempted: its folder is gone or cannot be read."""
        _say(f"{ticket.job_id} leaves the queue: {error.message}")
        self._running.pop(ticket.job_id, None)
        self._queue.drop(ticket.job_id)

    def _job_of(self, worker: WorkerProcess) -> str | None:
        jobs = self._running.items()
        return next((job_id for job_id, r in jobs if r.worker is worker), None)

    def _lock_of(self, ticket: Ticket) -> Path:
        number = ticket.attempt
        return self._store.attempt_folder(ticket.job_id, number) / "worker.lock"

    def _listen(self, descriptor: int | None, act: object) -> None:
        if descriptor is not None:
            self._selector.register(descriptor, selectors.EVENT_READ, act)


def _say(text: str) -> None:
    print(f"nbship supervisor: {text}", file=sys.stderr, flush=True)  # noqa: T201  # its log


if __name__ == "__main__":
    sys.exit(main())

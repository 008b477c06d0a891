"""The worker: a long-lived process that executes attempts, one at a time.

``python -m nbship.faces.worker STORE FD``: the descriptor is its end of the socket pair of
:mod:`nbship.adapters.executors.workers`. It lives in the environment of one submitter, keeps what
it has imported and its kernels' fork server warm from attempt to attempt, and outlives its
supervisor by the attempt at hand.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import sys
import time
import traceback
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nbship.adapters.executors.workers import assignments
from nbship.errors import NbshipError
from nbship.ports import Grant
from nbship.records.codec import from_json
from nbship.records.environment import Accelerator
from nbship.records.job import Attempt
from nbship.workbench import Workbench
from nbship.workflow.attempts import close_failed, run_attempt

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from nbship.adapters.executors.workers import Assignment
    from nbship.records.job import Job, Lock

#: imported while the first attempt is still on its way
_WARM = ("papermill", "nbship.faces.engine_execution", "nbship.faces.attend_data")
#: after that time the engine listens to SIGTERM, or the attempt is over
_AGAIN_S = 0.1
#: how long what the last attempt found installed at its end is what the next one begins with
_LOCK_S = 1.0


def main(words: list[str] | None = None) -> int:
    """Work until the supervisor lets go."""
    store, descriptor = words or sys.argv[1:]
    channel = socket.socket(fileno=int(descriptor))
    channel.set_inheritable(False)
    worker = _Worker(Path(store))
    for name in _WARM:
        import_module(name)
    for assignment, descriptors in assignments(channel):
        worker.work(assignment, descriptors)
    worker.close()
    return 0


class _Worker:
    """One attempt after the other, each with its own log."""

    def __init__(self, store: Path) -> None:
        self._store = store
        self._project = Path.cwd()
        self._bench: Workbench | None = None
        self._is_executing = False
        self._is_cancelled = False
        self._last_lock: tuple[str, Lock | None, float] = ("", None, 0.0)
        self._stop: Any = _Deferred(self._deferred)
        signal.signal(signal.SIGTERM, self._stop)
        signal.signal(signal.SIGALRM, lambda *_: os.kill(os.getpid(), signal.SIGTERM))

    def work(self, assignment: Assignment, descriptors: tuple[int, ...]) -> None:
        folder = Path(assignment.folder)
        self._is_cancelled = False
        try:
            with _words_in(folder / "log.txt"):
                self._attempt(folder, assignment, descriptors)
        finally:
            for descriptor in descriptors:
                os.close(descriptor)

    def close(self) -> None:
        if self._bench is not None:
            self._bench.launcher.close()

    def _attempt(
        self, folder: Path, assignment: Assignment, descriptors: tuple[int, ...]
    ) -> None:
        try:
            bench = self._fresh_bench()
            attempt = bench.store.load(Attempt, folder / "attempt.json")
            grant = Grant(
                environ=dict(assignment.environ),
                held_fds=descriptors,
                gpus=tuple(from_json(Accelerator, gpu) for gpu in assignment.gpus),
                is_mirrored=assignment.is_mirrored,
            )
            is_granted = assignment.is_granted
            worker = bench.attempt_worker(grant, is_granted=is_granted)
            execute = self._interruptible(worker.execute)
            lock = self._quick(worker.lock)
            run_attempt(attempt, replace(worker, execute=execute, lock=lock))
        except Exception as error:  # noqa: BLE001  # ends one attempt, not the worker
            is_ours = isinstance(error, NbshipError)
            _say(str(error) if is_ours else traceback.format_exc())
            self._close_failed(folder, error)

    def _close_failed(self, folder: Path, error: Exception) -> None:
        """Say in the outcome why there is no better one; a full disk takes not even that."""
        message = error.message if isinstance(error, NbshipError) else str(error)
        bench = self._fresh_bench()
        with contextlib.suppress(NbshipError):
            close_failed(
                bench.store,
                bench.store.load(Attempt, folder / "attempt.json"),
                clock=bench.clock,
                cause=f"{type(error).__name__}: {message}",
            )

    def _fresh_bench(self) -> Workbench:
        """Read the project's settings anew; what is warm stays."""
        bench = Workbench.over(self._store, project=self._project)
        if self._bench is not None:
            bench.launcher = self._bench.launcher
        self._bench = bench
        return bench

    def _quick(self, lock: Callable[[Job], Lock]) -> Callable[[Job], Lock]:
        """Ask for a lock once between two attempts that follow each other at once."""
        has_begun = False

        def known(job: Job) -> Lock:
            nonlocal has_begun
            name, found, at_s = self._last_lock
            is_recent = time.monotonic() < at_s + _LOCK_S
            if has_begun or found is None or name != job.kernel_name or not is_recent:
                found = lock(job)
            has_begun = True
            self._last_lock = (job.kernel_name, found, time.monotonic())
            return found

        return known

    def _interruptible(
        self, execute: Callable[[Job, Attempt, Path, Grant], str]
    ) -> Callable[[Job, Attempt, Path, Grant], str]:
        def executed(job: Job, attempt: Attempt, source: Path, grant: Grant) -> str:
            self._is_executing = True
            try:
                if self._is_cancelled:
                    raise KeyboardInterrupt
                return execute(job, attempt, source, grant)
            finally:
                self._is_executing = False

        return executed

    def _deferred(self) -> None:
        """Take a SIGTERM that came while the engine did not listen: it comes again."""
        self._is_cancelled = True
        if self._is_executing:
            signal.setitimer(signal.ITIMER_REAL, _AGAIN_S)


class _Deferred:
    """The worker's handler of SIGTERM; the engine puts its own in its place."""

    gives_way = True

    def __init__(self, act: Callable[[], None]) -> None:
        self._act = act

    def __call__(self, _number: int, _frame: object) -> None:
        self._act()


@contextlib.contextmanager
def _words_in(log: Path) -> Iterator[None]:
    """Send what this process and its children say to a file while the block runs."""
    _flush()
    kept = os.dup(1), os.dup(2)
    try:
        file = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC)
    except OSError as error:
        _say(f"{log}: {error}")
        file = os.dup(1)
    try:
        os.dup2(file, 1)
        os.dup2(file, 2)
        yield
    finally:
        _flush()
        os.dup2(kept[0], 1)
        os.dup2(kept[1], 2)
        for descriptor in (*kept, file):
            os.close(descriptor)


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):
            stream.flush()


def _say(text: str) -> None:
    print(text.rstrip(), file=sys.stderr, flush=True)  # noqa: T201  # the attempt's log


if __name__ == "__main__":
    sys.exit(main())

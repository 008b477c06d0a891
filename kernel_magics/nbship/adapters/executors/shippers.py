"""The processes that mirror the runs of jobs, one for each environment that names trackers."""

from __future__ import annotations

import contextlib
import os
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from nbship.errors import NbshipError
from nbship.settings import read_settings

if TYPE_CHECKING:
    from nbship.adapters.executors.surroundings import Surroundings


class Shippers:
    """Started when a run begins whose project mirrors its runs.

    Parameters
    ----------
    store
        The store's folder.
    """

    def __init__(self, store: Path) -> None:
        self._store = store
        self._processes: dict[str, subprocess.Popen[bytes] | None] = {}
        self._is_busy = True

    def tell(self, word: str, run_id: str, surroundings: Surroundings) -> None:
        """Say that a run begins, or that nothing more happens in it: ``begin``, ``end``."""
        name = surroundings.name
        known = self._processes.get(name)
        if name not in self._processes or (known and known.poll() is not None):
            self._processes[name] = self._started(surroundings)
        process = self._processes[name]
        if process is not None and process.stdin is not None:
            with contextlib.suppress(OSError):
                process.stdin.write(f"{word} {run_id}\n".encode())
                process.stdin.flush()

    def pace(self, *, is_busy: bool) -> None:
        """Let them have the processor where no job wants it; the system may forbid it."""
        if is_busy == self._is_busy:
            return
        self._is_busy = is_busy
        policy = os.SCHED_IDLE if is_busy else os.SCHED_OTHER
        for process in self._processes.values():
            if process is not None and process.poll() is None:
                with contextlib.suppress(OSError):
                    for thread in Path(f"/proc/{process.pid}/task").iterdir():
                        none = os.sched_param(0)
                        os.sched_setscheduler(int(thread.name), policy, none)

    def dismiss(self) -> None:
        """Let them leave when what has ended is mirrored."""
        for process in self._processes.values():
            if process is not None and process.stdin is not None:
                with contextlib.suppress(OSError):
                    process.stdin.close()

    def _started(self, surroundings: Surroundings) -> subprocess.Popen[bytes] | None:
        project = surroundings.project
        try:
            settings = read_settings(project, environ=surroundings.environ)
            if not settings.trackers:
                return None
            words = [surroundings.python, "-m", "nbship.faces.jobs_shipper"]
            words += [str(self._store), "--project", str(project)]
            with (self._store / "shipper.log").open("ab") as said:
                return subprocess.Popen(
                    words,
                    env=dict(surroundings.environ),
                    stdin=subprocess.PIPE,
                    stdout=said,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                )
        except (NbshipError, OSError):  # `mlops sync` says more
            return None

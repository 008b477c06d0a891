"""The executor ``process``: one child process per attempt, on this machine."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

from nbship import variables
from nbship.errors import StoreError

if TYPE_CHECKING:
    from pathlib import Path

_GRACE_S = 30.0


class ProcessExecutor:
    """Starts ``mlops exec ATTEMPT`` as a child with a session of its own."""

    def start(self, attempt_folder: Path, *, project: Path) -> ProcessAttempt:
        """Start an attempt; its words go to ``log.txt``.

        Parameters
        ----------
        attempt_folder
            The whole contract with the worker.
        project
            The worker's working folder.

        Raises
        ------
        StoreError
            If the log cannot be written.
        """
        log = attempt_folder / "log.txt"
        command = [
            sys.executable,
            "-m",
            "nbship.faces.cli",
            "exec",
            str(attempt_folder),
        ]
        try:
            with log.open("ab") as file:
                child = subprocess.Popen(
                    command,
                    cwd=project,
                    env=_environment(),
                    stdin=subprocess.DEVNULL,
                    stdout=file,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                )
        except OSError as error:
            raise StoreError(
                f"{log}: cannot be written: {error.strerror}",
                hint="Look at that folder and at the space on its file system.",
            ) from error
        return ProcessAttempt(child)


class ProcessAttempt:
    """A worker that was started here."""

    def __init__(self, child: subprocess.Popen[bytes]) -> None:
        self._child = child

    @property
    def description(self) -> str:
        """What it is, for a cause."""
        return f"the worker (process {self._child.pid})"

    def wait(self, timeout_s: float) -> int | None:
        """Return the exit code, negative for a signal; None where it runs still."""
        try:
            return self._child.wait(timeout_s)
        except subprocess.TimeoutExpired:
            return None

    def stop(self) -> None:
        """End the worker as Ctrl-C would, and wait until it has written its outcome."""
        self._child.send_signal(signal.SIGTERM)
        if self.wait(_GRACE_S) is None:
            self._child.kill()
            self._child.wait()


def _environment() -> dict[str, str]:
    """Return the environment without what belongs to the run that submits from a kernel."""
    ours = {variables.RUN_FOLDER, variables.NOTEBOOK, "JPY_PARENT_PID"}
    kept = {key: value for key, value in os.environ.items() if key not in ours}
    return kept | {"PYTHONUNBUFFERED": "1"}

"""Watch an attempt until it has an outcome."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from nbship.errors import JobError

if TYPE_CHECKING:
    from nbship.ports import StartedAttempt
    from nbship.records.job import Attempt, Job, Outcome
    from nbship.workbench import Workbench

_PAUSE_S = 0.2


def watch(workbench: Workbench, job: Job, attempt: Attempt) -> Outcome:
    """Start an attempt, show its cells on stderr, and return its outcome.

    Ctrl-C stops the attempt; its outcome then says that it was interrupted.

    Raises
    ------
    JobError
        If another process took the attempt.
    StoreError
        If the store cannot be written.
    """
    from nbship.workflow.attempts import close_abandoned

    folder = workbench.store.attempt_folder(job.id, attempt.number)
    progress = Progress(workbench, job, attempt)
    started = workbench.executor.start(folder, project=workbench.settings.project)
    try:
        _wait(started, progress)
    except KeyboardInterrupt:
        started.stop()
    progress.show()
    progress.end()
    outcome = close_abandoned(
        workbench.store,
        attempt,
        clock=workbench.clock,
        process=started.description,
    )
    if outcome is None:
        raise JobError(
            f"attempt {attempt.number} at {job.id}: another process works on it",
            hint=f"Watch it with `mlops logs {job.id}`.",
        )
    return outcome


def _wait(started: StartedAttempt, progress: Progress) -> None:
    while started.wait(_PAUSE_S) is None:
        progress.show()


class Progress:
    """The cells of an attempt, counted on stderr.

    Parameters
    ----------
    workbench, job, attempt
        What is watched.
    """

    def __init__(self, workbench: Workbench, job: Job, attempt: Attempt) -> None:
        snapshot = workbench.store.job_folder(job.id) / "input.ipynb"
        _, notebook = workbench.notebook(snapshot)
        cells = [cell for cell in notebook.code_cells if cell.source.strip()]
        self._total = len(cells) + bool(job.values)
        self._journal = workbench.store.journal(attempt.run_id)
        self._offset = 0
        self._started = 0
        self._shown = -1
        self._title = f"{job.id} attempt {attempt.number}"

    def show(self) -> None:
        """Say how many cells have begun, where that has changed."""
        from nbship.records.run import EventKind

        for event, offset in self._journal.events_from(self._offset):
            self._offset = offset
            self._started += event.kind is EventKind.CELL_STARTED
        if self._started != self._shown:
            self._shown = self._started
            count = min(self._started, self._total)
            self._say(f"{self._title}: cell {count}/{self._total}")

    def end(self) -> None:
        """Leave the line."""
        if sys.stderr.isatty():
            sys.stderr.write("\n")

    def _say(self, text: str) -> None:
        is_terminal = sys.stderr.isatty()
        sys.stderr.write(f"\r\x1b[K{text}" if is_terminal else f"{text}\n")
        sys.stderr.flush()

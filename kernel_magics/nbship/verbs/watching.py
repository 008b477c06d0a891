"""Watch an attempt until it has an outcome."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, Protocol

from nbship.errors import JobError

if TYPE_CHECKING:
    from nbship.ports import StartedAttempt
    from nbship.records.job import Attempt, Job, Outcome
    from nbship.workbench import Workbench

_PAUSE_S = 0.2


def watch(
    workbench: Workbench, job: Job, attempt: Attempt, *, line: ProgressLine
) -> Outcome:
    """Start an attempt, show its cells as they begin, and return its outcome.

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
    progress = Progress(workbench, job, attempt, line=line)
    started = workbench.executor.start(folder, project=workbench.settings.project)
    try:
        _wait(started, progress)
    except KeyboardInterrupt:
        started.stop()
    progress.show()
    line.end()
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


class ProgressLine(Protocol):
    """One line that is written again and again."""

    def show(self, text: str) -> None:
        """Write the line anew."""

    def end(self) -> None:
        """Leave the line."""


class TerminalLine:
    """The line on stderr; where that is no terminal, each text is a line of its own."""

    def show(self, text: str) -> None:
        """Write the line anew."""
        is_terminal = sys.stderr.isatty()
        sys.stderr.write(f"\r\x1b[K{text}" if is_terminal else f"{text}\n")
        sys.stderr.flush()

    def end(self) -> None:
        """Leave the line."""
        if sys.stderr.isatty():
            sys.stderr.write("\n")


class NotebookLine:
    """The line as one output of a cell, which is updated in place."""

    def __init__(self) -> None:
        self._handle: Any = None

    def show(self, text: str) -> None:
        """Write the line anew."""
        from IPython.display import display

        shown = {"text/plain": text}
        if self._handle is None:
            self._handle = display(shown, raw=True, display_id=True)
        else:
            self._handle.update(shown, raw=True)

    def end(self) -> None:
        """Leave the line as it is."""


class Progress:
    """The cells of an attempt, counted.

    Parameters
    ----------
    workbench, job, attempt
        What is watched.
    line
        Where the count is shown.
    """

    def __init__(
        self, workbench: Workbench, job: Job, attempt: Attempt, *, line: ProgressLine
    ) -> None:
        snapshot = workbench.store.job_folder(job.id) / "input.ipynb"
        _, notebook = workbench.notebook(snapshot)
        cells = [cell for cell in notebook.code_cells if cell.source.strip()]
        self._total = len(cells) + bool(job.values)
        self._journal = workbench.store.journal(attempt.run_id)
        self._offset = 0
        self._started = 0
        self._shown = -1
        self._title = f"{job.id} attempt {attempt.number}"
        self._line = line

    def show(self) -> None:
        """Say how many cells have begun, where that has changed."""
        from nbship.records.run import EventKind

        for event, offset in self._journal.events_from(self._offset):
            self._offset = offset
            self._started += event.kind is EventKind.CELL_STARTED
        if self._started != self._shown:
            self._shown = self._started
            count = min(self._started, self._total)
            self._line.show(f"{self._title}: cell {count}/{self._total}")

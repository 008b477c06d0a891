"""Watch jobs until they have settled."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Any, Protocol

from nbship.errors import JobError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nbship.records.job import Attempt, Outcome
    from nbship.records.queue import Ticket
    from nbship.verbs.answer import Context
    from nbship.verbs.tailing import LogTail
    from nbship.workbench import Workbench

_PAUSE_S = 0.2
#: how often a supervisor is looked for
_CARE_S = 1.0
#: supervisors that may end without an effect before that is an error
_SUPERVISORS = 3
#: a supervisor needs that much to begin an attempt
_PROBE_BYTES = 65536


def watch(
    workbench: Workbench,
    job_ids: Sequence[str],
    *,
    line: ProgressLine,
    owns: bool,
    tail: LogTail | None = None,
) -> list[Outcome]:
    """Show how jobs go until they have settled, and return their outcomes.

    Parameters
    ----------
    workbench
        The store, and its queue.
    job_ids
        Jobs that are queued, running, or settled.
    line
        Where their progress is shown.
    owns
        True where Ctrl-C gives the jobs up, and they are waited for; False where it only ends
        the watching.
    tail
        Shows what the jobs say, where that is wanted.

    Raises
    ------
    KeyboardInterrupt
        If the watching was ended, or giving up was hurried.
    JobError
        If no supervisor stays alive, or a job was never queued.
    StoreError
        If the store cannot be written.
    """
    watching = _Watching(workbench, job_ids, line, tail)
    try:
        watching.run()
    except KeyboardInterrupt:
        if not owns:
            raise
        for job_id in job_ids:
            workbench.cancel(job_id)
        watching.run()
    finally:
        line.end()
    return [watching.outcomes[job_id] for job_id in job_ids]


class _Watching:
    def __init__(
        self,
        workbench: Workbench,
        job_ids: Sequence[str],
        line: ProgressLine,
        tail: LogTail | None,
    ) -> None:
        self._tail = tail
        self.outcomes: dict[str, Outcome] = {}
        self._workbench = workbench
        self._job_ids = job_ids
        self._line = line
        self._progress: dict[str, Progress] = {}
        self._shown = ""
        self._cared_at_s = time.monotonic()
        self._supervisors = 0

    def run(self) -> None:
        while True:
            tickets = self._workbench.queue.tickets()
            if self._tail is not None:
                self._tail.show(line=self._line)
            self._take_settled({ticket.job_id for ticket in tickets})
            self._show(tickets)
            if len(self.outcomes) == len(set(self._job_ids)):
                return
            self._care(tickets)
            self._workbench.queue.wait(_PAUSE_S)

    def _take_settled(self, wanted: set[str]) -> None:
        from nbship.workflow.queueing import settled_outcome

        for job_id in self._job_ids:
            if job_id not in wanted and job_id not in self.outcomes:
                outcome = settled_outcome(self._workbench.store, job_id)
                self.outcomes[job_id] = outcome
                self._supervisors = 0

    def _show(self, tickets: Sequence[Ticket]) -> None:
        places = {ticket.job_id: place for place, ticket in enumerate(tickets)}
        if len(self._job_ids) == 1:
            text = self._words(self._job_ids[0], tickets, places)
        else:
            open_ids = [j for j in self._job_ids if j not in self.outcomes]
            running = [j for j in open_ids if tickets[places[j]].attempt]
            shown = running if self._line.is_live else []
            parts = [self._words(job_id, tickets, places) for job_id in shown]
            total, ended = len(self._job_ids), len(self.outcomes)
            text = "; ".join([f"{ended} of {total} jobs have settled", *parts])
        was_covered = (
            self._tail is not None and self._tail.has_shown and sys.stderr.isatty()
        )
        if text != self._shown or was_covered:
            self._shown = text
            self._line.show(text)

    def _words(
        self, job_id: str, tickets: Sequence[Ticket], places: dict[str, int]
    ) -> str:
        if job_id in self.outcomes:
            number = self.outcomes[job_id].attempt
        elif tickets[places[job_id]].attempt:
            number = tickets[places[job_id]].attempt
        else:
            ahead = sum(1 for t in tickets[: places[job_id]] if not t.attempt)
            return f"{job_id} queued, {ahead} before it"
        progress = self._progress.get(job_id)
        if progress is None or progress.number != number:
            progress = Progress.of(self._workbench, job_id, number)
            if progress is None:  # its folder is still being made
                return f"{job_id} attempt {number} begins"
            self._progress[job_id] = progress
        return progress.words()

    def _care(self, tickets: Sequence[Ticket]) -> None:
        """Follow a supervisor that was killed by another one."""
        if time.monotonic() < self._cared_at_s + _CARE_S:
            return
        self._cared_at_s = time.monotonic()
        if self._workbench.has_supervisor:
            return
        if self._supervisors >= _SUPERVISORS:
            self._give_up(tickets)
        self._supervisors += 1
        self._workbench.start_supervisor()

    def _give_up(self, tickets: Sequence[Ticket]) -> None:
        """Say why no supervisor can work, as far as that shows from here.

        Raises
        ------
        JobError
            If the attempts can be closed from here.
        StoreError
            If the store cannot be written, which is the reason.
        """
        from nbship.records.job import Attempt
        from nbship.workflow.attempts import close_abandoned

        store, clock = self._workbench.store, self._workbench.clock
        for ticket in tickets:
            path = store.attempt_folder(ticket.job_id, ticket.attempt) / "attempt.json"
            if ticket.job_id in self._job_ids and path.is_file():
                attempt = store.load(Attempt, path)
                close_abandoned(store, attempt, clock=clock, process="its worker")
        probe = store.folder / "space.probe"
        store.write_bytes(bytes(_PROBE_BYTES), probe)
        probe.unlink()
        raise JobError(
            f"{store.folder}: no supervisor stays alive",
            hint=f"Read {store.folder / 'supervisor.log'}.",
        )


def progress_line(context: Context) -> ProgressLine:
    """Return the line for where a verb was called."""
    return TerminalLine() if context.session is None else NotebookLine()


class ProgressLine(Protocol):
    """One line that is written again and again."""

    @property
    def is_live(self) -> bool:
        """Whether it is written over; else each text stays."""
        ...

    def show(self, text: str) -> None:
        """Write the line anew."""

    def clear(self) -> None:
        """Take the line away, for text that stays."""

    def end(self) -> None:
        """Leave the line."""


class TerminalLine:
    """The line on stderr; where that is no terminal, each text is a line of its own."""

    @property
    def is_live(self) -> bool:
        """Whether it is written over; else each text stays."""
        return sys.stderr.isatty()

    def show(self, text: str) -> None:
        """Write the line anew."""
        is_terminal = sys.stderr.isatty()
        sys.stderr.write(f"\r\x1b[K{text}" if is_terminal else f"{text}\n")
        sys.stderr.flush()

    def clear(self) -> None:
        """Take the line away, for text that stays."""
        if sys.stderr.isatty():
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()

    def end(self) -> None:
        """Leave the line."""
        if sys.stderr.isatty():
            sys.stderr.write("\n")


class NotebookLine:
    """The line as one output of a cell, which is updated in place."""

    is_live = True

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

    def clear(self) -> None:
        """Do nothing: other outputs stand beside it."""

    def end(self) -> None:
        """Leave the line as it is."""


class Progress:
    """The cells of an attempt, counted.

    Parameters
    ----------
    workbench
        The store.
    attempt
        What is watched.
    """

    def __init__(self, workbench: Workbench, attempt: Attempt) -> None:
        from nbship.workflow.jobs import load_job

        store, job_id = workbench.store, attempt.job_id
        _, notebook = workbench.notebook(store.job_folder(job_id) / "input.ipynb")
        cells = [cell for cell in notebook.code_cells if cell.source.strip()]
        self.number = attempt.number
        self._total = len(cells) + bool(load_job(store, job_id).values)
        self._journal = store.journal(attempt.run_id)
        self._offset = 0
        self._started = 0
        self._title = f"{job_id} attempt {attempt.number}"

    @classmethod
    def of(cls, workbench: Workbench, job_id: str, number: int) -> Progress | None:
        """Return the progress of an attempt; None where its folder is not there."""
        from nbship.records.job import Attempt

        store = workbench.store
        path = store.attempt_folder(job_id, number) / "attempt.json"
        return cls(workbench, store.load(Attempt, path)) if path.is_file() else None

    def words(self) -> str:
        """Say how many cells have begun."""
        from nbship.records.run import EventKind

        for event, offset in self._journal.events_from(self._offset):
            self._offset = offset
            self._started += event.kind is EventKind.CELL_STARTED
        return f"{self._title}: cell {min(self._started, self._total)}/{self._total}"

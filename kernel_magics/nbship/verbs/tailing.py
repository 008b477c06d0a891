"""The log of a job while it grows, attempt by attempt."""

from __future__ import annotations

import codecs
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nbship.verbs.watching import ProgressLine
    from nbship.workbench import Workbench


class LogTail:
    """Writes to stdout what the log of a job holds beyond what was written.

    Parameters
    ----------
    workbench
        The store.
    job_id
        The job; it begins with its newest attempt.
    """

    def __init__(self, workbench: Workbench, job_id: str) -> None:
        #: whether the last call wrote something
        self.has_shown = False
        self._store = workbench.store
        self._job_id = job_id
        self._number = 0
        self._offset = 0
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")

    def show(self, *, line: ProgressLine | None = None) -> None:
        """Write what is new; a line that stands on the terminal gives way."""
        from nbship.workflow.jobs import attempt_numbers

        self.has_shown = False
        numbers = attempt_numbers(self._store, self._job_id)
        for number in numbers if self._number else numbers[-1:]:
            if number > self._number:
                self._number, self._offset = number, 0
            if number == self._number:
                self._write(self._news(), line)

    def _news(self) -> str:
        folder = self._store.attempt_folder(self._job_id, self._number)
        try:
            with (folder / "log.txt").open("rb") as file:
                file.seek(self._offset)
                data = file.read()
        except FileNotFoundError:
            return ""
        self._offset += len(data)
        return self._decoder.decode(data)

    def _write(self, text: str, line: ProgressLine | None) -> None:
        if not text:
            return
        self.has_shown = True
        if line is not None:
            line.clear()
        sys.stdout.write(text)
        sys.stdout.flush()

"""Follow a run while its journal grows; each event is read once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nbship.capture.folding import Folding

if TYPE_CHECKING:
    from nbship.ports import Store
    from nbship.records.run import Run


class RunReader:
    """Reads the journal of one run from where it stopped the last time.

    Parameters
    ----------
    store
        Holds the journal.
    run_id
        The run.
    """

    def __init__(self, store: Store, run_id: str) -> None:
        self._journal = store.journal(run_id)
        self._run_id = run_id
        self._folding = Folding()
        self._offset_bytes = 0

    @property
    def has_started(self) -> bool:
        """Whether the run's start was read."""
        return self._folding.started_at is not None

    def read(self) -> bool:
        """Read what is new; tell whether there was anything."""
        begun_at = self._offset_bytes
        for event, behind in self._journal.events_from(self._offset_bytes):
            self._folding.take(event)
            self._offset_bytes = behind
        return self._offset_bytes != begun_at

    def run(self) -> Run:
        """Return the run as far as it was read.

        Raises
        ------
        RunError
            If no event says that the run started.
        """
        return self._folding.run(self._run_id)

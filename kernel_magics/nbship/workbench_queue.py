"""The part of the workbench that queues jobs and starts what works on them."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nbship.adapters.store.files import FileStore
    from nbship.ports import Queue
    from nbship.settings import Settings


class QueueBench:
    """Wires the queue; :class:`nbship.workbench.Workbench` has the rest."""

    settings: Settings

    @cached_property
    def store(self) -> FileStore:
        """``.mlops/`` of the project."""
        from nbship.adapters.store.files import FileStore

        return FileStore(self.settings.store)

    @cached_property
    def queue(self) -> Queue:
        """Which jobs are wanted, and what runs."""
        from nbship.adapters.store.queue import SqliteQueue

        return SqliteQueue(self.store)

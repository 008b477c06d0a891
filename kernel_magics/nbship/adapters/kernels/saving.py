"""papermill's execution manager for jobs: whole files, and seldom enough.

papermill writes the whole notebook twice per cell, in place. Here a save is a whole file or
none, and saving takes a twentieth of the time at most.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from papermill.engines import (  # noqa: TID253  # loaded by papermill's engine only
    NotebookExecutionManager,
)

if TYPE_CHECKING:
    from collections.abc import Callable

_PAUSE_S = 2.0
_SHARE = 20.0


class SparingManager(NotebookExecutionManager):
    """Saves through a function that writes whole files, a few times a minute.

    Parameters
    ----------
    nb
        The notebook node.
    write
        Takes the notebook node.
    options
        What papermill's own manager takes.
    """

    def __init__(
        self,
        nb: Any,  # noqa: ANN401  # papermill has no types
        *,
        write: Callable[[Any], None],
        **options: Any,  # noqa: ANN401
    ) -> None:
        super().__init__(nb, **options)
        self.nb: Any = nb
        self._write = write
        self._next_save_s = 0.0

    def save(self, **kwargs: Any) -> None:  # noqa: ANN401
        """Save, where it is time to."""
        self.nb = kwargs.get("nb") or self.nb
        if time.monotonic() >= self._next_save_s:
            self.save_now()

    def save_now(self) -> None:
        """Save at once."""
        began_s = time.monotonic()
        self._write(self.nb)
        ended_s = time.monotonic()
        self._next_save_s = ended_s + max(_PAUSE_S, (ended_s - began_s) * _SHARE)

    def autosave_cell(self) -> None:
        """Save in the middle of a long cell, where it is time to."""
        self.save()

    def notebook_complete(self, **kwargs: Any) -> None:  # noqa: ANN401
        """Finish papermill's metadata and save."""
        super().notebook_complete(**kwargs)
        self.save_now()

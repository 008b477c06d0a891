"""papermill's execution manager, saving whole files and seldom enough.

papermill writes the whole notebook twice per cell, in place. Here a save is a whole file or
none, costs what has changed, and all of them together take a twentieth of the time at most.
"""

from __future__ import annotations

import time
from datetime import datetime
from typing import TYPE_CHECKING, Any

from papermill.engines import (  # noqa: TID253  # loaded by papermill's engine only
    NotebookExecutionManager,
)

from nbship.adapters.kernels.notebook_text import NotebookText

if TYPE_CHECKING:
    from collections.abc import Callable

    from nbship.adapters.kernels.targets import Target

#: part of the time since the start that saving may take
_BUDGET = 0.05
#: papermill's pause between two saves in the middle of a cell, where nobody names one
AUTOSAVE_S = 30


class SparingManager(NotebookExecutionManager):
    """Saves within a budget of time; the last save is never left out.

    papermill's own ``save`` is called as often as ever, and writes nothing: it knows no path.

    Parameters
    ----------
    nb
        The notebook node.
    target
        Where it is written; None for nowhere.
    autosave_cell_every
        Seconds between two saves in the middle of a cell; 0 for none.
    options
        What papermill's own manager takes.
    """

    def __init__(
        self,
        nb: Any,  # noqa: ANN401  # papermill has no types
        *,
        target: Target | None,
        autosave_cell_every: float = AUTOSAVE_S,
        **options: Any,  # noqa: ANN401
    ) -> None:
        super().__init__(nb, output_path=None, **options)
        self.nb: Any = nb
        #: brings the outputs of the running cell up to date
        self.settle: Callable[[], None] = lambda: None
        self._target = target
        self._text = NotebookText()
        self._autosave_s = autosave_cell_every
        self._began_s = self._saved_s = time.monotonic()
        self._spent_s = 0.0
        self._running: int | None = None
        self._last = ""

    @property
    def text(self) -> str:
        """What nbformat writes of the notebook as it was saved last."""
        return self._last

    def touch(self, cell_index: int) -> None:
        """Take note that a cell has changed that is not the running one."""
        self._text.forget(cell_index)

    def touch_all(self) -> None:
        """Take note that any cell may have changed."""
        self._text.forget_all()

    def notebook_start(self, **kwargs: Any) -> None:  # noqa: ANN401
        """Clear papermill's metadata, and save."""
        super().notebook_start(**kwargs)
        self._save_in_measure()

    def cell_start(
        self,
        cell: Any,  # noqa: ANN401
        cell_index: int | None = None,
        **kwargs: Any,  # noqa: ANN401
    ) -> None:
        """Mark a cell as running, and save where it is time to."""
        super().cell_start(cell, cell_index, **kwargs)
        self._running = cell_index
        self._save_in_measure()

    def cell_complete(
        self,
        cell: Any,  # noqa: ANN401
        cell_index: int | None = None,
        **kwargs: Any,  # noqa: ANN401
    ) -> None:
        """Mark a cell as ended, and save where it is time to."""
        told = cell.metadata.papermill
        began, told["start_time"] = told.get("start_time"), None
        super().cell_complete(cell, cell_index, **kwargs)
        told["start_time"] = began
        if began:  # papermill reads the two times by dateutil, a tenth as fast
            lasted = datetime.fromisoformat(told["end_time"]) - datetime.fromisoformat(
                began
            )
            told["duration"] = lasted.total_seconds()
        if cell_index is not None:
            self.touch(cell_index)
        self._running = None
        self._save_in_measure()

    def autosave_cell(self, **_kwargs: Any) -> None:  # noqa: ANN401
        """Save in the middle of a long cell, where it is time to."""
        since_s = time.monotonic() - self._saved_s
        if self._autosave_s and since_s >= self._autosave_s:
            self._save_in_measure()

    def notebook_complete(self, **kwargs: Any) -> None:  # noqa: ANN401
        """Finish papermill's metadata and save."""
        cells = self.nb.cells
        waiting = [c for c in cells if c.metadata.papermill["status"] == self.PENDING]
        super().notebook_complete(**kwargs)
        for cell in waiting:  # papermill calls them completed
            cell.metadata.papermill["status"] = self.PENDING
        self.settle()
        ids = [cell.get("id") for cell in cells]
        _check(self.nb)
        if ids != [cell.get("id") for cell in cells]:  # nbformat gave some that lacked
            self._text.forget_all()
        self.save_now()

    def save_now(self) -> None:
        """Write the notebook, whatever it costs."""
        self.settle()
        self._write(is_last=True)

    def _save_in_measure(self) -> None:
        target, elapsed_s = self._target, time.monotonic() - self._began_s
        if target is None:
            return
        if target.is_watched or self._spent_s <= elapsed_s * _BUDGET:
            self.settle()
            self._write(is_last=False)

    def _write(self, *, is_last: bool) -> None:
        began_s = time.monotonic()
        if self._running is not None:
            self._text.forget(self._running)
        self._last = self._text.write(self.nb)
        if self._target is not None:
            self._target.write(self.nb, self._last, is_last=is_last)
        self._saved_s = time.monotonic()
        self._spent_s += self._saved_s - began_s


def _check(nb: Any) -> None:  # noqa: ANN401
    """Say whether a notebook is valid, as nbformat does whenever it writes one."""
    from nbformat import ValidationError, validate
    from traitlets.log import get_logger

    try:
        validate(nb)
    except ValidationError as error:
        get_logger().error("Notebook JSON is invalid: %s", error)

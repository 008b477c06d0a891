"""The live view of a run: its state and the line of each metric, at most four times a second."""

from __future__ import annotations

import time
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nbship.widgets.static import metric_label

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from nbship.capture.series import MetricSeries

_HERE = Path(__file__).parent
#: seconds between two updates
UPDATE_PERIOD_S = 0.25
#: metrics whose line is drawn
METRICS_SHOWN = 6

Series = list[tuple[str, list[tuple[float, float]]]]


def shown_series(series: MetricSeries) -> Series:
    """Return the metrics whose line is drawn: the first six."""
    names = list(series.last)[:METRICS_SHOWN]
    return [(name, points) for name in names if (points := series.points(name))]


def view_state(rows: Sequence[tuple[str, str]], series: Series) -> dict[str, Any]:
    """Return what the front end draws, as a JSON value."""
    return {
        "rows": [list(row) for row in rows],
        "series": [
            {
                "name": name,
                "points": [list(point) for point in points],
                "label": metric_label(name, points),
                "last": f"{points[-1][1]:.6g}",
            }
            for name, points in series
        ],
    }


def make_run_view(state: dict[str, Any]) -> Any:  # noqa: ANN401  # an anywidget
    """Make the widget; its ``state`` is what the front end draws."""
    return _view_class()(state=state)


class Throttle:
    """Draws at most four times a second while a cell logs, and everything at its end.

    Parameters
    ----------
    draw
        Brings the metrics up to date; cheap.
    draw_last
        Brings everything up to date; called at the end of cells.
    clock
        Returns seconds.
    """

    def __init__(
        self,
        *,
        draw: Callable[[], None],
        draw_last: Callable[[], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._draw = draw
        self._draw_last = draw_last
        self._clock = clock
        self._drawn_s = clock()

    def change(self) -> None:
        """Draw the metrics, where the last drawing is not too near."""
        if self._clock() - self._drawn_s >= UPDATE_PERIOD_S:
            self._drawn_s = self._clock()
            self._draw()

    def finish(self) -> None:
        """Draw everything."""
        self._drawn_s = self._clock()
        self._draw_last()


@cache
def _view_class() -> type[Any]:
    import anywidget
    import traitlets

    class RunView(anywidget.AnyWidget):
        """The front end's counterpart of ``run_view.js``."""

        _esm = (_HERE / "run_view.js").read_text("utf-8")
        _css = (_HERE / "run_view.css").read_text("utf-8")
        state = traitlets.Dict().tag(sync=True)

    return RunView

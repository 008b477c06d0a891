"""The widget of a sweep: plot and table, where rows and lines light up together."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

_HERE = Path(__file__).parent


def make_sweep_view(html: str) -> Any:  # noqa: ANN401  # an anywidget
    """Make the widget; its ``html`` is what :func:`nbship.widgets.sweep_table.sweep_html` wrote."""
    return _view_class()(html=html)


@cache
def _view_class() -> type[Any]:
    import anywidget
    import traitlets

    class SweepView(anywidget.AnyWidget):
        """The front end's counterpart of ``sweep_view.js``."""

        _esm = (_HERE / "sweep_view.js").read_text("utf-8")
        html = traitlets.Unicode().tag(sync=True)

    return SweepView

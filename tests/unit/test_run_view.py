"""The course of metrics, thinned, drawn and said in words."""

from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from nbship.capture.series import MetricSeries
from nbship.widgets.run_view import Throttle, shown_series, view_state
from nbship.widgets.static import run_html


@given(st.lists(st.floats(allow_nan=False), max_size=2000))
def test_a_series_stays_small_and_keeps_its_first_and_last_point(values):
    series = MetricSeries()
    for value in values:
        series.add("m", value)
    points = series.points("m")
    finite = [(i, v) for i, v in enumerate(values) if math.isfinite(v)]
    assert len(points) <= 202
    assert set(points) <= set(finite)
    if values and math.isfinite(values[-1]):
        assert points[-1] == (len(values) - 1, values[-1])
    if values and math.isfinite(values[0]):
        assert points[0] == (0, values[0])


def test_metrics_without_a_finite_value_are_not_drawn():
    series = MetricSeries()
    series.add("bad", math.nan)
    series.add("good", 1, step=4)
    assert shown_series(series) == [("good", [(4, 1)])]


def test_the_state_describes_each_line_in_words():
    state = view_state([("run", "r")], [("loss", [(0, 1.0), (1, 0.5)])])
    assert state == {
        "rows": [["run", "r"]],
        "series": [
            {
                "name": "loss",
                "points": [[0, 1.0], [1, 0.5]],
                "label": "loss: from 1 to 0.5 in 2 points",
                "last": "0.5",
            }
        ],
    }


def test_html_escapes_what_users_wrote():
    html = run_html([("tags", "<script>")], [("<b>'", [(0, 1.0)])])
    assert "<script>" not in html
    assert "<b>" not in html
    assert "aria-label='&lt;b&gt;&#x27;: 1'" in html


def test_drawings_are_at_most_four_a_second_and_the_cells_end_draws_all():
    now, drawn = [0.0], []
    throttle = Throttle(
        draw=lambda: drawn.append(now[0]),
        draw_last=lambda: drawn.append("all"),
        clock=lambda: now[0],
    )
    for step in range(100):
        now[0] = step / 100
        throttle.change()
    throttle.finish()
    assert drawn == [0.25, 0.5, 0.75, "all"]

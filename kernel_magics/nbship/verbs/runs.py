"""The verbs that look at runs: ``status`` and ``runs``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nbship.errors import NbshipError, RunError
from nbship.verbs.answer import Answer, Verb
from nbship.verbs.words import table

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from nbship.records.run import Run
    from nbship.verbs.answer import Context


def _status(context: Context, given: argparse.Namespace) -> Answer:
    from nbship.capture.series import MetricSeries
    from nbship.capture.summary import run_summary, summary_rows
    from nbship.widgets.run_view import shown_series
    from nbship.widgets.static import run_html
    from nbship.workflow.recording import load_run

    bench = context.workbench
    run_id = _wanted(context, given.run)
    run = load_run(bench.store, run_id)
    mirrors = bench.ledger.mirrors(run_id)
    rows = summary_rows(run, mirrors, now=bench.clock.now())
    series = shown_series(MetricSeries.of(run.metrics))
    return Answer(
        text="\n".join(f"{name:<10}{text}" for name, text in rows),
        data=run_summary(run, mirrors),
        html=run_html(rows, series),
        widget=_live_view(context, run_id),
    )


def _wanted(context: Context, wanted: str | None) -> str:
    from nbship.workflow.recording import find_run

    recorder = getattr(context.session, "recorder", None)
    if wanted is None and recorder is not None:
        return str(recorder.run_id)
    if wanted is None and not context.workbench.store.ids("run"):
        raise RunError(
            f"{context.workbench.store.folder}: there is no run yet",
            hint="Start one in a notebook: `%mlops start NAME`.",
        )
    return find_run(context.workbench.store, wanted or "last")


def _live_view(context: Context, run_id: str) -> Any:  # noqa: ANN401  # an anywidget, or None
    """Make the widget of the notebook's own active run and keep it up to date.

    While a cell logs, only the metrics change; the journal is read at the cell's end.
    """
    session = context.session
    if session is None or session.recorder is None or session.recorder.run_id != run_id:
        return None
    from nbship.capture.summary import metrics_row, summary_rows
    from nbship.widgets.run_view import (
        Throttle,
        make_run_view,
        shown_series,
        view_state,
    )
    from nbship.workflow.following import RunReader

    bench, reader = context.workbench, RunReader(context.workbench.store, run_id)

    def whole() -> dict[str, Any]:
        reader.read()
        run, mirrors = reader.run(), bench.ledger.mirrors(run_id)
        rows = summary_rows(run, mirrors, now=bench.clock.now())
        return view_state(rows, shown_series(session.series))

    def metrics_only() -> None:
        rows = metrics_row(view.state["rows"], session.series.last)
        view.state = view_state(rows, shown_series(session.series))

    def everything() -> None:
        view.state = whole()

    view = make_run_view(whole())
    session.follow(Throttle(draw=metrics_only, draw_last=everything))
    return view


def _runs(context: Context, given: argparse.Namespace) -> Answer:
    from nbship.capture.summary import metric_text, run_summary

    runs = []
    for run in _newest_first(context):
        if given.experiment in {None, run.experiment}:
            runs.append(run)
        if len(runs) >= given.limit:
            break
    rows = [
        (
            run.id,
            run.status.value,
            run.experiment,
            ", ".join(metric_text(m) for m in list(run.last_metrics.values())[:4]),
        )
        for run in runs
    ]
    head = ("run", "status", "experiment", "metrics")
    return Answer(
        text=table([head, *rows])
        if rows
        else "no runs yet; `%mlops start NAME` in a notebook begins one",
        data=[run_summary(run) for run in runs],
    )


def _newest_first(context: Context) -> Iterator[Run]:
    from nbship.workflow.recording import load_run

    for run_id in reversed(context.workbench.store.ids("run")):
        try:
            yield load_run(context.workbench.store, run_id)
        except NbshipError:
            continue  # a journal that cannot be read hides no other run


def _add_status(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "run",
        nargs="?",
        help="id, or its beginning or end; else the active or last run",
    )


def _add_runs(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--experiment", help="only runs of this experiment")
    parser.add_argument("--limit", type=int, default=20, help="at most so many (20)")


RUN_VERBS = (
    Verb(
        name="status",
        stage="Design",
        help="show a run: state, values, metrics, trackers",
        run=_status,
        add_arguments=_add_status,
    ),
    Verb(
        name="runs",
        stage="Design",
        help="list runs, newest first",
        run=_runs,
        add_arguments=_add_runs,
    ),
)

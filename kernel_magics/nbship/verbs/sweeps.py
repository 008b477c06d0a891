"""The verbs of sweeps: plan one, drive it, look at it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from nbship.errors import UsageError
from nbship.records.sweep import Sampler
from nbship.verbs.answer import ANSWER_IS_NO, OK, Answer, Verb
from nbship.verbs.resources import add_resources, request_of
from nbship.verbs.sweep_words import narrated, results_text
from nbship.verbs.words import place, table

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

    from nbship.records.sweep import Sweep, SweepResults, SweepRow
    from nbship.verbs.answer import Context
    from nbship.workflow.sweeping import SweepRequest

_PAGE = "sweep.html"
#: what says how a sweep is planned; a sweep that is there was planned already
_PLANNING = ("values", "sampler", "samples", "metric", "direction", "prune", "seed")
_FINE = {"succeeded", "pruned"}


def _sweep(context: Context, given: argparse.Namespace) -> Answer:
    from nbship.workflow.sweeping import find_sweep, load_sweep

    _check_words(given)
    bench = context.workbench
    name = given.show or given.resume
    sweep = load_sweep(bench.store, find_sweep(bench.store, name)) if name else None
    if given.show and sweep is not None:
        return _shown(context, sweep, given)
    if sweep is None:
        sweep = _planned(context, given)
    if given.detach:
        return _detached(context, sweep, given)
    note = narrated(context, sweep, workers=given.workers)
    return _shown(context, sweep, given, note=note, is_judged=True)


def _check_words(given: argparse.Namespace) -> None:
    chosen = [bool(given.notebook), bool(given.resume), bool(given.show)]
    if sum(chosen) != 1:
        raise UsageError(
            "mlops sweep: a notebook, or --resume SWEEP, or --show SWEEP was expected",
            hint="Write `mlops sweep train.ipynb -p lr=0.1,0.01`.",
        )
    extra = [word for word in _PLANNING if getattr(given, word)]
    if not given.notebook and extra:
        raise UsageError(
            f"mlops sweep: {', '.join(extra)}: the sweep is planned already",
            hint="Leave them out, or plan another one: `mlops sweep NOTEBOOK …`.",
        )


def _planned(context: Context, given: argparse.Namespace) -> Sweep:
    from nbship.workflow.sweeping import plan_sweep

    bench = context.workbench
    wanted = _wanted(context, given)
    if wanted.ask.sampler is Sampler.OPTUNA or wanted.ask.is_pruning:
        bench.check_optuna()
    return plan_sweep(
        wanted,
        store=bench.store,
        clock=bench.clock,
        surroundings=bench.surroundings,
        own_modules=bench.own_modules,
    )


def _wanted(context: Context, given: argparse.Namespace) -> SweepRequest:
    from nbship.jobs.sweeps import Ask, direction_of
    from nbship.jobs.values import split_assignments
    from nbship.workflow.sweeping import SweepRequest

    return SweepRequest(
        request=request_of(
            context.workbench,
            Path(given.notebook),
            texts=split_assignments(given.values),
            given=given,
        ),
        ask=Ask(
            sampler=Sampler(given.sampler or Sampler.GRID),
            samples=given.samples,
            metric=given.metric or "",
            direction=direction_of(given.direction or ""),
            is_pruning=given.prune,
        ),
        seed=given.seed or 0,
        is_sharing=not given.no_share,
        rules=context.workbench.settings.metrics,
    )


def _detached(context: Context, sweep: Sweep, given: argparse.Namespace) -> Answer:
    """Queue what can be queued now; a process of its own drives what has to be driven."""
    from nbship.workflow.sweep_driving import drive

    bench = context.workbench
    if sweep.sampler is Sampler.OPTUNA or sweep.is_pruning:
        bench.start_driver(sweep.id, workers=given.workers)
    else:
        driving = drive(sweep, bench.sweep_machine(workers=given.workers))
        next(driving)
        driving.close()
    text = f"{sweep.id} is under way; look at it: `mlops sweep --show {sweep.id}`"
    return Answer(text=text, data=sweep)


def _shown(
    context: Context,
    sweep: Sweep,
    given: argparse.Namespace,
    *,
    note: str = "",
    is_judged: bool = False,
) -> Answer:
    from nbship.widgets.sweep_table import sweep_html
    from nbship.workflow.sweep_results import sweep_results

    bench = context.workbench
    results = sweep_results(bench.store, bench.queue, sweep)
    page, link = _written_page(context, results, given)
    text = "\n".join(
        filter(None, (results_text(results), note, f"  page {place(page)}"))
    )
    is_fine = all(row.status in _FINE for row in results.rows)
    html = "" if context.session is None else sweep_html(results, link=link)
    return Answer(
        text=text,
        data=results,
        exit_code=OK if is_fine or not is_judged else ANSWER_IS_NO,
        html=html,
        widget=_view(html),
    )


def _written_page(
    context: Context, results: SweepResults, given: argparse.Namespace
) -> tuple[Path, Callable[[SweepRow], str]]:
    """Write the page; return it, and how a notebook links executed notebooks."""
    from nbship.widgets.sweep_table import sweep_page

    bench = context.workbench
    if not given.html:
        path = bench.store.record_path(results.sweep.id) / _PAGE
        bench.write_text(
            sweep_page(results, link=lambda row: f"../../{row.executed}"), path
        )
        return path, lambda _row: ""  # Jupyter serves no hidden folder
    path = Path(given.html).expanduser().resolve()
    copies = path.with_name(f"{path.stem}_notebooks")
    for row in results.rows:
        if row.executed:
            data = (bench.store.folder / row.executed).read_bytes()
            bench.store.write_bytes(data, copies / f"{row.number}.ipynb")
    bench.write_text(
        sweep_page(results, link=lambda row: f"{copies.name}/{row.number}.ipynb"), path
    )
    beside = Path(place(copies))
    return (
        path,
        lambda row: "" if beside.is_absolute() else f"{beside}/{row.number}.ipynb",
    )


def _view(html: str) -> object:
    if not html:
        return None
    from nbship.widgets.sweep_view import make_sweep_view

    return make_sweep_view(html)


def _sweeps(context: Context, _given: argparse.Namespace) -> Answer:
    from nbship.widgets.sweep_table import best_text, summary
    from nbship.workflow.sweep_results import sweep_results
    from nbship.workflow.sweeping import load_sweep

    bench = context.workbench
    found = [
        sweep_results(bench.store, bench.queue, load_sweep(bench.store, sweep_id))
        for sweep_id in reversed(bench.store.ids("sweep"))
    ]
    if not found:
        return Answer(
            text="no sweeps yet; `mlops sweep NOTEBOOK -p name=values` makes one",
            data=[],
        )
    rows = [
        (r.sweep.id, r.sweep.notebook, r.sweep.sampler.value, summary(r), best_text(r))
        for r in found
    ]
    head = ("SWEEP", "NOTEBOOK", "SAMPLER", "JOBS", "BEST")
    return Answer(text=table([head, *rows]), data=found)


def _add_sweep(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("notebook", nargs="?", help="the notebook to execute")
    _add_search(parser)
    _add_running(parser)
    parser.add_argument(
        "--resume", metavar="SWEEP", help="go on with a sweep: its id, or last"
    )
    parser.add_argument(
        "--show", metavar="SWEEP", help="show a sweep as it stands: its id, or last"
    )
    parser.add_argument(
        "--html",
        metavar="FILE",
        help="write the page there, with copies of the executed notebooks beside it",
    )


def _add_search(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "-p",
        dest="values",
        action="append",
        default=[],
        metavar="name=values",
        help="0.1,0.01 or 2..8 or 0..1:0.25 or 1e-4..1e-1:log or *; one value sets it",
    )
    parser.add_argument(
        "--sampler",
        choices=[sampler.value for sampler in Sampler],
        help="how points are chosen: every one (grid), at random, or by Optuna",
    )
    parser.add_argument("--samples", type=int, metavar="N", help="number of jobs")
    parser.add_argument("--metric", help="the metric that is compared")
    parser.add_argument(
        "--direction",
        choices=("max", "min", "maximize", "minimize"),
        help="which way the metric is better; else as it is logged",
    )
    parser.add_argument(
        "--prune",
        action="store_true",
        help="end jobs whose metric falls behind the median (needs Optuna)",
    )
    parser.add_argument("--seed", type=int, help="seed of random and optuna (0)")
    parser.add_argument(
        "--no-share",
        action="store_true",
        help="execute every cell in every job, also leading ones that are the same work",
    )


def _add_running(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--workers", type=int, metavar="N", help="jobs that run at a time"
    )
    parser.add_argument(
        "--detach", action="store_true", help="do not wait for the jobs"
    )
    parser.add_argument(
        "--kernel", help="kernel; else the setting, else the notebook's"
    )
    parser.add_argument(
        "--fresh", action="store_true", help="start a new kernel for every job"
    )
    add_resources(parser)


VERBS: tuple[Verb, ...] = (
    Verb(
        name="sweep",
        stage="Test",
        help="execute a notebook with many values, compare what comes of it",
        run=_sweep,
        add_arguments=_add_sweep,
    ),
    Verb(
        name="sweeps",
        stage="Test",
        help="list sweeps and how they stand",
        run=_sweeps,
    ),
)

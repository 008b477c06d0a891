"""What a sweep says while it runs, and its table as text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nbship.verbs.watching import NotebookLine, TerminalLine
from nbship.verbs.words import table

if TYPE_CHECKING:
    from nbship.records.sweep import Sweep, SweepResults, SweepRow
    from nbship.verbs.answer import Context
    from nbship.workflow.sweep_driving import Standing

_ENDING_S = 60.0


def narrated(context: Context, sweep: Sweep, *, workers: int | None) -> str:
    """Drive a sweep to its end and count its jobs in one line; return what remains to be said.

    Ctrl-C gives its jobs up; the sweep can be resumed.
    """
    from nbship.workflow.queueing import settled
    from nbship.workflow.sweep_driving import drive, stop

    bench = context.workbench
    machine = bench.sweep_machine(workers=workers)
    line = TerminalLine() if context.session is None else NotebookLine()
    shown: Standing | None = None
    driving = drive(sweep, machine)
    try:
        for standing in driving:
            if standing != shown:
                line.show(f"{sweep.id}: {standing.settled} of {standing.total} jobs")
                shown = standing
    except KeyboardInterrupt:
        driving.close()
        ids = stop(sweep, machine)
        for _ in settled(bench.store, bench.queue, ids, timeout_s=_ENDING_S):
            pass
        line.end()
        return (
            f"stopped, {len(ids)} jobs were given up;"
            f" `mlops sweep --resume {sweep.id}` goes on"
        )
    line.end()
    return ""


def results_text(results: SweepResults) -> str:
    """Write the results as a terminal shows them: the best row first, and marked."""
    from nbship.widgets.sweep_table import summary
    from nbship.workflow.sweep_results import ranked_rows

    sweep = results.sweep
    names = [domain.name for domain in sweep.space]
    head = ("", "#", *names, results.metric or "metric", "status", "took", "job")
    rows = [_row(row, results, names) for row in ranked_rows(results)]
    lines = [f"{sweep.id} of {sweep.notebook}: {summary(results)}"]
    lines += [table([head, *rows])] if rows else []
    lines += [f"  {row.job_id}: {row.cause}" for row in results.rows if row.cause]
    lines += _sharing(results)
    return "\n".join(lines)


def _row(row: SweepRow, results: SweepResults, names: list[str]) -> tuple[str, ...]:
    from nbship.widgets.sweep_chart import number_text

    value = row.metrics.get(results.metric)
    return (
        "*" if row.number == results.best else "",
        str(row.number),
        *(number_text(row.values.get(name, "")) for name in names),
        "" if value is None else number_text(float(value)),
        f"{row.status} (reused)" if row.is_reused else row.status,
        "" if row.duration_s is None else f"{row.duration_s:.1f} s",
        row.job_id,
    )


def _sharing(results: SweepResults) -> list[str]:
    shared = max((row.shared_cells for row in results.rows), key=len, default=())
    if not shared:
        return []
    return [f"  executed once: {', '.join(shared)}; {results.sweep.sharing_ends}"]

"""A run in a few facts, for people and for ``--json``."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from nbship.records.environment import GitState
    from nbship.records.mirror import Mirror
    from nbship.records.run import Metric, Run

_COMMIT_LENGTH = 10
_SECONDS_PER_MINUTE = 60
_MINUTES_PER_HOUR = 60


def run_summary(run: Run, mirrors: Sequence[Mirror] = ()) -> dict[str, Any]:
    """Return the facts of a run as a JSON value, without sources and outputs."""
    return {
        "id": run.id,
        "experiment": run.experiment,
        "notebook": run.notebook,
        "origin": run.origin,
        "status": run.status.value,
        "cause": run.cause,
        "started_at": run.started_at.isoformat(),
        "ended_at": run.ended_at.isoformat() if run.ended_at else None,
        "job_id": run.job_id,
        "values": dict(run.values),
        "tags": dict(run.tags),
        "notes": list(run.notes),
        "metrics": {
            name: {"value": m.value, "step": m.step, "unit": m.unit}
            for name, m in run.last_metrics.items()
        },
        "cells": dict(Counter(cell.status.value for cell in run.cells)),
        "git": {"commit": run.git.commit, "is_dirty": run.git.is_dirty}
        if run.git
        else None,
        "python": run.environment.python_version if run.environment else None,
        "mirrors": {m.tracker: mirror_text(m, len(run.metrics)) for m in mirrors},
    }


def summary_rows(
    run: Run, mirrors: Sequence[Mirror], *, now: datetime
) -> list[tuple[str, str]]:
    """Return what ``status`` shows, as pairs of a name and a text; empty facts are left out."""
    cells = Counter(cell.status.value for cell in run.cells)
    rows = [
        ("run", f"{run.id} of {run.experiment!r}"),
        ("status", _status_text(run, now)),
        ("cause", run.cause),
        ("notebook", run.notebook),
        ("git", _git_text(run)),
        ("job", run.job_id or ""),
        ("values", ", ".join(f"{k}={v!r}" for k, v in run.values.items())),
        ("tags", ", ".join(f"{k}={v}" for k, v in run.tags.items())),
        ("cells", ", ".join(f"{count} {status}" for status, count in cells.items())),
        ("metrics", ", ".join(metric_text(m) for m in run.last_metrics.values())),
        ("notes", " / ".join(note.partition("\n")[0] for note in run.notes)),
    ]
    rows += [
        (m.tracker, mirror_text(m, len(run.metrics), is_ended=run.ended_at is not None))
        for m in mirrors
    ]
    return [(name, text) for name, text in rows if text]


def metrics_row(
    rows: Sequence[Sequence[str]], last: Mapping[str, float]
) -> list[tuple[str, str]]:
    """Return the rows of a status with the metrics as they are now."""
    text = ", ".join(f"{name} {value:.6g}" for name, value in last.items())
    kept = [(name, told) for name, told in rows if name != "metrics"]
    return [*kept, ("metrics", text)] if text else kept


def metric_text(metric: Metric) -> str:
    """Write a metric for people: ``loss 0.25 s (step 3)``."""
    unit = f" {metric.unit}" if metric.unit else ""
    step = "" if metric.step is None else f" (step {metric.step})"
    return f"{metric.name} {metric.value:.6g}{unit}{step}"


def commit_text(git: GitState) -> str:
    """Write a commit for people: ten digits, or that there is none."""
    return git.commit[:_COMMIT_LENGTH] or "no commit yet"


def cell_name(cell_id: str, source: str, *, execution_count: int | None = None) -> str:
    """Name a cell for people: ``cell 3f2a91 [4] ('model.fit(X)')``."""
    count = "" if execution_count is None else f" [{execution_count}]"
    return f"cell {cell_id}{count} ({first_line(source)!r})"


def first_line(source: str) -> str:
    """Return the first line that is not empty, 60 characters at most."""
    return next((x.strip() for x in source.splitlines() if x.strip()), "")[:60]


def cause_text(ename: str, evalue: str, cell: str) -> str:
    """Name an error and its cell in one line; the error's further lines stand below."""
    said, _, more = f"{ename}: {evalue}".rstrip(": ").partition("\n")
    return f"{said} in {cell}" + (f"\n{more}" if more else "")


def duration_text(seconds: float) -> str:
    """Write a duration for people: ``48 s``, ``3 min 5 s``, ``2 h 10 min``."""
    whole = int(seconds)
    minutes, rest = divmod(whole, _SECONDS_PER_MINUTE)
    if not minutes:
        return f"{whole} s"
    hours, minutes = divmod(minutes, _MINUTES_PER_HOUR)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s"


def mirror_text(mirror: Mirror, metrics: int, *, is_ended: bool = False) -> str:
    """Say how far a mirror is."""
    if mirror.is_closed:
        return "complete"
    if mirror.error:
        return f"not reached: {mirror.error} (`mlops sync` tries again)"
    behind = metrics - mirror.metrics
    if behind:
        return f"{behind} metrics behind"
    return "finishing" if is_ended else "follows"


def _status_text(run: Run, now: datetime) -> str:
    lasted = duration_text(((run.ended_at or now) - run.started_at).total_seconds())
    return f"{run.status.value} {'after' if run.ended_at else 'for'} {lasted}"


def _git_text(run: Run) -> str:
    if run.git is None:
        return "no repository" if run.origin == "live" else ""
    branch = f" on {run.git.branch}" if run.git.branch else ""
    return (
        f"{commit_text(run.git)}{branch}{', with changes' if run.git.is_dirty else ''}"
    )

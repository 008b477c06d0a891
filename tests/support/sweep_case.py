"""Results of sweeps written by hand: what tables and plots are made from."""

from __future__ import annotations

import math
from datetime import UTC, datetime

from nbship.records.domains import Domain
from nbship.records.sweep import Sampler, Sweep, SweepResults, SweepRow

AT = datetime(2026, 11, 25, 9, 0, tzinfo=UTC)
SWEEP_ID = "sweep-20261125-090000-abcd"
LR = Domain(name="lr", text="1e-3,1e-2,1e-1", values=(0.001, 0.01, 0.1))
DEPTH = Domain(
    name="depth",
    text="2..5",
    values=(2, 3, 4, 5),
    low=2,
    high=5,
    is_whole=True,
)
HOW = Domain(name="how", text="mean,max", values=("mean", "max"))


def sweep_of(*space: Domain, **more) -> Sweep:
    """Make a sweep over these domains, by default a grid."""
    facts = {
        "id": SWEEP_ID,
        "notebook": "train.ipynb",
        "snapshot_digest": "d" * 64,
        "planned_at": AT,
        "sampler": Sampler.GRID,
        "metric": "accuracy",
        "direction": "maximize",
    }
    return Sweep(space=space, **{**facts, **more})


def row_of(number: int, status: str = "succeeded", **more) -> SweepRow:
    """Make the row of one job, with the metrics and values that are given."""
    job_id = f"job-20261125-0900{number:02d}-abcd"
    executed = f"jobs/{job_id}/attempts/1/output.ipynb"
    facts = {
        "values": {},
        "job_id": job_id,
        "duration_s": 3.25,
        "executed": "" if status == "waiting" else executed,
    }
    return SweepRow(number=number, status=status, **{**facts, **more})


def mixed_results() -> SweepResults:
    """Make a sweep of 24 jobs that ended in every way."""
    rows = []
    for number, (lr, depth, how) in enumerate(
        ((lr, depth, how) for lr in LR.values for depth in DEPTH.values for how in HOW.values),
        start=1,
    ):  # fmt: skip
        score = (
            0.6 + 0.3 * math.exp(-((math.log10(lr) + 2) ** 2)) - 0.03 * (depth - 4) ** 2
        )
        score -= 0.02 * (how == "max")
        values = {"lr": lr, "depth": depth, "how": how}
        rows.append(
            row_of(
                number,
                values=values,
                metrics={"accuracy": round(score, 4), "loss": round(1 - score, 4)},
                shared_cells=("load", "clean", "split"),
            )
        )
    cause = "ValueError in cell fit: the input holds <NaN> & inf"
    rows[3] = row_of(4, "failed", values=rows[3].values, cause=cause)
    behind = "pruned: accuracy was 0.41 at step 3, behind the median of earlier jobs"
    rows[6] = row_of(
        7, "pruned", values=rows[6].values, metrics={"accuracy": 0.41}, cause=behind
    )
    rows[10] = row_of(11, "killed", values=rows[10].values, cause="killed by SIGKILL")
    rows[12] = row_of(
        13, values=rows[12].values, metrics=rows[12].metrics, is_reused=True
    )
    rows[22] = row_of(23, "running", values=rows[22].values, duration_s=None)
    rows[23] = row_of(24, "waiting", values=rows[23].values, duration_s=None)
    sweep = sweep_of(LR, DEPTH, HOW, sharing_ends="cell fit, line 1: it mentions depth")
    return SweepResults(
        sweep=sweep,
        metric="accuracy",
        direction="maximize",
        rows=tuple(rows),
        best=13,
    )


def line_results() -> SweepResults:
    """Make a random sweep of one number."""
    domain = Domain(name="lr", text="1e-4..1:log", low=1e-4, high=1.0, is_log=True)
    rows = []
    for number, share in enumerate((0.1, 0.8, 0.45, 0.6, 0.3, 0.95, 0.05), start=1):
        lr = 10 ** (-4 + 4 * share)
        loss = 0.2 + (share - 0.5) ** 2
        rows.append(row_of(number, values={"lr": lr}, metrics={"loss": loss}))
    rows[5] = row_of(
        6, "failed", values=rows[5].values, cause="OverflowError in cell c2"
    )
    rows[6] = row_of(
        7, "pruned", values=rows[6].values, metrics={"loss": 0.5}, cause="pruned"
    )
    sweep = sweep_of(
        domain,
        sampler=Sampler.RANDOM,
        samples=7,
        seed=3,
        metric="loss",
        direction="minimize",
    )
    return SweepResults(
        sweep=sweep, metric="loss", direction="minimize", rows=tuple(rows), best=3
    )

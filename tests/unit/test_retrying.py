"""When a job is attempted again, and after which pause."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from nbship.jobs.retrying import LONGEST_PAUSE_S, next_pause_s
from nbship.records.job import JobStatus, Outcome

NOW = datetime(2026, 11, 25, tzinfo=UTC)
OWN, LOST = ("failed", False), ("killed", True)
KERNEL_KILLED = ("killed", False)


def outcome(status, is_lost):
    return Outcome(
        job_id="job-20261125-000000-0000",
        attempt=1,
        run_id="run-20261125-000000-0000",
        status=JobStatus(status),
        started_at=NOW,
        ended_at=NOW,
        is_lost=is_lost,
    )


@pytest.mark.parametrize(
    ("ends", "attempts", "losses", "pause_s"),
    [
        ([OWN], 1, 2, None),
        ([KERNEL_KILLED], 1, 2, None),
        ([OWN], 3, 0, 1.0),
        ([OWN, OWN], 3, 0, 2.0),
        ([OWN, OWN, OWN], 3, 0, None),
        ([LOST], 1, 2, 1.0),
        ([LOST, LOST], 1, 2, 2.0),
        ([LOST, LOST, LOST], 1, 2, None),
        ([LOST], 3, 0, None),
        ([LOST, OWN], 2, 1, 1.0),
        ([OWN, LOST, OWN], 2, 1, None),
        ([("succeeded", False)], 9, 9, None),
        ([("interrupted", False)], 9, 9, None),
        ([("pruned", False)], 9, 9, None),
        ([OWN] * 40, 50, 0, LONGEST_PAUSE_S),
    ],
)
def test_losses_and_own_failures_are_counted_apart(ends, attempts, losses, pause_s):
    outcomes = [outcome(*end) for end in ends]

    assert (
        next_pause_s(outcomes, attempts=attempts, losses=losses, backoff_s=1.0)
        == pause_s
    )

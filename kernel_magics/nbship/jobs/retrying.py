"""Whether a job is attempted again, and after which pause."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nbship.records.job import JobStatus

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nbship.records.job import Outcome

LONGEST_PAUSE_S = 300.0
_FINAL = {JobStatus.SUCCEEDED, JobStatus.INTERRUPTED, JobStatus.PRUNED}


def next_pause_s(
    outcomes: Sequence[Outcome], *, attempts: int, losses: int, backoff_s: float
) -> float | None:
    """Tell how long a job waits for its next attempt; None where it has settled.

    An attempt whose worker or machine went away is lost; the notebook had no part in it, so that
    it is repeated as often as ``losses`` says. Every other end but success and interruption is
    the notebook's own and counts against ``attempts``. Pauses double, as in exponential back-off:
    ``backoff_s``, twice that, four times that.

    Parameters
    ----------
    outcomes
        Of the attempts so far, in their order.
    attempts
        Attempts that the notebook may end, >= 1.
    losses
        Attempts that may be lost.
    backoff_s
        The first pause, in seconds.
    """
    last = outcomes[-1]
    if last.status in _FINAL:
        return None
    lost = sum(outcome.is_lost for outcome in outcomes)
    own = len(outcomes) - lost
    count, allowed = (lost, losses + 1) if last.is_lost else (own, attempts)
    if count >= allowed:
        return None
    return min(backoff_s * 2.0 ** (count - 1), LONGEST_PAUSE_S)

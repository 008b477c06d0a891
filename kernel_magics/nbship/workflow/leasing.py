"""Execute an attempt with the GPUs that its job asks for."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

from nbship.errors import NbshipError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from nbship.ports import Grant, Lease, Leases
    from nbship.records.job import Attempt, Job, Resources

_PAUSE_S = 0.5


def leased(
    execute: Callable[[Job, Attempt, Path, Grant], str], leases: Leases
) -> Callable[[Job, Attempt, Path, Grant], str]:
    """Return what executes an attempt once its GPUs are leased, and releases them after it.

    Parameters
    ----------
    execute
        Executes an attempt with what it was granted, and returns what was raised.
    leases
        Where the GPUs come from. A job that cannot have them fails with the reason.
    """

    def execute_leased(job: Job, attempt: Attempt, source: Path, grant: Grant) -> str:
        try:
            lease = waited_for(leases, job.resources)
        except NbshipError as error:
            return f"{type(error).__name__}: {error.message}"
        try:
            held_fds = (*grant.held_fds, *lease.grant.held_fds)
            leased = replace(
                lease.grant, held_fds=held_fds, is_mirrored=grant.is_mirrored
            )
            return execute(job, attempt, source, leased)
        finally:
            lease.release()

    return execute_leased


def waited_for(leases: Leases, resources: Resources) -> Lease:
    """Lease what a job asks for as soon as others have released it.

    Raises
    ------
    JobError
        If the job can never be given what it asks for.
    StoreError
        If the folder of locks cannot be used.
    """
    while True:
        lease = leases.acquire(resources)
        if lease is not None:
            return lease
        time.sleep(_PAUSE_S)

"""GPU leases: a locked file per GPU, freed by the system when its last holder dies.

The worker of an attempt asks ``workbench.leases.acquire(job.resources)``: None means that
others hold the GPUs now, so that the job stays in the queue. The lease's grant goes to
:class:`nbship.workflow.attempts.Worker`; its descriptors reach the kernel, which keeps the
locks when the worker dies first. ``release()`` is called when the attempt has its outcome.
"""

from __future__ import annotations

import fcntl
import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING

from nbship import variables
from nbship.errors import JobError, StoreError, store_error
from nbship.jobs.gpus import fitting, refusal, visible
from nbship.ports import Grant

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from nbship.records.environment import Accelerator, GpuSurvey
    from nbship.records.job import Resources

_VISIBLE = "CUDA_VISIBLE_DEVICES"
_BY_BUS = {"CUDA_DEVICE_ORDER": "PCI_BUS_ID"}


class GpuLease:
    """What one attempt holds of the GPUs.

    Parameters
    ----------
    gpus
        Those that were leased.
    descriptors
        Of their locked files.
    """

    def __init__(
        self, gpus: tuple[Accelerator, ...], descriptors: tuple[int, ...]
    ) -> None:
        uuids = ",".join(one.uuid for one in gpus)
        order = _BY_BUS if gpus else {}
        self.grant = Grant(
            environ={_VISIBLE: uuids, **order}, held_fds=descriptors, gpus=gpus
        )
        self._descriptors = list(descriptors)

    def release(self) -> None:
        """Close the locked files; what a living kernel keeps open stays leased."""
        while self._descriptors:
            os.close(self._descriptors.pop())


class GpuLeases:
    """Leases GPUs to the attempts of one user, whatever project they belong to.

    Parameters
    ----------
    survey
        Lists the machine's GPUs.
    environ
        The environment; an outer ``CUDA_VISIBLE_DEVICES`` in it limits the choice.
    """

    def __init__(
        self, survey: Callable[[], GpuSurvey], environ: Mapping[str, str]
    ) -> None:
        self._survey = survey
        self._outer = environ.get(_VISIBLE)
        self._folder = lock_folder(environ)

    def found(self) -> GpuSurvey:
        """Return the GPUs that may be leased, whether they are free or not."""
        return visible(self._survey(), self._outer)

    def acquire(self, resources: Resources) -> GpuLease | None:
        """Lease what a job asks for; None where others hold it now.

        A job without GPUs sees none: its ``CUDA_VISIBLE_DEVICES`` is empty.

        Raises
        ------
        JobError
            If the job can never be given what it asks for.
        StoreError
            If the folder of locks cannot be used.
        """
        if not resources.gpus:
            return GpuLease((), ())
        found = self.found()
        why = refusal(resources, found)
        if why:
            raise JobError(why, hint="Ask for less, or submit it where such GPUs are.")
        self._make_folder()
        held: dict[int, Accelerator] = {}
        for one in fitting(resources, found):
            descriptor = _lock(self._folder / f"{one.uuid}.lock")
            if descriptor is not None:
                held[descriptor] = one
            if len(held) == resources.gpus:
                return GpuLease(tuple(held.values()), tuple(held))
        for descriptor in held:
            os.close(descriptor)
        return None

    def _make_folder(self) -> None:
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            about = self._folder.lstat()
        except OSError as error:
            raise store_error(error, self._folder) from error
        # under /tmp anybody may have made it
        if not stat.S_ISDIR(about.st_mode) or about.st_uid != os.getuid():
            raise StoreError(
                f"{self._folder}: another user made it, and could free GPUs that are leased",
                hint=f"Name a folder of your own in {variables.GPU_LOCKS}.",
            )


def lock_folder(environ: Mapping[str, str]) -> Path:
    """Return the folder that every process of this user finds, whatever started it.

    Neither ``XDG_RUNTIME_DIR``, which cron and services lack and a logout empties, nor
    ``TMPDIR``, which differs between shells, would be the same for all.
    """
    chosen = environ.get(variables.GPU_LOCKS)
    if chosen:
        return Path(chosen)
    return Path("/tmp", f"nbship-{os.getuid()}-gpus")  # noqa: S108  # checked to be ours


def _lock(path: Path) -> int | None:
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise store_error(error, path) from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if _is_same_file(descriptor, path):
            return descriptor
    except BlockingIOError:
        pass
    os.close(descriptor)
    return None


def _is_same_file(descriptor: int, path: Path) -> bool:
    """Tell whether the locked file still has its name: ``/tmp`` is swept now and then."""
    try:
        named = path.stat()
    except FileNotFoundError:
        return False
    locked = os.fstat(descriptor)
    return (named.st_dev, named.st_ino) == (locked.st_dev, locked.st_ino)

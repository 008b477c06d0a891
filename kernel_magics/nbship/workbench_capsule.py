"""The part of the workbench that keeps what a job needs to be repeated."""

from __future__ import annotations

import sys
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from nbship.adapters.kernels.specs import Kernel
    from nbship.adapters.store.files import FileStore
    from nbship.ports import Clock
    from nbship.records.capsule import LockedEnvironment, RebuiltEnvironment
    from nbship.records.environment import Environment
    from nbship.records.job import Job
    from nbship.settings import Settings
    from nbship.workflow.environments import EnvironmentTools

#: ``job.lock``: the lock with hashes is made behind the first job of an environment
EAGER = "eager"


class CapsuleBench:
    """Wires environments and their locks; :class:`nbship.workbench.Workbench` has the rest."""

    settings: Settings

    @cached_property
    def store(self) -> FileStore:
        """``.mlops/`` of the project."""
        from nbship.adapters.store.files import FileStore

        return FileStore(self.settings.store)

    @cached_property
    def clock(self) -> Clock:
        """Time and identity."""
        from nbship.adapters.probes.clock import SystemClock

        return SystemClock()

    def environment(self, python: str) -> Environment:
        """Ask an interpreter what it is and what is installed in it."""
        from nbship.adapters.probes.environment import probe_environment

        return probe_environment(python)

    def kernel(self, name: str) -> Kernel:
        """Return the installed kernel of that name."""
        from nbship.adapters.kernels.specs import find_kernel

        return find_kernel(name)

    @property
    def environment_tools(self) -> EnvironmentTools:
        """What locking an environment and rebuilding it take."""
        from nbship.workflow.environments import EnvironmentTools

        return EnvironmentTools(
            store=self.store,
            clock=self.clock,
            interpreter=lambda name: self.kernel(name).python,
            environment=self.environment,
            lock=_lock,
            install=_install,
        )

    def rebuild(self, job_id: str) -> RebuiltEnvironment:
        """Make the environment of a job anew from its lock, or find it where that was done.

        Raises
        ------
        JobError
            If the job's environment was never locked and has changed since.
        VerificationError
            If a file of the lock cannot be had.
        """
        from nbship.workflow.environments import rebuild_environment

        return rebuild_environment(self.environment_tools, job_id)

    def start_locker(self, job: Job) -> None:
        """Start the process that makes the lock with hashes, where the settings want it now.

        Where the lock is there, it is linked into the job's folder, and no process is started.
        """
        from nbship.workflow.environments import RECORD, keep_lock

        if (self.store.folder / "locks" / job.lock_digest / RECORD).is_file():
            keep_lock(self.environment_tools, job.id)
            return
        if self.settings.lock != EAGER:
            return
        from nbship.adapters.probes.processes import start_detached

        store = self.store.folder.absolute()
        words = [sys.executable, "-m", "nbship.faces.locker", str(store), job.id]
        words += ["--project", str(self.settings.project)]
        start_detached(words, environ={}, log=store / "locks" / "locker.log")


def _lock(python: str, wheelhouse: Path) -> LockedEnvironment:
    from nbship.adapters.bundles.environment_lock import lock_environment

    return lock_environment(python, wheelhouse)


def _install(
    requirements: Path, wheelhouse: Path, into: Path, python_version: str
) -> str:
    from nbship.adapters.bundles.rebuilt import install_lock

    return install_lock(
        requirements, wheelhouse, into=into, python_version=python_version
    )

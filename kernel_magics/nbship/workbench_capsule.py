"""The part of the workbench that keeps what a job needs to be repeated."""

from __future__ import annotations

import logging
import math
import os
import sys
import time
from contextlib import contextmanager
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING

from nbship import variables

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from nbship.adapters.kernels.order import EngineOrder
    from nbship.adapters.kernels.specs import Kernel
    from nbship.adapters.store.files import FileStore
    from nbship.ports import Clock
    from nbship.records.capsule import GitChanges, LockedEnvironment, RebuiltEnvironment
    from nbship.records.environment import Environment
    from nbship.records.job import Job
    from nbship.settings import Settings
    from nbship.workflow.capsule import CapsuleTools, CodeFiles
    from nbship.workflow.environments import EnvironmentTools

#: ``job.lock``: the lock with hashes is made behind the first job of an environment
EAGER = "eager"
_TOGETHER_S = 1.0
#: digests for which this process has started a locker
_LOCKING: set[str] = set()


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

    @cached_property
    def capsule_tools(self) -> CapsuleTools:
        """What fills the folder of a job when it is planned."""
        from nbship.adapters.probes.git import git_changes
        from nbship.adapters.probes.secret_values import known_secrets, missing_secrets
        from nbship.workflow.capsule import CapsuleTools

        project = self.settings.project
        return CapsuleTools(
            secrets=self.settings.secrets,
            missing_secrets=lambda found: missing_secrets(found, folder=project),
            known_secrets=lambda found: known_secrets(found, folder=project),
            code_files=self._code_files,
            changes=_remembered(git_changes),
        )

    def _code_files(
        self, sources: Sequence[str], folder: Path, environment: Environment | None
    ) -> CodeFiles:
        from nbship.adapters.probes.code_files import find_code_files

        packages = () if environment is None else environment.packages
        return find_code_files(
            sources,
            folder=folder,
            project=self.settings.project,
            more=os.environ.get("PYTHONPATH", "").split(os.pathsep),
            locked=[place for package in packages for place in package.source_folders],
        )

    @contextmanager
    def capsule_of(self, job: Job, order: EngineOrder) -> Iterator[EngineOrder]:
        """Add to an order what only the attempt may know: secrets, and the job's own modules.

        Behind the block no file of the attempt holds a secret, and the environment's lock is
        made or on its way.

        Raises
        ------
        JobError
            If a secret has no value.
        """
        from nbship.adapters.kernels.beginning import beginning_source
        from nbship.adapters.probes.secret_values import resolve_secrets
        from nbship.adapters.store.masking import mask_files
        from nbship.capture.redaction import Redactor
        from nbship.workflow.capsule import changed_modules, module_folders

        if changed := changed_modules(job, self.settings.project):
            folders = module_folders(self.store, job)
            source = beginning_source(job.determinism, folders)
            order = replace(order, beginning=source)
            words = "changed since the job was planned; its own copies are used"
            logging.getLogger("nbship").warning("%s %s", ", ".join(changed), words)
        secrets = resolve_secrets(job.secrets, folder=self.settings.project)
        redactor = Redactor(secrets) if secrets else None
        told = {variables.SECRETS: ",".join(secrets)} if secrets else {}
        environ = {**order.environ, **told}
        try:
            yield replace(order, secrets=secrets, redactor=redactor, environ=environ)
        finally:
            if redactor is not None:
                places = order.output.parent, self.store.run_folder(order.run_id)
                mask_files(redactor, places)
        self.start_locker(job)

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
        Jobs that end before it is done are linked by the locker.
        """
        from nbship.workflow.environments import is_due, keep_lock

        if self.settings.lock != EAGER or not is_due(self.store, job):
            return
        if (self.store.folder / "locks" / job.lock_digest).is_dir():
            keep_lock(self.environment_tools, job.id)
            return
        if job.lock_digest in _LOCKING:
            return
        _LOCKING.add(job.lock_digest)
        from nbship.adapters.probes.processes import start_detached

        store = self.store.folder.absolute()
        words = [sys.executable, "-m", "nbship.faces.locker", str(store), job.id]
        words += ["--project", str(self.settings.project)]
        start_detached(words, environ={}, log=store / "locks" / "locker.log")


def _remembered(
    ask: Callable[[Path], GitChanges | None],
) -> Callable[[Path], GitChanges | None]:
    """Ask once for jobs that are planned together: within a second."""
    known: dict[Path, tuple[float, GitChanges | None]] = {}

    def changes(folder: Path) -> GitChanges | None:
        asked_s, found = known.get(folder, (-math.inf, None))
        if time.monotonic() - asked_s > _TOGETHER_S:
            asked_s, found = time.monotonic(), ask(folder)
            known[folder] = asked_s, found
        return found

    return changes


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

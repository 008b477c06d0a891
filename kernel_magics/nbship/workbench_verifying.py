"""The part of the workbench that reruns jobs to compare them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from nbship.adapters.store.files import FileStore
    from nbship.ports import Clock
    from nbship.records.capsule import RebuiltEnvironment
    from nbship.records.environment import Environment
    from nbship.records.job import Job, Outcome
    from nbship.settings import Settings
    from nbship.workflow.verifying import RerunEnvironment, Verifier

#: the reruns are compared, neither mirrored nor locked
_UNMIRRORED = {"MLOPS_TRACKERS": "", "MLOPS_JOB_LOCK": "on-demand"}


class VerifyingBench:
    """Wires reruns; :class:`nbship.workbench.Workbench` has the rest."""

    settings: Settings

    if TYPE_CHECKING:

        @property
        def store(self) -> FileStore: ...  # noqa: D102
        @property
        def clock(self) -> Clock: ...  # noqa: D102
        def environment(self, python: str) -> Environment: ...  # noqa: D102
        def rebuild(self, job_id: str) -> RebuiltEnvironment: ...  # noqa: D102

    def verifier(self, tell: Callable[[str], None]) -> Verifier:
        """Return what verifying a job needs.

        Parameters
        ----------
        tell
            Says what happens now.
        """
        from nbship.adapters.notebooks.reader import read_notebook
        from nbship.adapters.store.files import FileStore
        from nbship.workflow.verifying import Verifier

        return Verifier(
            store=self.store,
            clock=self.clock,
            project=self.settings.project.resolve(),
            read_notebook=read_notebook,
            open_store=FileStore,
            copy_project=self._copy_project,
            run_attempt=_run_attempt,
            tell=tell,
        )

    def current_environment(self, job: Job, _folder: Path) -> RerunEnvironment:
        """Return the environment as it is, where it is still the job's.

        Raises
        ------
        JobError
            If it is another one; what differs is named.
        """
        from nbship.adapters.kernels.specs import find_kernel
        from nbship.records.job import Lock
        from nbship.workflow.submission import current_lock
        from nbship.workflow.verifying import RerunEnvironment, check_lock

        path = self.store.job_folder(job.id) / "lock.json"
        now = current_lock(find_kernel(job.kernel_name).python, self.environment)
        check_lock(job, self.store.load(Lock, path), now)
        return RerunEnvironment(name="current", environ={})

    def rebuilt_environment(self, job: Job, _folder: Path) -> RerunEnvironment:
        """Return the environment that is rebuilt from the job's lock; it is kept.

        Raises
        ------
        JobError
            If the job's environment was never locked and has changed since.
        VerificationError
            If a file of the lock cannot be had.
        """
        from nbship.workflow.verifying import RerunEnvironment

        rebuilt = self.rebuild(job.id)
        return RerunEnvironment(
            name="rebuilt",
            environ={"JUPYTER_PATH": rebuilt.jupyter_path},
            remarks=(*rebuilt.differences, *rebuilt.remarks),
        )

    def _copy_project(
        self, job: Job, outcome: Outcome | None, target: Path
    ) -> tuple[str, ...]:
        from nbship.adapters.store.scratch import Wanted, copy_folder, put_modules
        from nbship.settings import FILE_NAMES

        read = [file.path for file in outcome.data] if outcome else []
        wanted = Wanted(
            until=outcome.started_at if outcome else None,
            always=frozenset({*read, *FILE_NAMES}),
        )
        left_out = copy_folder(self.settings.project.resolve(), target, wanted)
        modules = self.store.job_folder(job.id) / "modules"
        put_modules(modules, target, {m.path: m.copy for m in job.modules})
        (target / Path(job.notebook).parent).mkdir(parents=True, exist_ok=True)
        return left_out


def _run_attempt(folder: Path, project: Path, environ: Mapping[str, str]) -> str:
    from nbship.adapters.executors.reruns import run_apart

    return run_apart(folder, project=project, environ={**environ, **_UNMIRRORED})

"""The executions that a verification makes, each in a fresh copy of the project's folder."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from nbship.errors import JobError
from nbship.records.comparison import ComparedRun
from nbship.records.digest import digest_file
from nbship.records.ids import make_id
from nbship.records.job import Attempt, JobStatus
from nbship.settings import name_in_project
from nbship.vetting.comparison.executions import Execution, LoggedMetric
from nbship.vetting.comparison.natures import Circumstances
from nbship.workflow.attempts import close_abandoned
from nbship.workflow.recording import recorded_run

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nbship.ports import Store
    from nbship.records.job import Job, Outcome
    from nbship.records.notebook import Notebook
    from nbship.records.run import Run
    from nbship.workflow.verifying import Verifier

_HASH_SEED = "PYTHONHASHSEED"
_MOST_NAMED = 5


@dataclass(frozen=True, kw_only=True, slots=True)
class Rerun:
    """One execution, and what is kept of it."""

    execution: Execution
    record: ComparedRun
    lock_digest: str


@dataclass(frozen=True, kw_only=True, slots=True)
class RerunOrder:
    """What is executed again, and where."""

    job: Job
    #: what the job published
    outcome: Outcome
    #: variables of the process that starts the kernel
    environ: Mapping[str, str]
    #: the store of the reruns
    folder: Path
    #: where the project's folder is copied to
    scratch: Path
    #: the notebook that is executed
    snapshot: Path


class Reruns:
    """Executes a job's snapshot again and again, in a store of its own.

    Parameters
    ----------
    order
        What is executed.
    verifier
        What is needed of the outside.
    """

    def __init__(self, order: RerunOrder, verifier: Verifier) -> None:
        self._job = order.job
        self._order = order
        self._verifier = verifier
        self._store = verifier.open_store(order.folder)
        self._number = 0
        self._is_whole = False
        self.remarks: tuple[str, ...] = ()
        self._prepare(order.snapshot)

    def execute(self, hash_seed: str = "") -> Rerun:
        """Execute the snapshot once more.

        A run that fails in a folder from which younger files were left out is made again in the
        whole one.

        Parameters
        ----------
        hash_seed
            Python's hash seed; the job's own where empty.
        """
        left_out, rerun = self._execute(hash_seed)
        if rerun.record.cause and left_out and not self._is_whole:
            self._is_whole = True
            _, rerun = self._execute(hash_seed)
            names = ", ".join(left_out[:_MOST_NAMED])
            more = " and more" if len(left_out) > _MOST_NAMED else ""
            self.remarks = (
                f"it fails without files written after the job began: {names}{more}",
            )
        return rerun

    def _prepare(self, snapshot: Path) -> None:
        store, job = self._store, self._job
        source, target = (
            self._verifier.store.job_folder(job.id),
            store.job_folder(job.id),
        )
        store.write_bytes(snapshot.read_bytes(), target / "input.ipynb")
        store.write_bytes((source / "lock.json").read_bytes(), target / "lock.json")
        if (source / "modules").is_dir():
            (target / "modules").symlink_to((source / "modules").resolve())

    def _execute(self, hash_seed: str) -> tuple[tuple[str, ...], Rerun]:
        verifier, store = self._verifier, self._store
        self._number += 1
        verifier.tell(f"{self._job.id}: run {self._number}")
        project = self._order.scratch / (verifier.project.name or "project")
        shutil.rmtree(project, ignore_errors=True)
        until = None if self._is_whole else self._order.outcome
        left_out = verifier.copy_project(self._job, until, project)
        job = self._job_in(project, hash_seed)
        store.save(job, store.job_folder(job.id) / "job.json")
        attempt = self._attempt(project)
        folder = store.attempt_folder(job.id, attempt.number)
        store.save(attempt, folder / "attempt.json")
        process = verifier.run_attempt(folder, project, self._order.environ)
        outcome = close_abandoned(store, attempt, clock=verifier.clock, process=process)
        if outcome is None:
            raise JobError(
                f"{folder}: another process works on it", hint="Verify the job again."
            )
        return left_out, self._rerun(job, outcome, project, hash_seed)

    def _job_in(self, project: Path, hash_seed: str) -> Job:
        """Return the job as it is in a copy of its project."""
        job = self._job
        home = self._verifier.project
        name = name_in_project(Path(job.cwd), home)
        cwd = project / name  # a folder outside of the project stays where it is
        settings = job.determinism
        if hash_seed:
            environ = {**settings.environ, _HASH_SEED: hash_seed}
            settings = replace(settings, environ=environ)
        store = self._store
        snapshot = store.job_folder(job.id) / "input.ipynb"
        return replace(
            job,
            cwd=str(cwd),
            determinism=settings,
            snapshot_digest=digest_file(snapshot),
        )

    def _attempt(self, project: Path) -> Attempt:
        clock = self._verifier.clock
        return Attempt(
            job_id=self._job.id,
            number=self._number,
            run_id=make_id("run", at=clock.now(), entropy=clock.entropy()),
            project=str(project),
            notebook=str(project / self._job.notebook),
            made_at=clock.now(),
        )

    def _rerun(
        self, job: Job, outcome: Outcome, project: Path, hash_seed: str
    ) -> Rerun:
        output = self._store.attempt_folder(job.id, outcome.attempt) / "output.ipynb"
        if not output.is_file():
            raise JobError(
                f"{job.id} could not be executed again: {outcome.cause}",
                hint=f"Look at {output.parent / 'log.txt'}.",
            )
        is_success = outcome.status is JobStatus.SUCCEEDED
        return Rerun(
            execution=execution_of(
                self._store,
                outcome,
                self._verifier.read_notebook(output),
                folders={job.cwd: "(folder)", str(project): "(project)"},
            ),
            record=ComparedRun(
                attempt=outcome.attempt,
                status=outcome.status.value,
                duration_s=(outcome.ended_at - outcome.started_at).total_seconds(),
                hash_seed=hash_seed,
                cause="" if is_success else outcome.cause,
            ),
            lock_digest=outcome.lock_digest,
        )


def execution_of(
    store: Store, outcome: Outcome, notebook: Notebook, *, folders: Mapping[str, str]
) -> Execution:
    """Put together what an outcome, its notebook and its run say, for comparison.

    Parameters
    ----------
    store
        Where the run lies.
    outcome
        How it ended.
    notebook
        The executed notebook.
    folders
        Folders of this execution, with the word that stands for each.
    """
    run = recorded_run(store, outcome.run_id)
    return Execution(
        notebook=notebook,
        circumstances=Circumstances(
            began_at=outcome.started_at, ended_at=outcome.ended_at
        ),
        metrics=_metrics(run) if run else _last(outcome),
        roots={root.name: root.digest for root in outcome.roots if root.digest},
        folders=dict(sorted(folders.items(), key=lambda item: -len(item[0]))),
        cause=outcome.cause,
    )


def _metrics(run: Run) -> dict[str, LoggedMetric]:
    cells = {execution.id: execution.cell_id for execution in run.cells}
    return {
        name: LoggedMetric(
            values=tuple(m.value for m in run.metrics if m.name == name),
            unit=last.unit,
            cell_id=cells.get(last.execution_id or "", ""),
        )
        for name, last in run.last_metrics.items()
    }


def _last(outcome: Outcome) -> dict[str, LoggedMetric]:
    return {name: LoggedMetric(values=(v,)) for name, v in outcome.metrics.items()}

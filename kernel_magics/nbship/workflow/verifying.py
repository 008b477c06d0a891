"""Verify: execute a job's snapshot again, twice, and compare with what the job published.

The reruns are no attempts at the job. They lie in ``jobs/<job>/verifications/<n>/``, a store of
its own with the same job in it, and run in a copy of the project's folder.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from nbship.errors import JobError
from nbship.jobs.planning import changed_data
from nbship.records.codec import to_json
from nbship.records.comparison import Comparison, ComparisonVerdict
from nbship.records.digest import digest_file, digest_json
from nbship.records.ids import make_id
from nbship.records.job import JobStatus
from nbship.vetting.comparison.notebooks import compare_notebooks
from nbship.vetting.comparison.tags import read_tags
from nbship.workflow.jobs import load_job, published_outcome
from nbship.workflow.reruns import Rerun, RerunOrder, Reruns, execution_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from nbship.ports import Clock, Store
    from nbship.records.job import Job, Lock, Outcome
    from nbship.records.notebook import Notebook
    from nbship.vetting.comparison.executions import Execution
    from nbship.vetting.comparison.notebooks import Judgement
    from nbship.vetting.comparison.tags import CellTags

#: hash seeds of the runs, one after the other; "" is the job's own
_HASH_SEEDS = ("", "1", "", "", "", "")
_MOST_NAMED = 8


@dataclass(frozen=True, kw_only=True, slots=True)
class RerunEnvironment:
    """Where reruns take place."""

    #: ``current`` or ``rebuilt``
    name: str
    #: variables of the process that starts the kernel
    environ: Mapping[str, str]
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Verifier:
    """What verifying needs of the outside."""

    store: Store
    clock: Clock
    project: Path
    read_notebook: Callable[[Path], Notebook]
    open_store: Callable[[Path], Store]
    #: copies the project's folder as a job found it; returns what was left out
    copy_project: Callable[[Job, Outcome | None, Path], tuple[str, ...]]
    #: works on an attempt until it ends; returns what it was, for a cause
    run_attempt: Callable[[Path, Path, Mapping[str, str]], str]
    #: says what happens now
    tell: Callable[[str], None]


def verify_job(
    job_id: str,
    verifier: Verifier,
    *,
    environment: Callable[[Job, Path], RerunEnvironment],
    snapshot: Path | None = None,
) -> tuple[Comparison, Path]:
    """Execute a job's snapshot again and compare it with the published outputs, cell by cell.

    Parameters
    ----------
    job_id
        The job.
    verifier
        What is needed of the outside.
    environment
        Makes ready where the reruns take place, given the job and a folder for its files.
    snapshot
        Another notebook in place of the job's snapshot, to ask what a change would do.

    Returns
    -------
    tuple of Comparison and Path
        The comparison, and its file.

    Raises
    ------
    JobError
        If nothing was published, or the environment is another one.
    StoreError
        If the store cannot be written.
    """
    store, clock = verifier.store, verifier.clock
    job = load_job(store, job_id)
    outcome = _published(store, job)
    tags = read_tags(
        verifier.read_notebook(store.job_folder(job.id) / "input.ipynb").code_cells,
        where=job.notebook,
    )
    changed = changed_data(outcome, _digests_now(outcome, verifier.project))
    folder = _next_folder(store.job_folder(job.id) / "verifications")
    begun = Comparison(
        id=make_id("comparison", at=clock.now(), entropy=clock.entropy()),
        job_id=job.id,
        attempt=outcome.attempt,
        compared_at=clock.now(),
        verdict=ComparisonVerdict.INPUT_CHANGED,
        environment="",
        changed_inputs=changed,
    )
    if changed:
        return _kept(store, begun, folder)
    place = environment(job, folder)
    begun = replace(begun, environment=place.name, notes=place.remarks)
    with tempfile.TemporaryDirectory(prefix="nbship-verify-") as scratch:
        order = RerunOrder(
            job=job,
            outcome=outcome,
            environ=place.environ,
            folder=folder,
            scratch=Path(scratch).resolve(),
            snapshot=snapshot or store.job_folder(job.id) / "input.ipynb",
        )
        reruns = Reruns(order, verifier)
        published = _published_execution(verifier, job, outcome)
        runs = list[Rerun]()
        judgement = _judged(published, runs, reruns, tags)
    return _kept(store, _finished(begun, judgement, runs, reruns), folder)


def check_lock(job: Job, wanted: Lock, found: Lock) -> None:
    """Make sure that an environment is the one that a job was planned for.

    Raises
    ------
    JobError
        If it is another one; what differs is named.
    """
    if digest_json(to_json(found)) == job.lock_digest:
        return
    apart = [
        f"{name} {_version(wanted, name)} -> {_version(found, name)}"
        for name in sorted({*wanted.packages, *found.packages})
        if wanted.packages.get(name) != found.packages.get(name)
    ]
    if wanted.python_version != found.python_version:
        apart.insert(0, f"Python {wanted.python_version} -> {found.python_version}")
    more = f" and {len(apart) - _MOST_NAMED} more" if len(apart) > _MOST_NAMED else ""
    raise JobError(
        f"{job.id}: the environment is not the job's: {', '.join(apart[:_MOST_NAMED])}{more}",
        hint=f"Rebuild it: `mlops rerun {job.id} --verify --environment rebuild`.",
    )


def _version(lock: Lock, name: str) -> str:
    package = lock.packages.get(name)
    return "none" if package is None else str(package.get("version", "?"))


def _judged(
    published: Execution,
    runs: list[Rerun],
    reruns: Reruns,
    tags: Mapping[str, CellTags],
) -> Judgement:
    """Run twice; again with the job's own hash seed where noise decides.

    The second run has another hash seed, so that what rests on it shows. Where a difference to
    the published outputs is put down to noise, or stands beside noise, a run with the job's own
    settings says what noise there is without that. Where cells have changed beside noise, up to
    three more make sure that this is none.
    """
    runs += [reruns.execute(seed) for seed in _HASH_SEEDS[:2]]
    found = compare_notebooks(published, _usable(runs), tags=tags)
    for seed in _HASH_SEEDS[2:]:
        if not found.is_excused:
            break
        runs.append(reruns.execute(seed))
        same = [run for run in runs if not run.record.hash_seed]
        found = compare_notebooks(published, _usable(same), tags=tags)
        if found.verdict is not ComparisonVerdict.DIVERGED:
            break
    return found


def _usable(runs: Sequence[Rerun]) -> list[Execution]:
    """Return the first run, and those of the others that came to their end."""
    first, *others = runs
    return [first.execution, *(r.execution for r in others if not r.record.cause)]


def _finished(
    begun: Comparison, found: Judgement, runs: Sequence[Rerun], reruns: Reruns
) -> Comparison:
    failed = [run.record for run in runs[1:] if run.record.cause]
    notes = [f"run {record.attempt} failed: {record.cause}" for record in failed]
    return replace(
        begun,
        verdict=found.verdict,
        lock_digest=runs[0].lock_digest,
        runs=tuple(run.record for run in runs),
        cells=found.cells,
        metrics=found.metrics,
        notes=(*begun.notes, *reruns.remarks, *found.notes, *notes),
    )


def _published(store: Store, job: Job) -> Outcome:
    outcome = published_outcome(store, job.id)
    if outcome is None or outcome.status is not JobStatus.SUCCEEDED:
        status = "has no outcome" if outcome is None else outcome.status.value
        raise JobError(
            f"{job.id} {status}: nothing was published that a rerun could be compared with",
            hint=f"Make it succeed first: `mlops rerun {job.id}`.",
        )
    output = store.attempt_folder(job.id, outcome.attempt) / "output.ipynb"
    if not output.is_file() or digest_file(output) != outcome.output_digest:
        raise JobError(
            f"{output}: it is not the notebook that was published",
            hint="Restore the file: records are written once and never edited.",
        )
    return outcome


def _published_execution(verifier: Verifier, job: Job, outcome: Outcome) -> Execution:
    store = verifier.store
    output = store.attempt_folder(job.id, outcome.attempt) / "output.ipynb"
    return execution_of(
        store,
        outcome,
        verifier.read_notebook(output),
        folders={job.cwd: "(folder)", str(verifier.project): "(project)"},
    )


def _digests_now(outcome: Outcome, project: Path) -> dict[str, str]:
    paths = {file.path: project / file.path for file in outcome.data}
    return {name: digest_file(p) for name, p in paths.items() if p.is_file()}


def _next_folder(parent: Path) -> Path:
    number = 1
    while True:
        folder = parent / str(number)
        try:
            folder.mkdir(parents=True)
        except FileExistsError:
            number += 1
        else:
            return folder


def _kept(
    store: Store, comparison: Comparison, folder: Path
) -> tuple[Comparison, Path]:
    path = folder / "comparison.json"
    store.save(comparison, path)
    return comparison, path

"""Gather what a reviewer must know of a job, and write its report."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from nbship.errors import JobError, NotebookError
from nbship.records.digest import digest_file, digest_tree
from nbship.records.explanation import EXPLANATION, Explanation
from nbship.records.job import Job, Lock, Outcome
from nbship.workflow.approvals import verdict_digest
from nbship.workflow.captured import root_folder
from nbship.workflow.jobs import load_job, published_outcome
from nbship.workflow.recording import recorded_run
from nbship.workflow.review import answers_to, invalid_answers
from nbship.workflow.vetting import latest_verdict

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime
    from pathlib import Path

    from nbship.ports import Store
    from nbship.ports_shipping import Sealer
    from nbship.records.policy import Policy
    from nbship.records.run import Run
    from nbship.records.vetting import Approval, Verdict


@dataclass(frozen=True, kw_only=True, slots=True)
class ReportFacts:
    """Everything that a report says beside the notebook."""

    id: str
    made_at: datetime
    #: name and version of the program that made it
    tool: str
    #: who answers for a release; "" where nobody was named
    owner: str
    job: Job
    outcome: Outcome
    #: None where the journal is gone
    run: Run | None
    #: None where the job's lock is gone
    lock: Lock | None
    #: None where the job was never vetted
    verdict: Verdict | None
    #: "" without a verdict
    verdict_digest: str
    #: the newest valid answer of each reviewer
    answers: tuple[Approval, ...]
    #: why other answers to this notebook do not hold, one line each
    invalid_answers: tuple[str, ...]
    #: approvals that a release needs
    approvals_wanted: int
    #: of each root that the job captured: why its lines are in and its cells out
    explanations: tuple[Explanation, ...] = ()


def gather_facts(  # noqa: PLR0913  # what a report is made of
    store: Store,
    job_id: str,
    *,
    report_id: str,
    at: datetime,
    tool: str,
    owner: str,
    policy: Policy,
    reviewers: Sequence[str],
    sealer: Sealer,
) -> ReportFacts:
    """Read a job, its outcome, run, verdict and approvals.

    Raises
    ------
    JobError
        If the job has no outcome yet.
    RecordNotFoundError
        If there is no such job.
    """
    job = load_job(store, job_id)
    outcome = published_outcome(store, job_id)
    if outcome is None:
        raise JobError(
            f"{job_id}: it has no outcome yet, so there is nothing to report",
            hint=f"Wait for it: mlops logs {job_id}",
        )
    verdict = latest_verdict(store, job_id)
    answers: tuple[Approval, ...] = ()
    invalid: tuple[str, ...] = ()
    if verdict is not None:
        answers = answers_to(store, verdict, reviewers=reviewers, sealer=sealer)
        invalid = invalid_answers(store, verdict, reviewers=reviewers, sealer=sealer)
    lock = store.job_folder(job_id) / "lock.json"
    return ReportFacts(
        id=report_id,
        made_at=at,
        tool=tool,
        owner=owner,
        job=job,
        outcome=outcome,
        run=recorded_run(store, outcome.run_id),
        lock=store.load(Lock, lock) if lock.is_file() else None,
        verdict=verdict,
        verdict_digest=verdict_digest(verdict) if verdict else "",
        answers=answers,
        invalid_answers=invalid,
        approvals_wanted=policy.approvals,
        explanations=_explanations(store, job, outcome),
    )


def _explanations(store: Store, job: Job, outcome: Outcome) -> tuple[Explanation, ...]:
    roots = store.attempt_folder(job.id, outcome.attempt) / "roots"
    folders = [
        folder
        for root in outcome.roots
        if (folder := root_folder(roots, root.name)).is_dir()
        and digest_tree(folder) == root.digest
    ]
    paths = [folder / EXPLANATION for folder in folders]
    return tuple(store.load(Explanation, path) for path in paths if path.is_file())


def write_report(
    store: Store,
    facts: ReportFacts,
    *,
    render: Callable[[Path, ReportFacts], str],
    path: Path,
) -> Path:
    """Render the executed notebook with its facts and write the page.

    Raises
    ------
    NotebookError
        As :func:`report_page` does.
    """
    page = report_page(store, facts, render=render)
    store.write_bytes(page.encode("utf-8", "replace"), path)
    return path


def report_page(
    store: Store, facts: ReportFacts, *, render: Callable[[Path, ReportFacts], str]
) -> str:
    """Render the executed notebook with its facts.

    Where the job never came to write its notebook, the submitted one is shown.

    Raises
    ------
    NotebookError
        If that notebook is gone, was changed since the job ran, or is none.
    """
    attempt = store.attempt_folder(facts.job.id, facts.outcome.attempt)
    notebook, digest = attempt / "output.ipynb", facts.outcome.output_digest
    if not digest:
        notebook = store.job_folder(facts.job.id) / "input.ipynb"
        digest = facts.job.snapshot_digest
    if not notebook.is_file() or digest_file(notebook) != digest:
        raise NotebookError(
            f"{notebook}: gone or changed since the job ran; a report would show something else",
            hint=f"Restore the file, or run the job again: mlops rerun {facts.job.id}",
        )
    return render(notebook, facts)

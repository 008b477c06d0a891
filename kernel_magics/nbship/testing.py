"""Public helpers for authors of plug-ins: build a notebook, ask a gate.

>>> from nbship.testing import ask_gate, make_dossier, make_notebook
>>> from nbship.vetting.gates import BUILT_IN
>>> [gate] = [gate for gate in BUILT_IN if gate.code == "NB205"]
>>> notebook = make_notebook("import random", "random.random()")
>>> [finding.cell_id for finding in ask_gate(gate, make_dossier(notebook))]
['cell-1']
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

from nbship.errors import ParameterError, VettingError
from nbship.jobs.contract import read_contract
from nbship.records.digest import digest_text
from nbship.records.job import Job, JobStatus, Lock, Outcome
from nbship.records.notebook import Cell, CellKind, Notebook
from nbship.records.parameters import ParameterContract
from nbship.records.policy import Policy
from nbship.records.vetting import Finding, LintFinding
from nbship.vetting.dossier import Dossier, lint_sources

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from nbship.records.release import RootCapture
    from nbship.vetting.gate import Gate

_AT = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)
_DISTRIBUTIONS = ("ipykernel", "matplotlib", "numpy", "pandas", "scikit-learn")


def make_cell(
    source: str,
    *,
    kind: CellKind = CellKind.CODE,
    tags: Iterable[str] = (),
    execution_count: int | None = None,
    outputs: Iterable[Mapping[str, Any]] = (),
) -> Cell:
    """Make a cell; :func:`make_notebook` gives it its place and its id."""
    return Cell(
        id="",
        kind=kind,
        source=source,
        index=0,
        tags=tuple(tags),
        execution_count=execution_count,
        outputs=tuple(outputs),
    )


def make_notebook(*cells: Cell | str, path: str = "notebook.ipynb") -> Notebook:
    """Make a Python notebook of cells; a string is a code cell. Ids are ``cell-<position>``."""
    made = [make_cell(cell) if isinstance(cell, str) else cell for cell in cells]
    placed = tuple(
        replace(cell, index=index, id=cell.id or f"cell-{index}")
        for index, cell in enumerate(made)
    )
    return Notebook(
        path=path,
        digest=digest_text(repr(placed)),
        kernel_name="python3",
        language="python",
        cells=placed,
    )


def make_dossier(  # noqa: PLR0913  # each has a default, all by name
    notebook: Notebook,
    *,
    status: JobStatus = JobStatus.SUCCEEDED,
    cause: str = "",
    cell_id: str | None = None,
    values: Mapping[str, Any] | None = None,
    metrics: Mapping[str, float] | None = None,
    policy: Policy | None = None,
    distributions: Iterable[str] = _DISTRIBUTIONS,
    lock_changed: bool = False,
    lint: Iterable[LintFinding] | None = None,
    today: date | None = None,
    captures: Mapping[str, RootCapture] | None = None,
) -> Dossier:
    """Lay out a notebook as if a job had run it.

    Parameters
    ----------
    notebook
        The snapshot.
    status, cause, cell_id
        How the job ended, and where.
    values
        The job's values.
    metrics
        Last value of each metric that the job logged.
    policy
        What is demanded; nothing where left out.
    distributions
        Names in the lock.
    lock_changed
        Whether the job installed something.
    lint
        What the linter said; ruff is asked where left out.
    today
        Day of the vetting; 2026-01-05 where left out.
    captures
        What the job captured, by the root's name.

    Raises
    ------
    VettingError
        If ruff does not answer.
    """
    lock = Lock(
        python_version="3.11.9",
        packages={
            name: {"version": "1.0", "record_digest": ""} for name in distributions
        },
    )
    job = Job(
        id="job-20260105-120000-0000",
        notebook=notebook.path,
        snapshot_digest=notebook.digest,
        lock_digest="0" * 64,
        plan_digest="0" * 64,
        planned_at=_AT,
        kernel_name=notebook.kernel_name,
        experiment="",
        values=dict(values or {}),
        contract=_contract(notebook),
    )
    outcome = Outcome(
        job_id=job.id,
        attempt=1,
        run_id="run-20260105-120000-0000",
        status=status,
        started_at=_AT,
        ended_at=_AT,
        cause=cause,
        cell_id=cell_id,
        lock_digest="1" * 64 if lock_changed else job.lock_digest,
        metrics=dict(metrics or {}),
    )
    return Dossier(
        job=job,
        outcome=outcome,
        snapshot=notebook,
        policy=policy or Policy(),
        lock=lock,
        today=today or _AT.date(),
        lint=tuple(_lint(notebook) if lint is None else lint),
        captures=dict(captures or {}),
    )


def ask_gate(gate: Gate, dossier: Dossier) -> tuple[Finding, ...]:
    """Ask one gate, and hold it to what every gate promises.

    Raises
    ------
    VettingError
        If it answers with something else than findings, with a code that is not its own, with
        a cell that the notebook does not have, or differently when asked again.
    """
    answers: tuple[object, ...] = tuple(gate.ask(dossier))
    findings: list[Finding] = []
    codes = {gate.code, *getattr(gate, "more_codes", ())}
    cells = {None, *(cell.id for cell in dossier.snapshot.cells)}
    for finding in answers:
        if not isinstance(finding, Finding):
            problem = f"answered with {type(finding).__name__}, not with a Finding"
        elif not any(finding.code.startswith(code) for code in codes):
            problem = f"found {finding.code}, which is none of its codes"
        elif finding.cell_id not in cells:
            problem = f"found something in {finding.cell_id!r}, which is no cell"
        else:
            findings.append(finding)
            continue
        raise VettingError(f"gate {gate.code} {problem}", hint="Mend the gate.")
    if tuple(gate.ask(dossier)) != answers:
        raise VettingError(
            f"gate {gate.code} answered differently when asked again",
            hint="Let it read nothing but the dossier, and keep nothing.",
        )
    return tuple(findings)


def _lint(notebook: Notebook) -> tuple[LintFinding, ...]:
    from nbship.adapters.probes.lint import RuffLinter
    from nbship.vetting.ruff_rules import SELECTED

    return RuffLinter(SELECTED).lint(lint_sources(notebook))


__all__ = ["ask_gate", "make_cell", "make_dossier", "make_notebook"]


def _contract(notebook: Notebook) -> ParameterContract:
    try:
        return read_contract(notebook)
    except ParameterError:  # a gate says so
        return ParameterContract(cell_id=None)

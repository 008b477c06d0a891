"""Execute and vet a tree of notebooks: plan each, run what changed, vet all, report."""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatch
from typing import TYPE_CHECKING

from nbship.capture.summary import first_line
from nbship.errors import NbshipError, NotebookError
from nbship.records.ci import CiCell, CiNotebook, CiReport, CiStatus
from nbship.records.job import JobStatus
from nbship.records.run import CellStatus
from nbship.workflow.recording import recorded_run
from nbship.workflow.vetting import cell_lines

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from datetime import datetime
    from pathlib import Path

    from nbship.ports import Store
    from nbship.records.job import Outcome
    from nbship.records.notebook import Cell, Notebook
    from nbship.records.run import CellExecution
    from nbship.records.vetting import Verdict
    from nbship.workflow.submission import Submission

_DURATIONS = "ci-durations.json"
_NEVER = ("node_modules", "__pycache__")


@dataclass(frozen=True, kw_only=True, slots=True)
class Tools:
    """What executing and vetting a tree asks of the outside."""

    store: Store
    now: Callable[[], datetime]
    #: plans a notebook's job; raises NbshipError where that is refused
    plan: Callable[[Path], Submission]
    #: runs planned jobs and yields each outcome as it ends
    run: Callable[[Sequence[str]], Iterable[Outcome]]
    #: vets a finished job
    vet: Callable[[str], Verdict]
    #: reads the notebook that a job ran
    read: Callable[[Path], Notebook]
    #: told of each notebook as it is done
    tell: Callable[[CiNotebook], None]


def find_notebooks(
    paths: Sequence[Path], *, exclude: Sequence[str], project: Path
) -> tuple[Path, ...]:
    """Return the notebooks that files and folders name, sorted, each once.

    Hidden folders, stores, checkpoints and environments are passed over, and what a pattern
    of ``exclude`` fits, relative to the project.

    Raises
    ------
    NotebookError
        If a path is not there, or is a file and no notebook.
    """
    found: dict[Path, None] = {}
    for path in paths:
        if path.is_dir():
            found.update(dict.fromkeys(_below(path)))
        elif path.is_file() and path.suffix == ".ipynb":
            found[path] = None
        else:
            raise NotebookError(
                f"{path}: a notebook or a folder was expected",
                hint="Name files that end in .ipynb, or folders.",
            )
    kept = (p for p in found if not _is_excluded(p.resolve(), exclude, project))
    return tuple(sorted({path.resolve(): path for path in kept}.values()))


def _below(folder: Path) -> Iterator[Path]:
    for entry in sorted(folder.iterdir()):
        if entry.is_dir():
            is_environment = (entry / "pyvenv.cfg").is_file()
            is_left = entry.name.startswith(".") or entry.name in _NEVER
            if not is_environment and not is_left:
                yield from _below(entry)
        elif entry.suffix == ".ipynb" and not entry.name.startswith("."):
            yield entry


def _is_excluded(path: Path, patterns: Sequence[str], project: Path) -> bool:
    home = project.resolve()
    name = path.relative_to(home) if path.is_relative_to(home) else path
    return any(
        fnmatch(name.as_posix(), pattern) or name.match(pattern) for pattern in patterns
    )


def run_tree(
    notebooks: Mapping[str, Path], tools: Tools, *, shard: str = ""
) -> CiReport:
    """Execute and vet notebooks.

    Parameters
    ----------
    notebooks
        Files by the name that the report calls them.
    tools
        What that asks of the outside.
    shard
        Which part of the tree they are.

    Raises
    ------
    StoreError
        If the store cannot be written.
    """
    began_at = tools.now()
    done: dict[str, CiNotebook] = {}
    due: dict[str, list[str]] = {}
    for name, path in notebooks.items():
        try:
            submission = tools.plan(path)
        except NbshipError as error:
            done[name] = CiNotebook(
                path=name,
                status=CiStatus.REFUSED,
                cause=error.message,
                hint=error.hint,
            )
            tools.tell(done[name])
            continue
        if submission.reused is not None:
            done[name] = _result(name, submission.reused, tools, is_unchanged=True)
            tools.tell(done[name])
        else:
            due.setdefault(submission.job.id, []).append(name)
    for outcome in tools.run(tuple(due)):
        for name in due.pop(outcome.job_id, ()):
            done[name] = _result(name, outcome, tools)
            tools.tell(done[name])
    return CiReport(
        began_at=began_at,
        ended_at=tools.now(),
        notebooks=tuple(done[name] for name in notebooks if name in done),
        shard=shard,
    )


def _result(
    name: str, outcome: Outcome, tools: Tools, *, is_unchanged: bool = False
) -> CiNotebook:
    verdict = tools.vet(outcome.job_id)
    status = CiStatus.PASSED if verdict.passed else CiStatus.BLOCKED
    is_success = outcome.status is JobStatus.SUCCEEDED
    return CiNotebook(
        path=name,
        status=status if is_success else CiStatus.FAILED,
        is_unchanged=is_unchanged,
        job_id=outcome.job_id,
        verdict_id=verdict.id,
        duration_s=(outcome.ended_at - outcome.started_at).total_seconds(),
        cause=outcome.cause,
        metrics=outcome.metrics,
        cells=_cells(outcome, tools),
        findings=verdict.findings,
        gates=verdict.gates,
    )


def _cells(outcome: Outcome, tools: Tools) -> tuple[CiCell, ...]:
    """Lay the run's cell executions over the snapshot's code cells."""
    store = tools.store
    snapshot = tools.read(store.job_folder(outcome.job_id) / "input.ipynb")
    lines = cell_lines(store, outcome.job_id)
    run = recorded_run(store, outcome.run_id)
    executions = {cell.cell_id: cell for cell in (run.cells if run else ())}
    return tuple(
        _cell(cell, number, executions.get(cell.id), lines.get(cell.id, 1))
        for number, cell in enumerate(snapshot.code_cells, start=1)
        if cell.source.strip()
    )


def _cell(
    cell: Cell, number: int, execution: CellExecution | None, line: int
) -> CiCell:
    status, message = CiStatus.SKIPPED, "not run"
    if execution is not None:
        is_allowed = "raises-exception" in execution.tags
        is_ok = execution.status is CellStatus.OK or (
            is_allowed and execution.status is CellStatus.FAILED
        )
        status = CiStatus.PASSED if is_ok else CiStatus.FAILED
        message = "" if is_ok else _message(execution)
    return CiCell(
        id=cell.id,
        number=number,
        title=first_line(cell.source),
        status=status,
        duration_s=(execution.duration_s or 0.0) if execution else 0.0,
        message=message,
        line=line,
    )


def _message(execution: CellExecution) -> str:
    error = execution.error or {}
    head = f"{error.get('ename', execution.status.value)}: {error.get('evalue', '')}"
    return "\n".join([head.rstrip(": "), *error.get("traceback", ())])


def known_durations(store: Store, path: Path | None = None) -> dict[str, float]:
    """Read the durations that earlier runs recorded, in seconds by notebook.

    Raises
    ------
    RecordFormatError
        If the file is no JSON object of numbers.
    RecordNotFoundError
        If a named file is not there.
    """
    place = path or store.folder / _DURATIONS
    if path is None and not place.is_file():
        return {}
    return {str(k): float(v) for k, v in store.load(dict, place).items()}


def keep_durations(store: Store, report: CiReport) -> None:
    """Add the durations of what ran to those that are known."""
    found = known_durations(store)
    found |= {
        n.path: round(n.duration_s, 3)
        for n in report.notebooks
        if n.job_id and n.status is not CiStatus.REFUSED
    }
    store.save(dict(sorted(found.items())), store.folder / _DURATIONS)

"""Everything that gates may ask about one finished job, laid out for reading."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from nbship.records.job import JobStatus
from nbship.records.run import CellStatus
from nbship.vetting.sources import CellCode, read_source

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from nbship.records.job import Job, Lock, Outcome
    from nbship.records.notebook import Cell, Notebook
    from nbship.records.policy import Policy
    from nbship.records.release import RootCapture
    from nbship.records.run import Run
    from nbship.records.vetting import LintFinding


@dataclass(frozen=True, kw_only=True, slots=True)
class Dossier:
    """One job with all that is known of it on the day of its vetting."""

    job: Job
    outcome: Outcome
    #: the notebook as it was submitted
    snapshot: Notebook
    policy: Policy
    lock: Lock
    #: UTC
    today: date
    #: the notebook as the job left it; None where the job never came that far
    executed: Notebook | None = None
    #: the run as its journal tells it; None where no journal was written
    run: Run | None = None
    #: what the linter said about the snapshot
    lint: tuple[LintFinding, ...] = ()
    #: import name to the distributions that provide it, as far as the machine knows
    providers: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    #: modules that lie in the job's working folder
    local_modules: frozenset[str] = frozenset()
    #: what the job's kernel captured, by the root's name
    captures: Mapping[str, RootCapture] = field(default_factory=dict)

    @property
    def ran_cleanly(self) -> bool:
        """Whether the job ran its notebook from top to bottom."""
        return self.outcome.status is JobStatus.SUCCEEDED

    @property
    def code(self) -> tuple[tuple[Cell, CellCode], ...]:
        """The snapshot's code cells with their sources read, in document order."""
        return tuple((cell, read_source(cell.source)) for cell in self.python_cells)

    @property
    def python_cells(self) -> tuple[Cell, ...]:
        """The snapshot's code cells; none where its kernel speaks another language."""
        is_python = self.snapshot.language.lower() in {"python", "ipython", ""}
        return self.snapshot.code_cells if is_python else ()

    @property
    def cells_run(self) -> frozenset[str]:
        """Ids of the cells that the job ran without an error."""
        cells = self.run.cells if self.run else ()
        return frozenset(c.cell_id for c in cells if c.status is CellStatus.OK)

    @property
    def known_names(self) -> frozenset[str]:
        """Names that the job sets before the first cell: its values."""
        return frozenset(self.job.values)


def lint_sources(snapshot: Notebook) -> tuple[tuple[str, str], ...]:
    """Return what a linter is given: (cell id, plain Python), blank where a cell is none.

    A cell that is no Python hides every other finding of its notebook from ruff; it is
    reported by a gate of its own.
    """
    if snapshot.language.lower() not in {"python", "ipython", ""}:
        return ()
    read = ((cell.id, read_source(cell.source)) for cell in snapshot.code_cells)
    return tuple(
        (cell_id, code.text if code.tree else "\n" * code.text.count("\n"))
        for cell_id, code in read
    )

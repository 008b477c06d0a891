"""Whether it ran from top to bottom, and was submitted as it ran."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from nbship.records.job import JobStatus
from nbship.records.vetting import Finding, Severity
from nbship.vetting.gate import Gate

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nbship.records.notebook import Cell
    from nbship.vetting.dossier import Dossier

#: nbclient's tag for cells that are meant to raise
RAISES_TAG = "raises-exception"


class RanTopToBottom(Gate):
    """The job itself: the one run from top to bottom that counts."""

    code = "NB203"
    title = "the job did not run to its end"
    severity = Severity.BLOCKER
    fix = "Mend the cell, then submit the notebook again."

    def ask(self, dossier: Dossier) -> Iterator[Finding]:
        """Object to every job that did not succeed."""
        outcome = dossier.outcome
        if not dossier.ran_cleanly:
            status = outcome.status
            verb = "" if status is JobStatus.FAILED else "was "
            yield self.finding(
                f"the job {verb}{status.value}: {outcome.cause or 'no cause was recorded'}",
                cell_id=outcome.cell_id,
            )


class CellsAreSyntax(Gate):
    """Cells that Python cannot read; where the job ran one all the same, it is believed."""

    code = "NB201"
    title = "a cell is no Python"
    severity = Severity.BLOCKER
    fix = "Correct the syntax, or make it a raw or markdown cell."

    def ask(self, dossier: Dossier) -> Iterator[Finding]:
        """Object to each cell that does not parse."""
        for cell, code in dossier.code:
            if code.tree is None and cell.id not in dossier.cells_run:
                yield self.finding(
                    f"the cell is no Python: {code.problem}",
                    cell_id=cell.id,
                    line=code.problem_line,
                )


class NoStoredErrors(Gate):
    """Error outputs in the notebook as it was submitted."""

    code = "NB202"
    title = "an output of the submitted notebook is an error"
    severity = Severity.BLOCKER
    fix = f"Run the cell again, or tag it `{RAISES_TAG}` if it is meant to raise."

    def ask(self, dossier: Dossier) -> Iterator[Finding]:
        """Object to stored errors; a note where the job ran cleanly."""
        severity = Severity.NOTE if dossier.ran_cleanly else self.severity
        for cell in dossier.snapshot.code_cells:
            errors = [o for o in cell.outputs if o.get("output_type") == "error"]
            if errors and RAISES_TAG not in cell.tags:
                yield self.finding(
                    f"the stored output is an error: {errors[0].get('ename') or 'unnamed'}",
                    severity=severity,
                    cell_id=cell.id,
                )


class _StoredOrder(Gate):
    """Shared by the gates that read the execution counts of the submitted notebook."""

    fix = "Restart the kernel, run all cells and save, before you submit."

    def weight(self, dossier: Dossier) -> Severity:
        """Weigh less what the job has shown to be harmless."""
        return Severity.NOTE if dossier.ran_cleanly else self.severity


class RanInOrder(_StoredOrder):
    """Execution counts rise from cell to cell."""

    code = "NB101"
    title = "cells were run out of order"

    def ask(self, dossier: Dossier) -> Iterator[Finding]:
        """Object to each cell with a lower count than the one before it."""
        for before, cell in pairwise(_executed(dossier)):
            if _count(cell) < _count(before):
                yield self.finding(
                    f"run as number {_count(cell)}, below a cell that was run as number {_count(before)}",
                    severity=self.weight(dossier),
                    cell_id=cell.id,
                )


class CountsHaveNoGaps(_StoredOrder):
    """Execution counts are 1 to n: no cell was repeated, changed or deleted since."""

    code = "NB102"
    title = "execution counts have gaps"
    severity = Severity.NOTE

    def ask(self, dossier: Dossier) -> Iterator[Finding]:
        """Note where the counts are not 1 to n."""
        counts = sorted(_count(cell) for cell in _executed(dossier))
        if counts and counts != list(range(1, len(counts) + 1)):
            yield self.finding(
                f"{len(counts)} cells were run, with counts from {counts[0]} to {counts[-1]}: "
                "cells were repeated or deleted"
            )


class NoCellLeftOut(_StoredOrder):
    """No cell without a count stands above one that was run."""

    code = "NB103"
    title = "a cell between cells that were run was not"

    def ask(self, dossier: Dossier) -> Iterator[Finding]:
        """Object to each cell that was passed over."""
        executed = _executed(dossier)
        last = executed[-1].index if executed else -1
        for cell in dossier.snapshot.code_cells:
            if (
                cell.execution_count is None
                and cell.index < last
                and cell.source.strip()
            ):
                yield self.finding(
                    "not run, while a cell below it was",
                    severity=self.weight(dossier),
                    cell_id=cell.id,
                )


def _executed(dossier: Dossier) -> list[Cell]:
    cells = dossier.snapshot.code_cells
    return [cell for cell in cells if cell.execution_count is not None]


def _count(cell: Cell) -> int:
    return cell.execution_count or 0

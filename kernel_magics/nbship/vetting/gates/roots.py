"""What the captured roots of a job would prove, were they released."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nbship.records.parity import ENOUGH_ROWS
from nbship.records.vetting import Finding, Severity
from nbship.vetting.gate import Gate

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nbship.vetting.dossier import Dossier


class RootsAreProven(Gate):
    """A package answers as the notebook did for the rows that were recorded, and for no others."""

    code = "NB611"
    title = "a captured root is not proven"
    severity = Severity.WARNING
    fix = f"Call it on at least {ENOUGH_ROWS} different rows in the notebook."

    def ask(self, dossier: Dossier) -> Iterator[Finding]:
        """Object to each root with few golden rows, and to each that was refused."""
        for name, capture in dossier.captures.items():
            if capture.golden_rows < ENOUGH_ROWS:
                yield self.finding(
                    f"root {name!r} is not proven: {capture.golden_rows} distinct golden "
                    f"rows, fewer than {ENOUGH_ROWS}"
                )
        for root in dossier.outcome.roots:
            if root.refusal:
                yield self.finding(
                    f"root {root.name!r} was not captured: {root.refusal}",
                    fix=root.hint or None,
                )


class InputsAreRaw(Gate):
    """A package that was shown transformed rows expects them; its callers have raw ones."""

    code = "NB612"
    title = "golden inputs were transformed before the root"
    severity = Severity.WARNING
    fix = "Do it inside the root, so that the package takes what callers have."

    def ask(self, dossier: Dossier) -> Iterator[Finding]:
        """Object to each transformation that the package leaves to its callers."""
        known = {cell.id for cell in dossier.snapshot.cells}
        for capture in dossier.captures.values():
            for found in capture.skew:
                is_here = found.cell_id in known
                yield self.finding(
                    found.message,
                    cell_id=found.cell_id if is_here else None,
                    line=found.line if is_here else None,
                )

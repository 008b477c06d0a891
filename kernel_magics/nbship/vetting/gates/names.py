"""Whether every name exists before it is read, in the order of the document."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from nbship.records.vetting import Finding, Severity
from nbship.vetting.gate import Gate

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nbship.records.vetting import LintFinding
    from nbship.vetting.dossier import Dossier

#: ruff's code for a name that nothing above defines
UNDEFINED = "F821"
_NAME = re.compile(r"`([^`]*)`")
_CACHE = re.compile(r"_{1,3}|_\d+|_i{1,3}|_i\d+|In|Out|_[io]h|_dh")
#: magics that put names into the notebook which its text does not show
_OPENING = re.compile(r"%%?(?:run|pylab|store|load|loadpy|R|sql|kql|local)\b")


class NamesAreDefined(Gate):
    """Names that no cell above defines; ruff finds them, this gate weighs them."""

    code = "NB106"
    title = "a name is read that nothing above defines"
    severity = Severity.BLOCKER
    fix = "Define it above this cell, or move the cell that does."

    def ask(self, dossier: Dossier) -> Iterator[Finding]:
        """Object once per name; less loudly where the job did not stumble over it."""
        opened = _first_opening_cell(dossier)
        index = {cell.id: cell.index for cell in dossier.snapshot.cells}
        for name, places in _undefined(dossier).items():
            if _CACHE.fullmatch(name) or name in dossier.known_names:
                continue
            first = places[0]
            severity = Severity.WARNING if dossier.ran_cleanly else self.severity
            may_come_from_magic = opened is not None and index[first.cell_id] >= opened
            yield self.finding(
                f"`{name}` is read here and nothing above defines it"
                + (" (a magic may do)" if may_come_from_magic else ""),
                severity=Severity.NOTE if may_come_from_magic else severity,
                cell_id=first.cell_id,
                line=first.line,
            )


class NoOutputCache(Gate):
    """``_``, ``In``, ``Out``: what they hold depends on which cell ran before."""

    code = "NB107"
    title = "a cell reads IPython's cache of outputs"
    severity = Severity.WARNING
    fix = "Give the value a name in the cell that makes it."

    def ask(self, dossier: Dossier) -> Iterator[Finding]:
        """Object to each name of the cache that is read."""
        for name, places in _undefined(dossier).items():
            if _CACHE.fullmatch(name):
                yield self.finding(
                    f"`{name}` holds whatever ran before this cell",
                    cell_id=places[0].cell_id,
                    line=places[0].line,
                )


def _undefined(dossier: Dossier) -> dict[str, list[LintFinding]]:
    found: dict[str, list[LintFinding]] = {}
    for lint in dossier.lint:
        name = _NAME.search(lint.message)
        if lint.code == UNDEFINED and name:
            found.setdefault(name[1], []).append(lint)
    return found


def _first_opening_cell(dossier: Dossier) -> int | None:
    return next(
        (
            cell.index
            for cell, code in dossier.code
            if any(_OPENING.match(escape.text) for escape in code.escapes)
        ),
        None,
    )

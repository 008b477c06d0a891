"""What any linter of Python would say."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

from nbship.records.vetting import Finding, Severity
from nbship.vetting.gate import Gate
from nbship.vetting.gates.names import UNDEFINED
from nbship.vetting.ruff_rules import SELECTED, fix_of, weight_of
from nbship.vetting.secrets import find_secrets

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nbship.vetting.dossier import Dossier

_UNUSED_IMPORT = "F401"
_PASSWORDS = frozenset({"S105", "S106", "S107"})


class PythonIsSound(Gate):
    """ruff's findings under ruff's own codes, weighed for notebooks."""

    code = "RUFF"
    title = "ruff objects"
    severity = Severity.WARNING
    more_codes = SELECTED

    def ask(self, dossier: Dossier) -> Iterator[Finding]:
        """Hand on what ruff said, less what gates of our own say better."""
        secret_lines = {
            (cell.id, secret.line)
            for cell in dossier.snapshot.code_cells
            for secret in find_secrets(cell.source)
        }
        used = _imports_of_magics(dossier)
        for lint in dossier.lint:
            place = (lint.cell_id, lint.line)
            is_ours = (
                lint.code == UNDEFINED
                or (lint.code in _PASSWORDS and place in secret_lines)
                or (lint.code == _UNUSED_IMPORT and place in used)
            )
            if not is_ours:
                yield self.finding(
                    lint.message,
                    code=lint.code,
                    severity=weight_of(lint.code),
                    cell_id=lint.cell_id,
                    line=lint.line,
                    fix=fix_of(lint.code, lint.fix),
                )


def _imports_of_magics(dossier: Dossier) -> set[tuple[str, int]]:
    """Return the places of imports that only a magic or a shell line uses, which ruff cannot see."""
    escapes = [e.text for _, code in dossier.code for e in code.escapes]
    words = set(re.findall(r"[^\W\d]\w*", "\n".join(escapes)))
    return {
        (cell.id, alias.lineno)
        for cell, code in dossier.code
        for node in (ast.walk(code.tree) if code.tree else ())
        if isinstance(node, (ast.Import, ast.ImportFrom))
        for alias in node.names
        if (alias.asname or alias.name.partition(".")[0]) in words
    }

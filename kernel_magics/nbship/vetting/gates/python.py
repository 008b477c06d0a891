"""What any linter of Python would say."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nbship.records.vetting import Finding, Severity
from nbship.vetting.gate import Gate
from nbship.vetting.gates.names import UNDEFINED
from nbship.vetting.ruff_rules import SELECTED, fix_of, weight_of
from nbship.vetting.secrets import find_secrets

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nbship.vetting.dossier import Dossier

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
        for lint in dossier.lint:
            is_ours = lint.code == UNDEFINED or (
                lint.code in _PASSWORDS and (lint.cell_id, lint.line) in secret_lines
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

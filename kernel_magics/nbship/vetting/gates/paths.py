"""Whether it reads from places that only its author's machine has."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

from nbship.records.vetting import Finding, Severity
from nbship.vetting.gate import Gate

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nbship.vetting.dossier import Dossier

_ABSOLUTE = re.compile(
    r"/(?:home|Users|mnt|data|datasets|media|scratch|root|content|kaggle|gpfs|lustre|nfs|dbfs|"
    r"Volumes|workspace|private)/\S"
    r"|[A-Za-z]:[\\/](?![\\/])|~[\w.-]*[\\/]|\\\\[\w.-]+\\"
)
_READER = re.compile(
    r"read_|read$|load|open$|scan_|imread|genfromtxt|fromfile|glob|listdir"
)
_LONGEST_SHOWN = 60


class NoAbsolutePaths(Gate):
    """String literals that name a place on one machine, whether it exists here or not."""

    code = "NB210"
    title = "an absolute path"
    severity = Severity.WARNING
    fix = "Make it a parameter, or a path relative to the notebook."

    def ask(self, dossier: Dossier) -> Iterator[Finding]:
        """Object to absolute paths; a blocker where a file is read from one."""
        declared_in = dossier.snapshot.parameters_cell
        for cell, code in dossier.code:
            is_parameter = declared_in is not None and cell.id == declared_in.id
            for node, is_read in _path_literals(code.tree):
                yield self.finding(
                    "a path of one machine is "
                    + ("read" if is_read else "a default" if is_parameter else "used")
                    + f": {_shown(node.value)}",
                    severity=Severity.BLOCKER if is_read else None,
                    cell_id=cell.id,
                    line=node.lineno,
                    fix="Make the default a path relative to the notebook."
                    if is_parameter
                    else None,
                )


def _path_literals(tree: ast.Module | None) -> Iterator[tuple[ast.Constant, bool]]:
    """Yield each path literal, and whether it is an argument of a call that reads."""
    if tree is None:
        return
    read: set[int] = set()
    prose: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr):
            prose.add(id(node.value))
        if isinstance(node, ast.Call):
            name = getattr(node.func, "attr", getattr(node.func, "id", ""))
            if _READER.search(str(name)):
                values = (*node.args, *(k.value for k in node.keywords))
                read |= {id(n) for v in values for n in ast.walk(v)}
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Constant)
            and isinstance(node.value, str)
            and id(node) not in prose
            and _ABSOLUTE.match(node.value)
        ):
            yield node, id(node) in read


def _shown(path: object) -> str:
    text = str(path).split("\n", maxsplit=1)[0]
    return repr(
        text if len(text) <= _LONGEST_SHOWN else text[: _LONGEST_SHOWN - 1] + "…"
    )

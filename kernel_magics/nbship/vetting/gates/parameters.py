"""Whether there is one parameters cell, and what it declares reaches the code."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

from nbship.records.notebook import PARAMETERS_TAG, CellKind
from nbship.records.vetting import Finding, Severity
from nbship.vetting.gate import Gate

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from nbship.records.parameters import Parameter
    from nbship.vetting.dossier import Dossier
    from nbship.vetting.sources import CellCode

#: calls that a default may consist of
_LITERAL_CALLS = frozenset(
    {
        "Path",
        "PurePath",
        "PosixPath",
        "date",
        "datetime",
        "time",
        "timedelta",
        "Decimal",
        "frozenset",
        "set",
        "tuple",
        "list",
        "dict",
    }
)


class HasParametersCell(Gate):
    """One code cell tagged ``parameters``, whose defaults can be read without running it."""

    code = "NB301"
    title = "the parameters cell is missing or unclear"
    severity = Severity.WARNING
    fix = "Tag one code cell `parameters` and put the notebook's inputs there, as literals."

    def ask(self, dossier: Dossier) -> Iterator[Finding]:
        """Object to no such cell, to several, and to defaults that are no literals."""
        tagged = [c for c in dossier.snapshot.cells if PARAMETERS_TAG in c.tags]
        code_cells = [cell for cell in tagged if cell.kind is CellKind.CODE]
        if not code_cells:
            found = f"; the one with that tag is {tagged[0].kind}" if tagged else ""
            yield self.finding(f"no code cell is tagged `parameters`{found}")
        for cell in code_cells[1:]:
            yield self.finding(
                "a second cell is tagged `parameters`; values go to the first alone",
                cell_id=cell.id,
                fix="Keep the tag on one cell.",
            )
        for cell, code in dossier.code:
            if code_cells and cell is code_cells[0]:
                yield from self._defaults(cell.id, code, _declared(dossier))

    def _defaults(
        self, cell_id: str, code: CellCode, declared: Mapping[str, Parameter]
    ) -> Iterator[Finding]:
        for name, value in _assignments(code):
            if declared and (name not in declared or _is_read(declared[name])):
                continue
            if value is not None and not _is_literal(value):
                yield self.finding(
                    f"the default of `{name}` is no literal",
                    cell_id=cell_id,
                    line=value.lineno,
                    fix="Write the value itself; compute with it in the next cell.",
                )


class ParametersAreUsed(Gate):
    """What a value is set to must reach the code below."""

    code = "NB302"
    title = "a parameter is unused or overwritten"
    severity = Severity.WARNING

    def ask(self, dossier: Dossier) -> Iterator[Finding]:
        """Object to parameters that no cell reads, and to those that a cell sets anew."""
        cell = dossier.snapshot.parameters_cell
        codes = {c.id: code for c, code in dossier.code}
        if cell is None or cell.id not in codes:
            return
        below = [(c, code) for c, code in dossier.code if c.index > cell.index]
        assigned = (name for name, _ in _assignments(codes[cell.id]))
        for name in _declared(dossier) or dict.fromkeys(assigned):
            yield from self._one(name, cell.id, [(c.id, code) for c, code in below])

    def _one(
        self, name: str, declared_in: str, below: list[tuple[str, CellCode]]
    ) -> Iterator[Finding]:
        was_read = False
        for cell_id, code in below:
            bound_at, reads_first = _first_binding(code, name)
            was_read = was_read or reads_first
            if bound_at:
                yield self.finding(
                    f"`{name}` is set anew here"
                    + ("" if was_read else ", before any cell reads it")
                    + ": values given to the job do not hold below",
                    severity=None if was_read else Severity.BLOCKER,
                    cell_id=cell_id,
                    line=bound_at,
                    fix="Use another name here.",
                )
                return
            was_read = was_read or _mentions(code, name)
        if not was_read:
            yield self.finding(
                f"no cell reads `{name}`: a value given to the job changes nothing",
                cell_id=declared_in,
                fix="Use it below, or take it out.",
            )


def _declared(dossier: Dossier) -> dict[str, Parameter]:
    """Return the parameters by name, as the job's contract has them; it knows aliases and Enums."""
    return {p.name: p for p in dossier.job.contract.parameters}


def _is_read(parameter: Parameter) -> bool:
    """Tell whether the contract knows the default's value."""
    return parameter.default is not None or parameter.default_text == "None"


def _assignments(code: CellCode) -> Iterator[tuple[str, ast.expr | None]]:
    for node in code.tree.body if code.tree else ():
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            yield node.target.id, node.value
        elif isinstance(node, ast.Assign):
            for target in node.targets:
                if isinstance(target, ast.Name):
                    yield target.id, node.value


def _is_literal(node: ast.expr) -> bool:
    """Tell whether a default can be read without running the cell."""
    parts: tuple[ast.expr | None, ...] | None
    match node:
        case ast.Constant():
            parts = ()
        case ast.UnaryOp(operand=operand):
            parts = (operand,)
        case ast.BinOp(left=left, right=right):
            parts = (left, right)
        case ast.List(elts=items) | ast.Tuple(elts=items) | ast.Set(elts=items):
            parts = tuple(items)
        case ast.Dict(keys=keys, values=values):
            parts = (*keys, *values)
        case ast.Call(func=function, args=args, keywords=keywords):
            name = getattr(function, "attr", getattr(function, "id", ""))
            is_known = name in _LITERAL_CALLS
            parts = (*args, *(k.value for k in keywords)) if is_known else None
        case _:
            parts = None
    return parts is not None and all(p is not None and _is_literal(p) for p in parts)


def _first_binding(code: CellCode, name: str) -> tuple[int, bool]:
    """Return the line where the cell's top level binds ``name``, or 0, and if it reads it before."""
    reads = False
    for statement in code.tree.body if code.tree else ():
        names = [n for n in ast.walk(statement) if isinstance(n, ast.Name)]
        reads = reads or any(
            n.id == name and not isinstance(n.ctx, ast.Store) for n in names
        )
        if isinstance(statement, ast.AugAssign):
            reads = reads or getattr(statement.target, "id", "") == name
        if name in _bound_by(statement):
            return statement.lineno, reads
    return 0, reads


def _bound_by(statement: ast.stmt) -> set[str]:
    match statement:
        case ast.Assign(targets=targets):
            nodes: list[ast.AST] = list(targets)
        case (
            ast.AnnAssign(target=target, value=ast.expr())
            | ast.AugAssign(target=target)
            | ast.For(target=target)
        ):
            nodes = [target]
        case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
            return {name}
        case ast.Import(names=aliases) | ast.ImportFrom(names=aliases):
            return {a.asname or a.name.partition(".")[0] for a in aliases}
        case _:
            return set()
    stored = (n for node in nodes for n in ast.walk(node) if isinstance(n, ast.Name))
    return {n.id for n in stored if isinstance(n.ctx, ast.Store)}


def _mentions(code: CellCode, name: str) -> bool:
    """Tell whether a cell reads a name: in code, in a string (``@name`` of a query) or in a magic."""
    word = re.compile(rf"(?<!\w){re.escape(name)}(?!\w)")
    if code.tree is None:
        return bool(word.search(code.text))
    return any(
        (isinstance(n, ast.Name) and n.id == name)
        or (
            isinstance(n, ast.Constant)
            and isinstance(n.value, str)
            and word.search(n.value)
        )
        for n in ast.walk(code.tree)
    ) or any(word.search(escape.text) for escape in code.escapes)

"""The skew guard: golden inputs that cells outside of the closure had transformed.

A package that was fed scaled columns expects scaled columns, and its callers have raw ones. The
inputs of each recorded call are followed back through the cells, statement by statement, past
those that only choose or rearrange (slices, splits, copies), to the first that computes.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any

from nbship.records.release import SkewFinding
from nbship.release.added_columns import column_adders
from nbship.release.cells import SCOPES, parse
from nbship.release.transforming import DataNames, Transformation, inner_of, is_stored

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from nbship.records.signature import Signature
    from nbship.release.cells import Cells, ExecutedCell
    from nbship.release.golden import Case

MAX_FINDINGS = 10
_MAX_STATEMENT = 100
#: execution count and line: where a statement stands in time
Moment = tuple[int, int]


def skew_of(
    root: str,
    *,
    cases: Sequence[Case],
    signature: Signature,
    namespace: Mapping[str, Any],
    cells: Cells,
) -> tuple[SkewFinding, ...]:
    """Find where the inputs of the recorded calls were transformed before.

    Parameters
    ----------
    root
        The function, or the estimator whose rows were taken from the notebook.
    cases
        With ``origin``: the cell of the call, or the name that rows were taken from.
    signature
        Its input columns; a column that is made and not among them is no skew.
    namespace
        The notebook's names.
    cells
        The executed cells.
    """
    trail = _Trail(root, signature, namespace, cells)
    for node, moment in _starts(root, cases, cells):
        trail.follow(node, moment)
    return tuple(trail.found.values())[:MAX_FINDINGS]


class _Trail:
    """The way back from the calls."""

    def __init__(
        self,
        root: str,
        signature: Signature,
        namespace: Mapping[str, Any],
        cells: Cells,
    ) -> None:
        self.root = root
        self.data = DataNames(namespace, column_adders(cells))
        self.columns = (
            {column.name for column in signature.inputs}
            if signature.input_form == "frame"
            else None
        )
        self.statements = sorted(_statements(cells), key=lambda item: item[0])
        self.found: dict[Moment, SkewFinding] = {}
        self._seen: set[tuple[str, Moment]] = set()

    def follow(self, node: ast.expr, moment: Moment, name: str = "") -> None:
        """Follow an expression to the names that it takes its rows from."""
        change = self.data.transformation(node, columns=self.columns)
        if change is not None:
            self._report(change, node, moment, name)
            return
        for inner in inner_of(node):
            if isinstance(inner, ast.Name):
                self._follow_name(inner.id, moment)
            else:
                self.follow(inner, moment, name)

    def _follow_name(self, name: str, moment: Moment) -> None:
        bound = self._binding(name, moment)
        if bound is None or (name, bound[0]) in self._seen:
            return
        when, statement, _ = bound
        self._seen.add((name, when))
        for later, change in self._stores(name, after=when, before=moment):
            self._report(change, change.node, later, name)
        if isinstance(statement, ast.AugAssign):
            change = Transformation(node=statement.value, by="arithmetic")
            self._report(change, statement, when, name)
        elif isinstance(statement, (ast.For, ast.AsyncFor)):
            self.follow(statement.iter, when, name)
        else:
            value: ast.expr | None = getattr(statement, "value", None)
            if value is not None:
                self.follow(value, when, name)

    def _binding(
        self, name: str, moment: Moment
    ) -> tuple[Moment, ast.stmt, ExecutedCell] | None:
        """Find the last statement before a moment that binds a name."""
        for when, statement, cell in reversed(self.statements):
            if when < moment and name in _targets(statement):
                return when, statement, cell
        return None

    def _stores(
        self, name: str, *, after: Moment, before: Moment
    ) -> Iterator[tuple[Moment, Transformation]]:
        """Walk the statements that change the table of a name in place."""
        for when, statement, _ in self.statements:
            if after < when < before and is_stored(statement, name):
                change = self.data.change_in_place(statement, columns=self.columns)
                if change is not None:
                    yield when, change

    def _report(
        self, change: Transformation, node: ast.AST, moment: Moment, name: str
    ) -> None:
        if moment in self.found:
            return
        cell = next((c for when, _, c in self.statements if when == moment), None)
        if cell is None:
            return
        text = " ".join((ast.get_source_segment(cell.source, node) or "").split())
        if len(text) > _MAX_STATEMENT:
            text = text[: _MAX_STATEMENT - 1] + "…"
        what = change.column or name or "the argument"
        self.found[moment] = SkewFinding(
            name=what,
            statement=text,
            cell_id=cell.cell_id or "",
            execution_count=cell.execution_count or 0,
            line=moment[1],
            message=(
                f"skew: golden inputs of {self.root} are transformed before the call: "
                f"{what!r} is made by {change.by} in {cell.place}, line {moment[1]} "
                f"(`{text}`), and the package does not do that: do it inside "
                f"{self.root}, or tell callers to do it"
            ),
        )


def _starts(
    root: str, cases: Iterable[Case], cells: Cells
) -> Iterator[tuple[ast.expr, Moment]]:
    """Walk the arguments of recorded calls, and the names that rows were taken from."""
    origins = dict.fromkeys(str(case.get("origin", "")) for case in cases)
    latest = max((cell.execution_count or 0 for cell in cells.values()), default=0)
    for cell in cells.values():
        count = f"In[{cell.execution_count}]"
        names = {count, f"cell {count}", f"cell {cell.cell_id}"}
        if names & origins.keys():
            yield from _calls(root, cell)
    for origin in origins:
        name, comma, _ = origin.partition(", first ")
        if comma and name.isidentifier():
            yield ast.Name(id=name), (latest + 1, 0)


def _calls(root: str, cell: ExecutedCell) -> Iterator[tuple[ast.expr, Moment]]:
    loops = {
        name.id: loop.iter
        for loop in ast.walk(parse(cell.source))
        if isinstance(loop, ast.comprehension)
        for name in ast.walk(loop.target)
        if isinstance(name, ast.Name)
    }
    for node in ast.walk(parse(cell.source)):
        if isinstance(node, ast.Call) and _is_root(node.func, root):
            moment = (cell.execution_count or 0, _line_of(node, cell))
            for argument in (*node.args, *(word.value for word in node.keywords)):
                name = getattr(argument, "id", "")
                yield loops.get(name, argument), moment


def _is_root(node: ast.expr, root: str) -> bool:
    """Tell whether what is called is the root, or the method by which it answers."""
    if isinstance(node, ast.Attribute) and node.attr == "predict":
        node = node.value
    return isinstance(node, ast.Name) and node.id == root


def _line_of(node: ast.expr, cell: ExecutedCell) -> int:
    """Return the first line of the statement that holds an expression."""
    holding = [
        statement.lineno
        for _, statement, _ in _statements({"": cell})
        if statement.lineno <= node.lineno <= (statement.end_lineno or 0)
    ]
    return max(holding, default=node.lineno)


def _statements(cells: Cells) -> list[tuple[Moment, ast.stmt, ExecutedCell]]:
    """List the statements that cells ran themselves: those of functions are left out."""
    found = []
    for cell in cells.values():
        queue: list[ast.stmt] = list(parse(cell.source).body)
        while queue:
            statement = queue.pop()
            found.append(
                ((cell.execution_count or 0, statement.lineno), statement, cell)
            )
            if not isinstance(statement, SCOPES):
                children = ast.iter_child_nodes(statement)
                queue += [node for node in children if isinstance(node, ast.stmt)]
    return found


def _targets(statement: ast.stmt) -> set[str]:
    """Name what one statement binds itself, not what those inside it do."""
    targets: list[ast.expr] = list(getattr(statement, "targets", []))
    if (target := getattr(statement, "target", None)) is not None:
        targets.append(target)
    names = (
        node
        for target in targets
        for node in (target, *getattr(target, "elts", []))
        if isinstance(node, ast.Name)
    )
    return {node.id for node in names}

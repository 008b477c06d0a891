"""The author's text: which passage of which executed cell a live object comes from.

Code objects carry the name of the cell execution that made them, so that earlier versions
of a redefined function stay apart.
"""

from __future__ import annotations

import ast
import inspect
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import CodeType, FunctionType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

#: statements with names of their own
SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
#: expressions with names of their own
INNER = (ast.Lambda, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda


@dataclass(frozen=True, kw_only=True, slots=True)
class ExecutedCell:
    """The source of one cell execution, magics already turned into Python."""

    source: str
    #: None where the front end did not say
    cell_id: str | None = None
    execution_count: int | None = None

    @property
    def place(self) -> str:
        """How messages name it: ``cell In[3] (a1b2)``."""
        count = f"In[{self.execution_count}]" if self.execution_count else ""
        name = f"({self.cell_id})" if self.cell_id and count else self.cell_id or ""
        return " ".join(part for part in ("cell", count, name) if part)


#: file name that the interpreter gave a cell execution -> its source
Cells = Mapping[str, ExecutedCell]


@dataclass(frozen=True, kw_only=True, slots=True)
class Passage:
    """Whole lines of one cell execution."""

    text: str
    cell: ExecutedCell
    #: 1-based line in the cell where ``text`` begins
    first_line: int
    #: the lines' numbers in the cell, one per line of ``text``
    lines: tuple[int, ...]
    node: ast.AST


@lru_cache(maxsize=512)
def parse(source: str) -> ast.Module:
    """Parse the source of a cell, once; one that never compiled holds nothing."""
    try:
        return ast.parse(source)
    except SyntaxError:
        return ast.Module(body=[], type_ignores=[])


@lru_cache(maxsize=512)
def names_of(source: str) -> frozenset[str]:
    """Name what the top-level statements of a cell bind."""
    return frozenset(n for node in parse(source).body for n in bound_names(node))


def by_age(cells: Cells) -> list[ExecutedCell]:
    """List the executed cells, the latest first."""
    order = sorted(
        enumerate(cells.values()),
        key=lambda item: (item[1].execution_count or 0, item[0]),
    )
    return [cell for _, cell in reversed(order)]


def function_nodes(code: CodeType, cell: ExecutedCell) -> list[FunctionNode]:
    """Find the definitions that a code object may come from: same line, same name."""
    return [
        node
        for node in ast.walk(parse(cell.source))
        if isinstance(node, FunctionNode)
        and _first_line(node) == code.co_firstlineno
        and getattr(node, "name", "<lambda>") == code.co_name
    ]


def class_node(cls: type, cells: Cells) -> tuple[ast.ClassDef, ExecutedCell] | None:
    """Find the statement that defined a class, by its methods, else by its name."""
    for code in method_codes(cls):
        cell = cells.get(code.co_filename)
        if cell is None:
            continue
        for node in _class_nodes(cls.__name__, cell):
            if node.lineno <= code.co_firstlineno <= (node.end_lineno or 0):
                return node, cell
    for cell in by_age(cells):
        for node in reversed(_class_nodes(cls.__name__, cell)):
            return node, cell
    return None


def method_codes(cls: type) -> Iterator[CodeType]:
    """Walk the code of every function that hangs directly on a class."""
    for value in vars(cls).values():
        for function in _functions_of(value):
            if function.__qualname__.startswith(f"{cls.__qualname__}."):
                yield function.__code__


def _functions_of(value: Any) -> list[FunctionType]:  # noqa: ANN401
    parts = [getattr(value, name, None) for name in ("fget", "fset", "fdel", "func")]
    parts += [getattr(value, "__func__", None), value]
    unwrapped = [inspect.unwrap(part) for part in parts if callable(part)]
    return [part for part in unwrapped if isinstance(part, FunctionType)]


def binding_statements(
    name: str, cells: Cells
) -> Iterator[tuple[ast.stmt, ExecutedCell]]:
    """Walk the top-level statements that bind a name, the latest execution first."""
    for cell in by_age(cells):
        if name not in names_of(cell.source):
            continue
        for statement in reversed(parse(cell.source).body):
            if name in bound_names(statement):
                yield statement, cell


def bound_names(statement: ast.stmt) -> set[str]:
    """Name what a statement binds; for compound statements, what any part of it binds."""
    if isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        return {statement.name}
    if isinstance(statement, (ast.Import, ast.ImportFrom)):
        return {a.asname or a.name.partition(".")[0] for a in statement.names}
    found: set[str] = set()
    queue: list[ast.AST] = list(ast.iter_child_nodes(statement))
    while queue:
        node = queue.pop()
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            found.add(node.id)
        elif isinstance(node, (*SCOPES, ast.Import, ast.ImportFrom)):
            found |= bound_names(node)
        elif not isinstance(node, INNER):
            queue += ast.iter_child_nodes(node)
    return found


def imported_names(cell: ExecutedCell, *, line: int = 0) -> set[str]:
    """Name what the import statements of a cell bind, those inside functions left out.

    Parameters
    ----------
    cell
        The cell.
    line
        Look only into the top-level statement that holds this line.
    """
    names: set[str] = set()
    queue: list[ast.AST] = [
        statement
        for statement in parse(cell.source).body
        if not line or statement.lineno <= line <= (statement.end_lineno or 0)
    ]
    while queue:
        node = queue.pop()
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            names |= bound_names(node) - {"*"}
        elif not isinstance(node, (*SCOPES, ast.Lambda)):
            queue += ast.iter_child_nodes(node)
    return names


def passage_of(
    node: ast.stmt, cell: ExecutedCell, *, drop: Collection[int] = ()
) -> Passage:
    """Cut a statement out of its cell, with the comments above it and beside it.

    Parameters
    ----------
    node
        The statement; a definition takes its decorators along.
    cell
        Where it stands.
    drop
        Line numbers that are left out, such as those of a recording decorator.
    """
    lines = cell.source.split("\n")
    first = _first_line(node)
    last = node.end_lineno or node.lineno
    while first > 1 and _is_comment(lines[first - 2], node.col_offset):
        first -= 1
    numbers = tuple(n for n in range(first, last + 1) if n not in drop)
    taken = [lines[n - 1] for n in numbers]
    if _shares_its_lines(node, cell):
        taken = (ast.get_source_segment(cell.source, node) or "").split("\n")
        numbers = tuple(range(node.lineno, last + 1))
    text = "\n".join(taken)
    return Passage(
        text=text, cell=cell, first_line=numbers[0], lines=numbers, node=node
    )


def _is_comment(line: str, indentation: int) -> bool:
    stripped = line.strip()
    is_ours = len(line) - len(line.lstrip()) == indentation
    return stripped.startswith("#") and not stripped.startswith("# %%") and is_ours


def _shares_its_lines(node: ast.stmt, cell: ExecutedCell) -> bool:
    last = node.end_lineno or node.lineno
    return any(
        other is not node
        and isinstance(other, ast.stmt)
        and not _contains(other, node)
        and not _contains(node, other)
        and (other.lineno <= last and (other.end_lineno or 0) >= node.lineno)
        for other in ast.walk(parse(cell.source))
    )


def _contains(outer: ast.AST, inner: ast.AST) -> bool:
    return any(node is inner for node in ast.walk(outer))


def _first_line(node: ast.AST) -> int:
    decorators: list[ast.expr] = getattr(node, "decorator_list", [])
    first: int = node.lineno  # type: ignore[attr-defined]
    return min([first, *(item.lineno for item in decorators)])


def _class_nodes(name: str, cell: ExecutedCell) -> list[ast.ClassDef]:
    return [
        node
        for node in ast.walk(parse(cell.source))
        if isinstance(node, ast.ClassDef) and node.name == name
    ]

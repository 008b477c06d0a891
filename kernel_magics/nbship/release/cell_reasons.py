"""Why what a cell holds is in a package, or is not."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from nbship.release.cells import bound_names, by_age, names_of, parse

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nbship.records.release import StateEntry
    from nbship.release.cells import Cells, ExecutedCell
    from nbship.release.golden import Case
    from nbship.release.items import Closure

_MAX_NAMES = 6


def reason_of(
    cell: ExecutedCell,
    *,
    closure: Closure,
    cells: Cells,
    state: Sequence[StateEntry],
    cases: Sequence[Case],
) -> str:
    """Say in a line what of a cell is in, and why the rest is out."""
    statements = _statements(cell)
    if not statements:
        return "out: it holds no code but magics, shell commands and comments"
    bound = {name for statement in statements for name in bound_names(statement)}
    told = [
        *_taken(cell, closure),
        *_captured(cell, bound, closure, cells, state),
        *_imported(statements, closure),
    ]
    is_in = bool(told)
    told += _replaced(cell, bound, closure, cells)
    told += _golden(cell, cases)
    rest = _left(bound, closure)
    if rest:
        told.append(f"{closure.root} reads none of {_listed(rest)}")
    if not bound:
        told.append(_worked_on(statements, closure))
    return f"{'in' if is_in else 'out'}: {'; '.join(dict.fromkeys(told))}"


def _statements(cell: ExecutedCell) -> list[ast.stmt]:
    return [node for node in parse(cell.source).body if not _is_magic(node)]


def _is_magic(node: ast.stmt) -> bool:
    value = getattr(node, "value", None)
    return isinstance(value, ast.expr) and any(
        isinstance(part, ast.Name) and part.id == "get_ipython"
        for part in ast.walk(value)
    )


def _taken(cell: ExecutedCell, closure: Closure) -> list[str]:
    names = [
        name
        for name, item in closure.items.items()
        if item.cell is cell and any(item.lines)
    ]
    return [f"it has the text of {_listed(names)}"] if names else []


def _captured(
    cell: ExecutedCell,
    bound: set[str],
    closure: Closure,
    cells: Cells,
    state: Sequence[StateEntry],
) -> list[str]:
    """Name values that this cell bound last and that travel without its code."""
    files = {entry.name: entry.file for entry in state}
    found = []
    for name in sorted(bound):
        item = closure.items.get(name)
        is_value = item is not None and item.kind in {"constant", "state"}
        if not is_value or item is None or item.cell is not None:
            continue
        if _latest(name, cells) is cell:
            place = f"state/{files[name]}" if name in files else "text"
            found.append(f"{name} travels as it is now ({place}), without this code")
    return found


def _imported(statements: Sequence[ast.stmt], closure: Closure) -> list[str]:
    names = sorted(
        {
            name
            for statement in statements
            if isinstance(statement, (ast.Import, ast.ImportFrom))
            for name in bound_names(statement)
            if name in closure.items and closure.items[name].kind == "import"
        }
    )
    return [f"its import of {_listed(names)} is written at the top"] if names else []


def _replaced(
    cell: ExecutedCell, bound: set[str], closure: Closure, cells: Cells
) -> list[str]:
    found = []
    for name in sorted(bound & set(closure.items)):
        item = closure.items[name]
        latest = _latest(name, cells)
        if item.kind != "import" and item.cell is not cell and latest is not cell:
            where = item.cell or latest
            place = where.place if where else "later"
            found.append(f"its {name} is not what {name} means now ({place})")
    return found


def _golden(cell: ExecutedCell, cases: Sequence[Case]) -> list[str]:
    places = {f"cell {cell.cell_id}", f"cell In[{cell.execution_count}]"}
    count = sum(case.get("origin") in places for case in cases)
    return [f"{count} golden case{'s' * (count != 1)} recorded here"] if count else []


def _left(bound: set[str], closure: Closure) -> list[str]:
    return sorted(bound - set(closure.items))


def _worked_on(statements: Sequence[ast.stmt], closure: Closure) -> str:
    used = {
        node.id
        for statement in statements
        for node in ast.walk(statement)
        if isinstance(node, ast.Name)
    }
    captured = [
        name
        for name in sorted(used & set(closure.items))
        if closure.items[name].kind in {"constant", "state"}
    ]
    if captured:
        return f"it works on {_listed(captured)}, taken as it is now"
    return "it defines nothing: it shows or computes"


def _latest(name: str, cells: Cells) -> ExecutedCell | None:
    for cell in by_age(cells):
        if name in names_of(cell.source):
            return cell
    return None


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(names[:_MAX_NAMES])
    more = len(names) - _MAX_NAMES
    return f"{shown} and {more} more" if more > 0 else shown

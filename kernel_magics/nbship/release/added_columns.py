"""Functions of a notebook that only add named columns to the table they are given."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from nbship.release.cells import parse

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nbship.release.cells import Cells


def column_adders(cells: Cells) -> Mapping[str, frozenset[str]]:
    """Map such functions to the columns they add, over all of their definitions."""
    added: dict[str, frozenset[str]] = {}
    unknown: set[str] = set()
    for cell in cells.values():
        for node in parse(cell.source).body:
            if not isinstance(node, ast.FunctionDef):
                continue
            columns = _added(node)
            if columns is None:
                unknown.add(node.name)
            else:
                added[node.name] = added.get(node.name, frozenset()) | columns
    return {name: columns for name, columns in added.items() if name not in unknown}


def _added(function: ast.FunctionDef) -> frozenset[str] | None:
    """Name the columns that the answer has beside those of the argument; None for all else."""
    first = [*function.args.posonlyargs, *function.args.args][:1]
    if not first or function.decorator_list:
        return None
    tables, added = {first[0].arg}, set[str]()
    for statement in function.body:
        if isinstance(statement, ast.Expr) and isinstance(
            statement.value, ast.Constant
        ):
            continue
        if isinstance(statement, ast.Return):
            columns = _columns_of(statement.value, tables)
            return None if columns is None else frozenset(added | columns)
        if not isinstance(statement, ast.Assign) or len(statement.targets) != 1:
            return None
        target = statement.targets[0]
        if isinstance(target, ast.Name):
            columns = _columns_of(statement.value, tables)
            if columns is None:
                return None
            tables.add(target.id)
        else:
            columns = _stored(target, tables)
            if columns is None:
                return None
        added |= columns
    return None


def _columns_of(value: ast.expr | None, tables: set[str]) -> set[str] | None:
    """Name the columns that ``rows``, ``rows.copy()``, ``rows.assign(x=…)`` have more."""
    if isinstance(value, ast.Name) and value.id in tables:
        return set()
    if not isinstance(value, ast.Call) or not isinstance(value.func, ast.Attribute):
        return None
    inner = _columns_of(value.func.value, tables)
    names = [word.arg for word in value.keywords]
    if inner is None or value.args or value.func.attr not in {"copy", "assign"}:
        return None
    if value.func.attr == "copy":
        return inner
    given = {name for name in names if name}
    return inner | given if len(given) == len(names) else None


def _stored(target: ast.expr, tables: set[str]) -> set[str] | None:
    """Name the column of ``rows["x"] = …``; None for any other target."""
    is_column = (
        isinstance(target, ast.Subscript)
        and isinstance(target.value, ast.Name)
        and target.value.id in tables
        and isinstance(target.slice, ast.Constant)
        and isinstance(target.slice.value, str)
    )
    return {target.slice.value} if is_column else None  # type: ignore[attr-defined]

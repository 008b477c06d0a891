"""Calls in a notebook, by the full name of what they call."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping


@dataclass(frozen=True, kw_only=True, slots=True)
class FoundCall:
    """One call."""

    #: full name where the notebook imported it, such as ``numpy.random.rand``; else ""
    name: str
    #: last part of the name as written
    last: str
    node: ast.Call
    #: inside a function or a lambda: it runs when that is called
    is_deferred: bool


def imported_names(trees: Iterable[ast.Module]) -> dict[str, str]:
    """Map each name that the notebook's imports bind to what it stands for.

    Names that the notebook also binds otherwise are left out: ``random = default_rng(0)``.
    """
    found: dict[str, str] = {}
    rebound: set[str] = set()
    for tree in trees:
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                for alias in node.names:
                    top = alias.name.partition(".")[0]
                    found[alias.asname or top] = alias.name if alias.asname else top
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                for alias in node.names:
                    found[alias.asname or alias.name] = f"{node.module}.{alias.name}"
            elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                rebound.add(node.id)
            elif isinstance(node, (ast.FunctionDef, ast.ClassDef)):
                rebound.add(node.name)
    return {name: meaning for name, meaning in found.items() if name not in rebound}


def calls_of(tree: ast.Module, names: Mapping[str, str]) -> list[FoundCall]:
    """Return the calls of one cell, in the order in which they are written."""
    calls = _walk(tree, names, is_deferred=False)
    return sorted(calls, key=lambda c: (c.node.lineno, c.node.col_offset))


def keyword_of(call: ast.Call, name: str) -> ast.expr | None:
    """Return the value of a keyword argument, None where it is not given."""
    return next((k.value for k in call.keywords if k.arg == name), None)


def constant_of(node: ast.expr | None) -> object:
    """Return the value of a literal; a name's own text for anything else."""
    return (
        node.value
        if isinstance(node, ast.Constant)
        else ast.dump(node)
        if node
        else None
    )


def hands_on_keywords(call: ast.Call) -> bool:
    """Tell whether ``**something`` may hold any keyword."""
    return any(keyword.arg is None for keyword in call.keywords)


def _walk(
    node: ast.AST, names: Mapping[str, str], *, is_deferred: bool
) -> Iterator[FoundCall]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Call):
            yield FoundCall(
                name=_full_name(child.func, names),
                last=getattr(child.func, "attr", getattr(child.func, "id", "")),
                node=child,
                is_deferred=is_deferred,
            )
        opens = isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda))
        yield from _walk(child, names, is_deferred=is_deferred or opens)


def _full_name(node: ast.expr, names: Mapping[str, str]) -> str:
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    if not isinstance(node, ast.Name) or node.id not in names:
        return ""
    return ".".join((names[node.id], *reversed(parts)))

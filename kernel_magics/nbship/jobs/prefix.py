"""The leading cells of a notebook that may be executed once for all jobs of a sweep.

Jobs that differ in some parameters only do the same work until a cell depends on one of
them. The longest run of cells before that is the *shared prefix*: it is executed once, and each
job goes on from a fork of that process, after the values of its parameters were set. Values are
set *behind* the prefix there and before it in a job of its own, so no cell of the prefix may
tell the difference:

- It mentions no swept name: neither reading nor setting it, nor in a text that a library might
  evaluate, such as ``frame.query("x > @depth")``.
- No function made before it looks a swept name up when it is called.
- It sets no name that the values themselves are made with, such as ``date`` or ``Path``.
- It does nothing but compute; see :mod:`nbship.jobs.bystanders`.
- It draws from no generator that the cells so far have not seeded.

What cannot be told ends the prefix. The reason is kept, for people.
"""

from __future__ import annotations

import ast
import builtins
import re
import warnings
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from nbship.jobs.bystanders import Reason, first_reason, imported_names
from nbship.jobs.chance import first_draw
from nbship.jobs.contract import without_magics
from nbship.records.notebook import INJECTED_TAG, CellKind

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from nbship.records.notebook import Cell, Notebook

#: lines that change nothing which a later cell could tell
_HARMLESS_MAGICS = re.compile(
    r"%(matplotlib\s+inline|config\s+InlineBackend\.\w+\s*=.*|load_ext\s+nbship)\s*(#.*)?"
)
_HARMLESS_TAGS = frozenset(
    """
    parameters injected-parameters hide-cell hide-input hide-output remove-cell remove-input
    remove-output hide_cell hide_input hide_output remove_cell remove_input remove_output
    """.split()  # noqa: SIM905
)
_WORD = re.compile(r"[^\W\d]\w*")
#: fields of syntax nodes that hold a name; an attribute is none of them
_NAMING = ("id", "arg", "name", "asname", "rest")
_LAZY = (
    ast.FunctionDef,
    ast.AsyncFunctionDef,
    ast.ClassDef,
    ast.Lambda,
    ast.GeneratorExp,
)


@dataclass(frozen=True, kw_only=True, slots=True)
class SharedPrefix:
    """The cells that are shared, and why there are no more."""

    #: ids of the code cells, in document order; the injected cell is none of them
    cells: tuple[str, ...] = ()
    #: where sharing ends and why, such as ``cell c4, line 2: it mentions depth``
    ends: str = ""


@dataclass(slots=True)
class _Known:
    """What the cells so far have told."""

    swept: frozenset[str]
    #: names that the swept values are made with
    makers: frozenset[str]
    own_modules: frozenset[str]
    imported: dict[str, str] = field(default_factory=dict)
    bound: set[str] = field(default_factory=set)
    #: generators that cells have seeded
    seeded: set[str] = field(default_factory=set)


def shared_prefix(
    notebook: Notebook,
    *,
    swept: Collection[str],
    sources: Collection[str] = (),
    own_modules: Collection[str] = (),
) -> SharedPrefix:
    """Find the longest prefix that is the same work in every job.

    Parameters
    ----------
    notebook
        The snapshot.
    swept
        Names of the parameters that differ from job to job.
    sources
        Sources of the injected cells of the jobs: the names that they read are not to be set.
    own_modules
        Import names of modules that belong to the project.
    """
    known = _Known(
        swept=frozenset(swept),
        makers=frozenset(name for text in sources for name in _read_names(text)),
        own_modules=frozenset(own_modules),
    )
    declaring = notebook.parameters_cell
    first = declaring.index if declaring else -1
    shared: list[str] = []
    for cell in notebook.cells:
        if cell.kind is not CellKind.CODE or INJECTED_TAG in cell.tags:
            continue
        reason = _reason(cell, known, is_before=cell.index <= first)
        if reason is not None:
            ends = f"cell {cell.id}, line {reason.line}: it {reason.text}"
            return SharedPrefix(cells=tuple(shared), ends=ends)
        shared.append(cell.id)
    return SharedPrefix(cells=tuple(shared), ends="no cell depends on what is swept")


def _reason(cell: Cell, known: _Known, *, is_before: bool) -> Reason | None:
    """Tell why a cell is not shared, and learn from one that is."""
    odd = [tag for tag in cell.tags if tag not in _HARMLESS_TAGS]
    if odd:
        return Reason(line=1, text=f"is tagged {odd[0]!r}")
    magic = _magic(cell.source)
    if magic is not None:
        return magic
    tree = _parsed(without_magics(cell.source))
    if tree is None:
        return Reason(line=1, text="is no plain Python")
    known.imported |= imported_names(tree)
    mentions = _lazy_mentions if is_before else _mentions
    reasons = [
        *mentions(tree, known.swept),
        *_rebound(tree, known.makers, is_before=is_before),
        *_automatic(tree, known.bound),
    ]
    beside = first_reason(tree, imported=known.imported, own_modules=known.own_modules)
    drawn = first_draw(tree, imported=known.imported, seeded=known.seeded)
    reasons += [reason for reason in (beside, drawn) if reason is not None]
    known.bound |= set(_set_names(tree))
    return min(reasons, key=lambda reason: reason.line, default=None)


def _magic(source: str) -> Reason | None:
    for number, line in enumerate(source.split("\n"), start=1):
        is_magic = line.lstrip().startswith(("%", "!", "?"))
        if is_magic and not _HARMLESS_MAGICS.fullmatch(line.strip()):
            return Reason(line=number, text=f"has the line {line.strip()[:40]!r}")
    return None


def _parsed(source: str) -> ast.Module | None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # invalid escapes: ruff's business
            return ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _mentions(tree: ast.AST, swept: frozenset[str]) -> Iterator[Reason]:
    for node in ast.walk(tree):
        for name in _words(node) & swept:
            line = getattr(node, "lineno", 1)
            yield Reason(line=line, text=f"mentions {name}")


def _lazy_mentions(tree: ast.AST, swept: frozenset[str]) -> Iterator[Reason]:
    """Find swept names in what is evaluated later; until the values are set, defaults count."""
    for node in ast.walk(tree):
        is_alias = type(node).__name__ == "TypeAlias"  # Python 3.12
        if isinstance(node, _LAZY) or is_alias:
            for found in _mentions(node, swept):
                yield Reason(line=found.line, text=f"{found.text} in what runs later")


def _words(node: ast.AST) -> set[str]:
    """Return the names that a node mentions by itself."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return set(_WORD.findall(node.value))
    if isinstance(node, ast.keyword):
        return set()  # names a parameter of what is called
    places = (getattr(node, place, None) for place in _NAMING)
    texts = [text for text in places if isinstance(text, str)]
    if isinstance(node, (ast.Global, ast.Nonlocal)):
        texts += node.names
    return set(texts)


def _rebound(
    tree: ast.Module, makers: frozenset[str], *, is_before: bool
) -> Iterator[Reason]:
    if is_before:
        return  # the values are set behind these cells in every job
    for name, line in _set_names(tree).items():
        if name in makers:
            yield Reason(line=line, text=f"sets {name}, with which values are made")


def _set_names(tree: ast.AST) -> dict[str, int]:
    """Map every name that a cell sets, deletes or changes in place to a line."""
    found: dict[str, int] = {}
    for node in ast.walk(tree):
        line = getattr(node, "lineno", 1)
        names: set[str] = set()
        if isinstance(node, (ast.Name, ast.Attribute, ast.Subscript)):
            names = set() if isinstance(node.ctx, ast.Load) else {_root(node)}
        elif isinstance(node, ast.alias):
            names = {node.asname or node.name.partition(".")[0]}
        elif not isinstance(node, (ast.Constant, ast.arg)):
            names = _words(node)
        found |= {name: line for name in names if name and name not in found}
    return found


def _root(node: ast.expr) -> str:
    while isinstance(node, (ast.Attribute, ast.Subscript)):
        node = node.value
    return node.id if isinstance(node, ast.Name) else ""


def _automatic(tree: ast.Module, bound: set[str]) -> Iterator[Reason]:
    """Find lone words that IPython may take for magics, such as ``reset``."""
    known = bound | set(_set_names(tree)) | set(dir(builtins))
    for statement in tree.body:
        value = statement.value if isinstance(statement, ast.Expr) else None
        if isinstance(value, ast.Name) and value.id not in known:
            yield Reason(line=statement.lineno, text=f"calls {value.id}, set nowhere")


def _read_names(source: str) -> Iterator[str]:
    tree = _parsed(source)
    for node in ast.walk(tree) if tree else ():
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
            yield node.id

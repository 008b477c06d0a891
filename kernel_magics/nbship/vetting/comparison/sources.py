"""What the code of a cell says about its outputs: clocks, processes, and who depends on whom."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from nbship.vetting.sources import read_source

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_CLOCK = re.compile(
    r"\b(?:perf_counter|process_time|monotonic|thread_time)(?:_ns)?\s*\(|\btime\.time(?:_ns)?\s*\("
    r"|(?<![\w.])time\(\s*\)|\btimeit\b|^\s*%%?time\b|\b(?:datetime|date|Timestamp)\.(?:now|today|utcnow)\b"
    r"|\bctime\(|\bstrftime\(\s*['\"][^'\"]*['\"]\s*\)|\btqdm\b",
    re.MULTILINE,
)
_PROCESS = re.compile(
    r"\bgetpid\b|\bgethostname\b|\bplatform\.(?:node|uname)\b|\bpsutil\b|\bhostname\b|\buuid[14]\b"
    r"|(?<![\w.])id\(|\btempfile\b|\bgetsizeof\b|\bgetrusage\b"
)


@dataclass(frozen=True, kw_only=True, slots=True)
class CellNames:
    """The names that a cell asks for, and those that it makes or may change."""

    loads: frozenset[str] = frozenset()
    binds: frozenset[str] = frozenset()
    #: names that hold what was read from a clock
    clocked: frozenset[str] = field(default=frozenset())


def reads_clock(source: str) -> bool:
    """Tell whether a cell reads a clock."""
    return _CLOCK.search(source) is not None


def reads_process(source: str) -> bool:
    """Tell whether a cell asks for what differs between processes or machines."""
    return _PROCESS.search(source) is not None


def names_of(source: str, known: frozenset[str] = frozenset()) -> CellNames:
    """Read the names of a cell; empty where it is no Python.

    A name counts as bound where it is assigned, and where a method of it is called or an item
    of it set: ``model.fit(X)`` may change ``model``.

    Parameters
    ----------
    source
        The cell.
    known
        Names that hold what was read from a clock before it.
    """
    tree = read_source(source).tree
    if tree is None:
        return CellNames()
    loads: set[str] = set()
    binds: set[str] = set()
    clocked: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            (loads if isinstance(node.ctx, ast.Load) else binds).add(node.id)
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            binds.add(node.name)
        elif isinstance(node, ast.Assign):
            binds |= {name for target in node.targets if (name := _owner(target))}
            if _is_clocked(node.value, clocked | known):
                clocked |= {t.id for t in node.targets if isinstance(t, ast.Name)}
        elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
            binds |= {name for name in (_owner(node.value.func),) if name}
    modules = {
        (alias.asname or alias.name).partition(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, (ast.Import, ast.ImportFrom))
        for alias in node.names
    }
    return CellNames(
        loads=frozenset(loads),
        binds=frozenset(binds - modules),
        clocked=frozenset(clocked),
    )


def clock_cells(sources: Sequence[str]) -> tuple[bool, ...]:
    """Tell of each cell whether it reads a clock, or uses a name that holds what was read."""
    found, clocked = [], set[str]()
    for source in sources:
        names = names_of(source, frozenset(clocked))
        found.append(reads_clock(source) or bool(names.loads & clocked))
        clocked = (clocked - names.binds) | names.clocked
    return tuple(found)


def dependents(sources: Sequence[str], origins: Iterable[int]) -> dict[int, int]:
    """Map each cell that depends on one of these cells to the cell it depends on.

    Parameters
    ----------
    sources
        The cells, in the order in which they ran.
    origins
        Positions of cells whose results cannot be trusted.
    """
    starts = set(origins)
    names = [names_of(source) for source in sources]
    imported = _imported(sources)
    tainted: dict[str, int] = {}
    found: dict[int, int] = {}
    for position, cell in enumerate(names):
        if position in starts:
            tainted |= dict.fromkeys(cell.binds - imported, position)
            continue
        touched = [tainted[name] for name in cell.loads if name in tainted]
        if touched:
            found[position] = min(touched)
            tainted |= dict.fromkeys(cell.binds - imported, min(touched))
        else:
            for name in cell.binds:
                tainted.pop(name, None)
    return found


def _imported(sources: Sequence[str]) -> set[str]:
    names: set[str] = set()
    for source in sources:
        tree = read_source(source).tree
        for node in ast.walk(tree) if tree else ():
            if isinstance(node, (ast.Import, ast.ImportFrom)):
                names |= {(a.asname or a.name).partition(".")[0] for a in node.names}
    return names


def _owner(node: ast.expr) -> str:
    """Return the name that an attribute, an item or a method belongs to; "" for a plain name."""
    is_part = False
    while isinstance(node, (ast.Attribute, ast.Subscript)):
        node, is_part = node.value, True
    return node.id if is_part and isinstance(node, ast.Name) else ""


def _is_clocked(value: ast.expr, clocked: set[str]) -> bool:
    """Tell whether a value is what a clock said, or arithmetic with it."""
    if isinstance(value, ast.BinOp):
        return _is_clocked(value.left, clocked) or _is_clocked(value.right, clocked)
    if isinstance(value, ast.Name):
        return value.id in clocked
    return isinstance(value, ast.Call) and reads_clock(ast.unparse(value))

"""The module that is made from a closure: its order, its text, its source map.

Imports first, then constants and captured values, classes and functions, each after what it
needs while the module is imported. The compiled text is compared with the live code.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nbship.errors import ExportError
from nbship.release.cells import imported_names
from nbship.release.instructions import compiled, is_same_code, nested_code

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from types import CodeType

    from nbship.release.items import Closure, Item

_RANKS = {"import": 0, "constant": 1, "state": 2, "class": 3, "function": 4}
_LOAD = "from ._state import load as _load"


@dataclass(frozen=True, kw_only=True, slots=True)
class Span:
    """The lines of one statement that was taken; import lines have none."""

    name: str
    first_line: int
    last_line: int


@dataclass(frozen=True, kw_only=True, slots=True)
class ModuleText:
    """A module's text, and the cell that each line was cut from."""

    text: str
    #: line -> {"cell_id", "execution_count", "line"}
    source_map: Mapping[str, Any]
    spans: tuple[Span, ...] = ()


def module_text(closure: Closure, *, notebook: str, public: str) -> ModuleText:
    """Write the module.

    Parameters
    ----------
    closure
        What the root needs.
    notebook
        The notebook's name, for the header.
    public
        The one name that the module offers.

    Raises
    ------
    ExportError
        If definitions need each other while the module is imported, or the compiled text
        is not what ran.
    """
    _check_names(closure)
    ordered = in_order(closure.items)
    body = [item for item in ordered if item.kind != "import"]
    is_future = any(item.is_future for item in body)
    lines = [*_header(closure, body, notebook), ""]
    lines += ["from __future__ import annotations", ""] if is_future else []
    lines += _import_lines(ordered, has_state=any(i.kind == "state" for i in body))
    lines += [f'__all__ = ["{public}"]']
    source_map: dict[str, Any] = {}
    spans: list[Span] = []
    previous = "import"
    for item in body:
        lines += [""] * _gap(previous, item.kind)
        first = len(lines) + 1
        for text, origin in zip(item.text.split("\n"), item.lines, strict=True):
            lines.append(text)
            if item.cell is not None and origin:
                source_map[str(len(lines))] = {
                    "cell_id": item.cell.cell_id,
                    "execution_count": item.cell.execution_count,
                    "line": origin,
                }
        spans.append(Span(name=item.name, first_line=first, last_line=len(lines)))
        previous = item.kind
    text = "\n".join(lines) + "\n"
    _check(text, body, is_future=is_future)
    return ModuleText(text=text, source_map=source_map, spans=tuple(spans))


def in_order(items: Mapping[str, Item]) -> list[Item]:
    """Sort statements so that each stands after what it needs at import.

    Raises
    ------
    ExportError
        If some need each other.
    """
    for needs in (_deep_needs(items), _plain_needs(items)):
        ordered = _sorted(items, needs)
        if ordered is not None:
            return ordered
    stuck = ", ".join(
        sorted(name for name, item in items.items() if item.kind != "import")
    )
    raise ExportError(
        f"definitions need each other while the module is imported: {stuck}",
        hint="Define first what decorators, defaults and base classes use.",
        hazard="order",
    )


def _plain_needs(items: Mapping[str, Item]) -> dict[str, set[str]]:
    needs = {
        name: set(item.reads_at_definition) & set(items) for name, item in items.items()
    }
    for name, item in items.items():
        for bound in item.also_binds & set(items):
            needs[bound].add(
                name
            )  # an older definition stands before the one that stays
    return {name: found - {name} for name, found in needs.items()}


def _deep_needs(items: Mapping[str, Item]) -> dict[str, set[str]]:
    """Count also what the functions that run at import read when they are called."""
    needs = _plain_needs(items)
    for name in items:
        queue, seen = sorted(needs[name]), set(needs[name])
        while queue:
            for read in items[queue.pop()].reads:
                if read in items and read not in seen and read != name:
                    seen.add(read)
                    queue.append(read)
        needs[name] = seen
    return needs


def _sorted(
    items: Mapping[str, Item], needs: Mapping[str, set[str]]
) -> list[Item] | None:
    waiting = sorted(items.values(), key=_priority)
    done: set[str] = set()
    ordered: list[Item] = []
    while waiting:
        ready = next((item for item in waiting if needs[item.name] <= done), None)
        if ready is None:
            return None
        waiting.remove(ready)
        done.add(ready.name)
        ordered.append(ready)
    return ordered


def _priority(item: Item) -> tuple[Any, ...]:
    count = item.cell.execution_count if item.cell is not None else None
    line = next((line for line in item.lines if line), 0)
    return (_RANKS[item.kind], count or 0, line, item.name)


def _check_names(closure: Closure) -> None:
    if "_load" in closure.items:
        reader = closure.readers.get("_load", closure.root)
        raise ExportError(
            f"{reader} reads a name of the notebook called _load, which the package needs "
            "for itself",
            hint="Give it another name.",
            hazard="reserved-name",
            name="_load",
        )


def _header(closure: Closure, body: Iterable[Item], notebook: str) -> list[str]:
    cells = {
        item.cell.place: item.cell.execution_count or 0 for item in body if item.cell
    }
    places = sorted(cells, key=lambda place: (cells[place], place))
    title = f'"""{closure.root} of {notebook}, exported by nbship.'.replace("\\", "/")
    lines = [title, "", "The text is the author's own, cut from:", ""]
    lines += [f"- {place}" for place in places] or [
        "- no cell: it was written for the root"
    ]
    if any(item.kind == "state" for item in body):
        lines += ["", "What the notebook had computed is loaded from state/."]
    return [*lines, '"""']


def _import_lines(items: Iterable[Item], *, has_state: bool) -> list[str]:
    groups: tuple[list[str], list[str], list[str]] = ([], [], [])
    for item in items:
        if item.kind == "import":
            root = item.text.split()[1].partition(".")[0]
            is_foreign = root not in sys.stdlib_module_names
            groups[is_foreign if root else 2].append(item.text)
    lines: list[str] = []
    for group in groups:
        if group:
            lines += [*sorted(_joined(group), key=_import_key), ""]
    return [*lines, _LOAD, ""] if has_state else lines


def _joined(statements: list[str]) -> list[str]:
    """Write one ``from module import a, b`` for each module."""
    plain = [text for text in statements if text.startswith("import ")]
    names: dict[str, list[str]] = {}
    for text in statements:
        if text.startswith("from "):
            module, _, name = text.removeprefix("from ").partition(" import ")
            names.setdefault(module, []).append(name)
    return plain + [f"from {m} import {', '.join(sorted(n))}" for m, n in names.items()]


def _import_key(text: str) -> tuple[bool, str]:
    return text.startswith("from "), text.lower()


def _gap(previous: str, kind: str) -> int:
    if "class" in (previous, kind) or "function" in (previous, kind):
        return 2
    return 0 if previous == kind and kind != "import" else 1


def _check(text: str, body: Iterable[Item], *, is_future: bool) -> None:
    try:
        compiled(text, is_future=is_future)
    except SyntaxError as error:
        raise ExportError(
            f"the module's text does not compile: line {error.lineno}: {error.msg}",
            hint="Write the definition at the top level of a cell.",
            hazard="order",
        ) from error
    for item in body:
        codes = [code for unit in _units(item) for code in nested_code(unit)]
        for wanted in item.codes:
            if not any(is_same_code(code, wanted) for code in codes):
                place = f" in {item.cell.place}" if item.cell else ""
                raise ExportError(
                    f"{item.name}: its text{place} differs from what ran",
                    hint=f"Run the cell that defines {item.name} again.",
                    hazard="edited",
                    name=item.name,
                )


def _units(item: Item) -> Iterator[CodeType]:
    """Compile a statement as its cell may have been: alone, and beside its imports.

    The compiler writes other instructions for methods of names that the same unit imports.
    """
    line = next((line for line in item.lines if line), 0)
    if item.cell is None or not item.codes:
        return
    near, far = imported_names(item.cell, line=line), imported_names(item.cell)
    for names in (set[str](), near, far):
        prelude = "".join(f"import {name}\n" for name in sorted(names))
        yield compiled(prelude + item.text, is_future=item.is_future)

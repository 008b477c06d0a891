"""Why each line of a module is in, why each cell is out, where each value comes from."""

from __future__ import annotations

import ast
import io
import tokenize
from typing import TYPE_CHECKING

from nbship.records.explanation import (
    CellReason,
    Explanation,
    LineReason,
    ValueReason,
)
from nbship.release.cell_reasons import reason_of
from nbship.release.cells import binding_statements, parse
from nbship.release.hazards import type_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from nbship.records.release import StateEntry
    from nbship.release.cells import Cells, ExecutedCell
    from nbship.release.golden import Case
    from nbship.release.items import Closure, Item
    from nbship.release.module_text import ModuleText

_VERBS = {
    "import": "imported",
    "constant": "constant",
    "state": "value captured as it was",
    "class": "class",
    "function": "function",
}
_OUR_CALLS = (
    "get_ipython().run_line_magic('mlops'",
    "get_ipython().run_cell_magic('mlops'",
    "__import__('nbship.",
)
_NOT_CODE = {
    tokenize.COMMENT,
    tokenize.NL,
    tokenize.NEWLINE,
    tokenize.INDENT,
    tokenize.DEDENT,
    tokenize.ENDMARKER,
}


def explain(  # noqa: PLR0913  # what a capture is made of
    closure: Closure,
    module: ModuleText,
    *,
    notebook: str,
    cells: Cells,
    state: Sequence[StateEntry],
    values: Mapping[str, object],
    cases: Sequence[Case],
    remarks: Sequence[str],
) -> Explanation:
    """Explain a module.

    Parameters
    ----------
    closure, module
        What was taken, and the text made of it.
    notebook
        The notebook's name.
    cells
        All that were executed.
    state, values
        The files of captured values, and the values by name.
    cases
        The golden cases, with the cells that made them.
    remarks
        What else a reader should know.
    """
    lines = tuple(_line_reasons(closure, module))
    kept = _kept_lines(module)
    reasons = tuple(
        CellReason(
            cell_id=cell.cell_id,
            execution_count=cell.execution_count,
            lines=len(code_lines(cell.source)),
            lines_in=len(kept.get((cell.cell_id, cell.execution_count), ())),
            why=reason_of(cell, closure=closure, cells=cells, state=state, cases=cases),
        )
        for cell in cells.values()
        if not _is_ours(cell)
    )
    return Explanation(
        root=closure.root,
        notebook=notebook,
        module_lines=module.text.count("\n"),
        lines_kept=sum(reason.lines_in for reason in reasons),
        lines_of_notebook=sum(reason.lines for reason in reasons),
        lines=lines,
        cells=reasons,
        values=tuple(_value_reasons(closure, cells, state, values)),
        variables=closure.variables,
        resources=closure.resources,
        local_modules=closure.local,
        remarks=tuple(remarks),
    )


def _is_ours(cell: ExecutedCell) -> bool:
    """Tell whether a cell does nothing but ask nbship, as the one that exports."""
    body = parse(cell.source).body
    return len(body) == 1 and ast.unparse(body[0]).startswith(_OUR_CALLS)


def chain_to(name: str, closure: Closure) -> tuple[str, ...]:
    """Return how the walk came to a name: from the root, each read by the one before."""
    chain = [name]
    while chain[0] != closure.root:
        reader = closure.readers.get(chain[0])
        if reader is None or reader in chain:
            break
        chain.insert(0, reader)
    return tuple(chain)


def code_lines(source: str) -> set[int]:
    """Return the numbers of the lines that hold more than comments."""
    try:
        tokens = list(tokenize.generate_tokens(io.StringIO(source).readline))
    except (tokenize.TokenError, SyntaxError):
        lines = source.split("\n")
        return {n for n, line in enumerate(lines, 1) if line.strip()}
    return {
        number
        for token in tokens
        if token.type not in _NOT_CODE
        for number in range(token.start[0], token.end[0] + 1)
    }


def _line_reasons(closure: Closure, module: ModuleText) -> Iterator[LineReason]:
    owners: dict[int, Item] = {}
    for span in module.spans:
        item = closure.items[span.name]
        owners |= dict.fromkeys(range(span.first_line, span.last_line + 1), item)
    imported = _import_lines(closure, module.text)
    line, last = 1, module.text.count("\n")
    while line <= last:
        end = line
        while end < last and _same(line, end + 1, owners, imported):
            end += 1
        if line in owners:
            yield _item_reason(owners[line], closure, line, end)
        elif line in imported:
            yield _import_reason(imported[line], closure, line)
        else:
            yield LineReason(
                first_line=line,
                last_line=end,
                name="",
                kind="frame",
                why="the module's own: what it is, what it offers, blank lines",
            )
        line = end + 1


def _same(
    one: int, other: int, owners: Mapping[int, Item], imported: Mapping[int, object]
) -> bool:
    if one in imported or other in imported:
        return False
    return owners.get(one) is owners.get(other)


def _item_reason(item: Item, closure: Closure, first: int, last: int) -> LineReason:
    chain = chain_to(item.name, closure)
    return LineReason(
        first_line=first,
        last_line=last,
        name=item.name,
        kind=item.kind,
        why=_why(item.name, _VERBS[item.kind], chain, closure),
        chain=chain,
        cell_id=item.cell.cell_id if item.cell else None,
        execution_count=item.cell.execution_count if item.cell else None,
    )


def _import_reason(names: Sequence[str], closure: Closure, line: int) -> LineReason:
    if not names:
        why = "loads the captured values"
        return LineReason(
            first_line=line, last_line=line, name="_load", kind="import", why=why
        )
    chains = [chain_to(name, closure) for name in names]
    whys = [
        _why(name, "imported", chain, closure)
        for name, chain in zip(names, chains, strict=True)
    ]
    return LineReason(
        first_line=line,
        last_line=line,
        name=", ".join(names),
        kind="import",
        why="; ".join(whys),
        chain=chains[0],
    )


def _why(name: str, verb: str, chain: tuple[str, ...], closure: Closure) -> str:
    if name == closure.root:
        return "the root itself"
    reader = chain[-2] if len(chain) > 1 else closure.readers.get(name, "")
    if not reader or reader == name:
        return f"{verb}: written for the root"
    return f"{verb}: {reader} reads {name}"


def _import_lines(closure: Closure, text: str) -> dict[int, list[str]]:
    """Map each import line to the names of the closure that it binds."""
    owners = {
        key: name
        for name, item in closure.items.items()
        if item.kind == "import"
        for node in ast.parse(item.text).body
        for key in _import_keys(node)
    }
    return {
        node.lineno: [owners[key] for key in _import_keys(node) if key in owners]
        for node in ast.parse(text).body
        if isinstance(node, (ast.Import, ast.ImportFrom))
        and getattr(node, "module", "") != "__future__"
    }


def _import_keys(node: ast.stmt) -> list[tuple[object, ...]]:
    """Name each import of a statement: where from, what, as what."""
    if not isinstance(node, (ast.Import, ast.ImportFrom)):
        return []
    place = (getattr(node, "level", 0), getattr(node, "module", None))
    return [(*place, alias.name, alias.asname) for alias in node.names]


def _kept_lines(module: ModuleText) -> dict[tuple[str | None, int | None], set[int]]:
    """Map each cell to its lines of code that stand in the module."""
    kept: dict[tuple[str | None, int | None], set[int]] = {}
    code = code_lines(module.text)
    for line, place in module.source_map.items():
        if int(line) in code:
            key = (place["cell_id"], place["execution_count"])
            kept.setdefault(key, set()).add(place["line"])
    return kept


def _value_reasons(
    closure: Closure,
    cells: Cells,
    state: Sequence[StateEntry],
    values: Mapping[str, object],
) -> Iterator[ValueReason]:
    entries = {entry.name: entry for entry in state}
    for name, item in closure.items.items():
        if item.kind not in {"constant", "state"}:
            continue
        entry, cell = entries.get(name), _binding_cell(name, cells, item.cell)
        yield ValueReason(
            name=name,
            type=type_name(values[name]) if name in values else "",
            codec=entry.codec if entry else "text",
            file=entry.file if entry else "",
            size_bytes=entry.size_bytes if entry else len(item.text.encode()),
            reader=closure.readers.get(name, closure.root),
            origin=cell.place if cell else "",
            cell_id=cell.cell_id if cell else None,
        )


def _binding_cell(
    name: str, cells: Cells, cell: ExecutedCell | None
) -> ExecutedCell | None:
    if cell is not None:
        return cell
    return next((binding for _, binding in binding_statements(name, cells)), None)

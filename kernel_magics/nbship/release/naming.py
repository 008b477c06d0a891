"""Definitions that may be known by another name than the one in their text."""

from __future__ import annotations

import ast
import textwrap
from typing import TYPE_CHECKING

from nbship.release.instructions import is_postponed, use_of_text
from nbship.release.items import Item, written_item

if TYPE_CHECKING:
    from types import CodeType

    from nbship.release.cells import Passage
    from nbship.release.closure import ClosureWalk


def assigned_item(name: str, passage: Passage) -> Item:
    """Make the item of an assignment in the author's own text."""
    use = use_of_text(passage.text)
    return Item(
        name=name,
        kind="constant",
        text=passage.text,
        cell=passage.cell,
        lines=passage.lines,
        reads=use.reads,
        reads_at_definition=use.reads_at_definition,
    )


def named_item(
    walk: ClosureWalk,
    name: str,
    own_name: str,
    passage: Passage,
    *,
    codes: tuple[CodeType, ...],
) -> Item:
    """Make the item of a definition that may be known by another name than its own."""
    if own_name != name and walk.has(own_name) and walk.has(name):
        twin = walk.value_of(own_name)
        if twin is walk.value_of(name):
            text = f"{name} = {own_name}"
            return written_item(name, text, kind="constant", reads=(own_name,))
    text, lines = textwrap.dedent(passage.text), passage.lines
    if own_name != name:
        text, lines = f"{text}\n\n\n{name} = {own_name}", (*lines, 0, 0, 0)
    is_future = any(is_postponed(code) for code in codes)
    use = use_of_text(text, is_future=is_future)
    own = {own_name, name} if own_name != name else set()
    return Item(
        name=name,
        kind="class" if isinstance(passage.node, ast.ClassDef) else "function",
        text=text,
        cell=passage.cell,
        lines=lines,
        reads=tuple(read for read in use.reads if read not in own or walk.has(read)),
        reads_at_definition=use.reads_at_definition - own,
        also_binds=frozenset(own - {name}),
        writes=use.writes,
        imports=use.imports,
        is_future=is_future,
        codes=codes,
    )

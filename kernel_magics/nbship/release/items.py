"""The statements of the module that is made, and the values that travel beside it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import CodeType

    from nbship.release.cells import ExecutedCell


@dataclass(frozen=True, kw_only=True, slots=True)
class Item:
    """One statement of the module that is made."""

    name: str
    #: ``import``, ``constant``, ``state``, ``class`` or ``function``
    kind: str
    text: str
    #: the cell execution it was cut from; None for what was written here
    cell: ExecutedCell | None = None
    #: line of the cell for each line of ``text``; 0 where there is none
    lines: tuple[int, ...] = ()
    #: global names that it reads, now or when called
    reads: tuple[str, ...] = ()
    #: those of them read while the module is imported
    reads_at_definition: frozenset[str] = field(default_factory=frozenset)
    #: names it binds beside its own
    also_binds: frozenset[str] = field(default_factory=frozenset)
    #: names that its functions set or delete
    writes: frozenset[str] = field(default_factory=frozenset)
    #: modules that its functions import
    imports: tuple[str, ...] = ()
    #: whether ``from __future__ import annotations`` was in force
    is_future: bool = False
    #: code that must be found again in the compiled text
    codes: tuple[CodeType, ...] = ()
    #: whether it opens a declared resource
    is_resource: bool = False

    def place_of(self, word: str) -> str:
        """Say where in its cell the statement has a word: `` in cell In[3], line 4``."""
        if self.cell is None:
            return ""
        texts = zip(self.text.split("\n"), self.lines, strict=True)
        line = next((number for text, number in texts if word in text), 0)
        return f" in {self.cell.place}, line {line}" if line else ""


@dataclass(frozen=True, kw_only=True, slots=True)
class StateNeed:
    """A value that has to travel as a file."""

    name: str
    value: Any
    #: the function that reads it, for messages
    reader: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Closure:
    """Everything that a root needs, unordered."""

    root: str
    items: Mapping[str, Item]
    #: import names of every module that is imported, dotted
    modules: tuple[str, ...]
    #: those of files beside the notebook, which the package takes along
    local: tuple[str, ...] = ()
    #: functions that open a declared resource
    resources: tuple[str, ...] = ()
    #: environment variables that it reads
    variables: tuple[str, ...] = ()
    #: those of them without which it fails
    required_variables: tuple[str, ...] = ()
    #: name -> the statement that first read it
    readers: Mapping[str, str] = field(default_factory=dict)
    remarks: tuple[str, ...] = ()


def written_item(name: str, text: str, *, kind: str, reads: tuple[str, ...]) -> Item:
    """Make a statement that no cell holds: it was written here."""
    return Item(
        name=name,
        kind=kind,
        text=text,
        lines=(0,) * (text.count("\n") + 1),
        reads=reads,
        reads_at_definition=frozenset(reads),
    )

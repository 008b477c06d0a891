"""What the replay of golden cases showed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

#: golden cases with fewer distinct rows prove nothing
ENOUGH_ROWS = 20


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """A line of the exported module, and the cell that it was cut from."""

    #: 1-based; 0 where no line of the author's was on the stack
    line: int
    file: str = "model.py"
    #: "" where the line was written by the export, or the front end did not say
    cell_id: str = ""
    execution_count: int = 0
    #: 1-based line in the cell; 0 where it comes from none
    cell_line: int = 0

    @property
    def text(self) -> str:
        """Write it for people: ``model.py:12, cell In[3] (a1b2) line 4``."""
        if not self.cell_line:
            return f"{self.file}:{self.line}" if self.line else self.file
        count = f"In[{self.execution_count}]" if self.execution_count else ""
        name = f"({self.cell_id})" if self.cell_id and count else self.cell_id
        cell = " ".join(part for part in ("cell", count, name) if part)
        return f"{self.file}:{self.line}, {cell} line {self.cell_line}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Coverage:
    """Which lines of ``model.py`` the golden cases ran."""

    #: lines that can be run
    lines: int
    #: lines that were
    executed: int
    #: those that never ran: nothing is proven of them
    missed: tuple[Place, ...] = ()

    @property
    def percent(self) -> int:
        """The share of lines that ran, rounded down."""
        return 100 * self.executed // self.lines if self.lines else 100


@dataclass(frozen=True, kw_only=True, slots=True)
class Access:
    """Something outside of package and arguments that a replay touched."""

    #: ``file``, ``network``, ``subprocess`` or ``environment``
    kind: str
    #: path, address, command, or name of the variable
    target: str
    #: ``read`` or ``write`` of a file; else ""
    mode: str
    place: Place
    #: whether the author's own line did it, not a library that the line called
    is_direct: bool = True

    @property
    def text(self) -> str:
        """Write it for people: ``reads the file rates.csv (model.py:3, cell In[2] line 1)``."""
        verbs = {
            "file": "writes the file" if self.mode == "write" else "reads the file",
            "network": "calls the network:",
            "subprocess": "starts a program:",
            "environment": "reads the variable",
        }
        via = "" if self.is_direct else ", by a library"
        return (
            f"{verbs.get(self.kind, self.kind)} {self.target} ({self.place.text}{via})"
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class StateChange:
    """A captured value that was another one after the replay."""

    name: str
    #: where the module binds it
    place: Place


@dataclass(frozen=True, kw_only=True, slots=True)
class Watched:
    """What a package tells of a watched replay, as ``verify --watch --json`` writes it."""

    coverage: Coverage | None = None
    accesses: tuple[Access, ...] = ()
    changed_state: tuple[StateChange, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class ParityReport:
    """What the replay of the golden cases in a fresh environment gave."""

    SCHEMA: ClassVar[str] = "parity/2"
    OLDER: ClassVar[tuple[str, ...]] = ("parity/1",)

    passed: bool
    cases: int
    rows: int
    #: whether there were ``ENOUGH_ROWS`` distinct rows, and nothing in ``unproven``
    is_proven: bool
    #: ``case 3: row 1, column 'p': 0.25 where 0.5 was recorded``
    differences: tuple[str, ...] = ()
    python_version: str = ""
    #: ``namespace`` (no network interface) or ``guard`` (sockets refused in the process)
    isolation: str = ""
    duration_s: float = 0.0
    #: why equal answers prove little
    unproven: tuple[str, ...] = ()
    #: None where it was not watched
    coverage: Coverage | None = None
    #: what was touched and not declared
    accesses: tuple[Access, ...] = ()
    #: captured values that the calls changed: a stateful predict
    changed_state: tuple[StateChange, ...] = ()
    #: lines whose values differ between two replays of the same call
    draws: tuple[Place, ...] = ()
    #: output -> relative tolerance that its author declared; "" for all others
    tolerances: Mapping[str, float] = field(default_factory=dict)
    #: variables that held a placeholder, another one in each replay
    placeholders: tuple[str, ...] = ()

    @property
    def cases_text(self) -> str:
        """Write the number of cases with its noun."""
        return f"{self.cases} golden case{'s' if self.cases != 1 else ''}"

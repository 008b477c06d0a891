"""What an export takes and leaves, with reasons; and what a check of it found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

#: file of an explanation in a captured root, and in the package that is made of it
EXPLANATION = "explanation.json"


@dataclass(frozen=True, kw_only=True, slots=True)
class LineReason:
    """Lines of the module that are there for one reason."""

    first_line: int
    last_line: int
    #: what they define; "" for the module's own frame
    name: str
    #: ``frame``, ``import``, ``constant``, ``state``, ``class`` or ``function``
    kind: str
    why: str
    #: from the root to this name, each read by the one before
    chain: tuple[str, ...] = ()
    #: the cell that they were cut from; None for what was written for the package
    cell_id: str | None = None
    execution_count: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class CellReason:
    """One cell execution: what of it is in the package, and why the rest is not."""

    cell_id: str | None
    execution_count: int | None
    #: lines with code
    lines: int
    #: lines of it in the module
    lines_in: int
    why: str


@dataclass(frozen=True, kw_only=True, slots=True)
class ValueReason:
    """One value of the notebook that the package holds."""

    name: str
    #: such as ``sklearn.pipeline.Pipeline``; "" for literals
    type: str
    #: ``text``, or the codec of its file
    codec: str
    #: file below ``state/``; "" for text in the module
    file: str
    size_bytes: int
    #: the statement that reads it first
    reader: str
    #: the cell that binds it, for people; "" where none does by that name
    origin: str
    #: that cell; None where there is none, or the front end did not say
    cell_id: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Explanation:
    """For every line why it is in, for every cell why it is out, for every value its origin."""

    SCHEMA: ClassVar[str] = "explanation/1"

    root: str
    notebook: str
    #: lines of the module, blank ones too
    module_lines: int
    #: lines of code of the author in the module, and in the executed cells
    lines_kept: int
    lines_of_notebook: int
    lines: tuple[LineReason, ...]
    cells: tuple[CellReason, ...]
    values: tuple[ValueReason, ...]
    #: environment variables that the package reads
    variables: tuple[str, ...] = ()
    #: functions that open a declared resource
    resources: tuple[str, ...] = ()
    #: modules of files beside the notebook that the package takes along
    local_modules: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class CheckFinding:
    """One thing that a check of a root found."""

    #: one word of the table in ``docs/export.md``, such as ``handle``
    hazard: str
    #: ``blocker``: no export; ``warning``: the proof is weak; ``note``
    severity: str
    message: str
    hint: str = ""
    #: the name in the notebook that it is about
    name: str = ""
    #: the cell that binds the name
    cell_id: str | None = None
    execution_count: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class ExportCheck:
    """What can be said of an export without building it: ``mlops export ROOT --check``."""

    SCHEMA: ClassVar[str] = "export-check/1"

    root: str
    passed: bool
    findings: tuple[CheckFinding, ...] = ()
    #: golden cases recorded, replayed in this process, and distinct rows in them
    cases: int = 0
    cases_replayed: int = 0
    rows: int = 0
    #: lines of the author kept, lines of the executed cells
    lines_kept: int = 0
    lines_of_notebook: int = 0
    #: bytes of captured values
    state_bytes: int = 0
    #: seconds of closure, codecs and hazards; of the replay; of both together
    capture_s: float = 0.0
    replay_s: float = 0.0
    duration_s: float = 0.0

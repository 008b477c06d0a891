"""The notebook as nbship reads it: cells and the digest of the file's bytes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, ClassVar

PARAMETERS_TAG = "parameters"
INJECTED_TAG = "injected-parameters"
#: of the two cells by which papermill says where it stopped
MARK_TAG = "papermill-error-cell-tag"


class CellKind(StrEnum):
    """What a cell holds."""

    CODE = "code"
    MARKDOWN = "markdown"
    RAW = "raw"


@dataclass(frozen=True, kw_only=True, slots=True)
class Cell:
    """One cell of a notebook file."""

    #: the cell's own id, or ``cell-<position>`` in notebooks older than format 4.5
    id: str
    kind: CellKind
    source: str
    #: position in the file, from 0
    index: int
    tags: tuple[str, ...] = ()
    #: as stored in the file; None for cells that did not run
    execution_count: int | None = None
    #: outputs as nbformat has them
    outputs: tuple[Mapping[str, Any], ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Notebook:
    """An immutable copy of a notebook, with its digest."""

    SCHEMA: ClassVar[str] = "notebook/1"

    #: file name or path as the user gave it
    path: str
    #: sha256 of the file's bytes
    digest: str
    kernel_name: str
    language: str
    cells: tuple[Cell, ...]
    metadata: Mapping[str, Any] = field(default_factory=dict)

    @property
    def code_cells(self) -> tuple[Cell, ...]:
        """The code cells, in document order."""
        return tuple(cell for cell in self.cells if cell.kind is CellKind.CODE)

    @property
    def parameters_cell(self) -> Cell | None:
        """The first code cell tagged ``parameters``, as papermill chooses it."""
        tagged = (c for c in self.code_cells if PARAMETERS_TAG in c.tags)
        return next(tagged, None)

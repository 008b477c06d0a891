"""What is compared: an execution of a notebook, with what was logged in it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from nbship.records.notebook import MARK_TAG

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nbship.records.notebook import Cell, Notebook
    from nbship.vetting.comparison.natures import Circumstances


@dataclass(frozen=True, kw_only=True, slots=True)
class LoggedMetric:
    """Every value of a metric, in the order in which they were logged."""

    values: tuple[float, ...]
    unit: str = ""
    #: the cell that logged the last one
    cell_id: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Execution:
    """One execution of a notebook."""

    notebook: Notebook
    circumstances: Circumstances | None = None
    metrics: Mapping[str, LoggedMetric] = field(default_factory=dict)
    #: digests of captured roots, by name
    roots: Mapping[str, str] = field(default_factory=dict)
    #: folders of this execution, with the word that stands for each; the longest first
    folders: Mapping[str, str] = field(default_factory=dict)
    #: why it ended, where that was not success
    cause: str = ""

    @property
    def cells(self) -> tuple[Cell, ...]:
        """The code cells, without those by which papermill marks a failure."""
        return tuple(c for c in self.notebook.code_cells if MARK_TAG not in c.tags)

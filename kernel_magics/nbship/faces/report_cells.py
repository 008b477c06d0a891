"""The cells of a report: safe HTML, with their state and the findings about them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nbship.faces.report_markdown import clean_markdown
from nbship.faces.report_outputs import OutputRenderer, highlighted
from nbship.records.notebook import INJECTED_TAG, MARK_TAG, PARAMETERS_TAG

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from markupsafe import Markup

    from nbship.records.cause import CellUsage
    from nbship.records.job import Outcome
    from nbship.records.run import CellExecution
    from nbship.records.vetting import Finding

_FIRST_HEADING = re.compile(r"^#\s+(.+?)\s*#*$", re.MULTILINE)
_POSITION = re.compile(r"cell-(\d+)")


@dataclass(frozen=True, kw_only=True)
class CellView:
    """One cell as the page shows it."""

    #: position in the author's notebook, from 1; injected values take the one above them
    number: int
    id: str
    #: ``code``, ``markdown`` or ``raw``
    kind: str
    #: safe HTML of the code or the rendered Markdown
    body: Markup
    lines: int = 0
    first_line: str = ""
    outputs: tuple[Markup, ...] = ()
    #: ``failed``, ``interrupted``, ``killed``, ``not run``, or "" where all is well
    state: str = ""
    execution_count: int | None = None
    duration_s: float | None = None
    usage: CellUsage | None = None
    #: the parameters cell
    is_parameters: bool = False
    #: papermill put it in, behind the parameters cell
    is_injected: bool = False

    @property
    def anchor(self) -> str:
        """The id of the cell's element."""
        return f"cell-{self.number}{'-values' if self.is_injected else ''}"

    @property
    def name(self) -> str:
        """What the page calls the cell."""
        return "Values of this job" if self.is_injected else f"Cell {self.number}"


@dataclass(frozen=True, kw_only=True)
class FindingView:
    """One finding with its anchor and the cell it is about."""

    number: int
    finding: Finding
    cell: CellView | None = None

    @property
    def anchor(self) -> str:
        """The id of the finding's element."""
        return f"finding-{self.number}"


def view_cells(
    notebook: Mapping[str, Any],
    *,
    outcome: Outcome | None,
    executions: Sequence[CellExecution],
) -> tuple[CellView, ...]:
    """Render every cell of a notebook.

    Parameters
    ----------
    notebook
        As nbformat has it.
    outcome
        How the job ended, which names the cell that failed; None for a plain notebook.
    executions
        The run's cell executions, for their durations and what they used.
    """
    metadata = notebook.get("metadata") or {}
    language = str((metadata.get("language_info") or {}).get("name") or "python")
    renderer = OutputRenderer()
    ran = {e.cell_id: e for e in executions}
    views = []
    number = 0
    for cell in notebook["cells"]:
        if MARK_TAG in _tags(cell):  # the report says itself where it stopped
            continue
        number += INJECTED_TAG not in _tags(cell)
        view = _view(
            cell,
            number=number,
            language=language,
            renderer=renderer,
            outcome=outcome,
            execution=ran.get(str(cell.get("id"))),
        )
        views.append(view)
    return tuple(views)


def view_findings(
    findings: Sequence[Finding], cells: Sequence[CellView]
) -> tuple[FindingView, ...]:
    """Give each finding its number and its cell."""
    return tuple(
        FindingView(number=number, finding=finding, cell=_cell_of(finding, cells))
        for number, finding in enumerate(findings, start=1)
    )


def title_of(notebook: Mapping[str, Any], default: str) -> str:
    """Return the notebook's own title: its metadata's, else its first heading's text."""
    given = (notebook.get("metadata") or {}).get("title")
    if isinstance(given, str) and given.strip():
        return given.strip()
    for cell in notebook["cells"]:
        if cell.get("cell_type") == "markdown":
            found = _FIRST_HEADING.search(str(cell.get("source", "")))
            if found:
                return re.sub(r"[*`_]|<[^>]*>", "", found[1]).strip() or default
    return default


def _view(  # noqa: PLR0913  # what a cell's view is made of
    cell: Mapping[str, Any],
    *,
    number: int,
    language: str,
    renderer: OutputRenderer,
    outcome: Outcome | None,
    execution: CellExecution | None,
) -> CellView:
    source = str(cell.get("source", ""))
    kind = str(cell.get("cell_type", "raw"))
    metadata = cell.get("metadata") or {}
    if kind == "markdown":
        attachments = cell.get("attachments") or {}
        label = f"text of cell {number}"
        body = clean_markdown(source, attachments=attachments, label=label)
    else:
        body = highlighted(source, language if kind == "code" else "text")
    outputs = cell.get("outputs") or ()
    alt = str(metadata.get("alt") or "")
    return CellView(
        number=number,
        id=str(cell.get("id", "")),
        kind=kind,
        body=body,
        lines=source.count("\n") + 1 if source else 0,
        first_line=_first_line(source),
        outputs=tuple(
            renderer.render(output, cell=number, cell_alt=alt) for output in outputs
        ),
        state=_state(cell, outcome) if kind == "code" else "",
        execution_count=cell.get("execution_count"),
        duration_s=execution.duration_s if execution else None,
        usage=execution.usage if execution else None,
        is_parameters=PARAMETERS_TAG in _tags(cell),
        is_injected=INJECTED_TAG in _tags(cell),
    )


def _state(cell: Mapping[str, Any], outcome: Outcome | None) -> str:
    if outcome is not None and outcome.cell_id and cell.get("id") == outcome.cell_id:
        return outcome.status.value
    if any(o.get("output_type") == "error" for o in cell.get("outputs") or ()):
        return "failed"
    is_blank = not str(cell.get("source", "")).strip()
    return "" if is_blank or cell.get("execution_count") is not None else "not run"


def _tags(cell: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple((cell.get("metadata") or {}).get("tags") or ())


def _first_line(source: str) -> str:
    lines = [line.strip() for line in source.splitlines() if line.strip()]
    statements = (line for line in lines if not line.startswith("#"))
    return next(statements, lines[0] if lines else "")[:80]


def _cell_of(finding: Finding, cells: Sequence[CellView]) -> CellView | None:
    if finding.cell_id is None:
        return None
    for cell in cells:
        if cell.id == finding.cell_id:
            return cell
    position = _POSITION.fullmatch(finding.cell_id)  # a notebook without ids of its own
    written = [cell for cell in cells if not cell.is_injected]
    if position and int(position[1]) < len(written):
        return written[int(position[1])]
    return None

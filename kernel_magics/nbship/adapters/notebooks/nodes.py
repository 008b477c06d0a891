"""Notebook nodes, as papermill hands them to an engine, made fit for a record."""

from __future__ import annotations

import html
import json
from pathlib import Path
from typing import Any

from nbship.records.notebook import INJECTED_TAG, MARK_TAG, PARAMETERS_TAG

_STYLE = (
    'style="color:red; font-family:Helvetica Neue, Helvetica, Arial, sans-serif;'
    ' font-size:2em;"'
)


def settle_ids(nb: Any, input_path: str) -> None:  # noqa: ANN401  # a NotebookNode
    """Give cells that had no id of their own the ids that the reader gives them.

    Reading a notebook older than format 4.5, nbformat makes ids at random; a record that
    names them could not be compared with the next one.

    Parameters
    ----------
    nb
        The notebook, as papermill read and parameterised it.
    input_path
        Where papermill read it; nothing happens where that is no local notebook.
    """
    try:
        raw_cells = json.loads(Path(input_path).read_text("utf-8-sig"))["cells"]
        originals = [
            (raw.get("id"), index)
            for index, raw in enumerate(raw_cells)
            if not _tags(raw) & {INJECTED_TAG, MARK_TAG}
        ]
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return
    nodes = [cell for cell in nb.cells if not _tags(cell) & {INJECTED_TAG, MARK_TAG}]
    if len(nodes) != len(originals):
        return
    seen: set[str] = set()
    for node, (own, index) in zip(nodes, originals, strict=True):
        node["id"] = (
            own if isinstance(own, str) and own not in seen else f"cell-{index}"
        )
        seen.add(node["id"])
    for cell in nb.cells:
        if INJECTED_TAG in _tags(cell):
            cell["id"] = _free(INJECTED_TAG, seen)


def insert_parameters(nb: Any, source: str) -> None:  # noqa: ANN401
    """Put the injected cell where papermill puts it: in its own place, or behind the parameters."""
    from nbformat.v4 import new_code_cell

    seen = {cell.get("id") for cell in nb.cells}
    cell = new_code_cell(source=source.rstrip("\n"), id=_free(INJECTED_TAG, seen))
    cell.metadata["tags"] = [INJECTED_TAG]
    for position, other in enumerate(nb.cells):
        if INJECTED_TAG in _tags(other):
            cell["id"] = other["id"]
            nb.cells[position] = cell
            return
    for position, other in enumerate(nb.cells):
        if PARAMETERS_TAG in _tags(other):
            nb.cells.insert(position + 1, cell)
            return
    nb.cells.insert(0, cell)


def mark_failure(nb: Any, cell_index: int | None, cause: str = "") -> None:  # noqa: ANN401
    """Insert papermill's red marks: on top, and before the cell that failed.

    papermill removes them when it executes the notebook again.

    Parameters
    ----------
    nb
        The notebook node.
    cell_index
        The cell that failed; None where none was running.
    cause
        Stands below the mark on top.
    """
    from nbformat.v4 import new_markdown_cell

    where = "before its first cell or between two"
    if cell_index is not None:
        here = new_markdown_cell(
            f'<span id="papermill-error-cell" {_STYLE}>Execution using papermill'
            " encountered an exception here and stopped:</span>"
        )
        here.metadata["tags"] = [MARK_TAG]
        count = nb.cells[cell_index].get("execution_count")
        where = f"at '<a href=\"#papermill-error-cell\">In [{count}]</a>'"
        nb.cells.insert(cell_index, here)
    told = f"\n\n<pre>{html.escape(cause)}</pre>" if cause else ""
    top = new_markdown_cell(
        f"<span {_STYLE}>An Exception was encountered {where}.</span>{told}"
    )
    top.metadata["tags"] = [MARK_TAG]
    nb.cells.insert(0, top)


def leave_out_outputs(nb: Any, cell_index: int) -> None:  # noqa: ANN401
    """Leave what a cell put out for its error's sake: there is no space for both.

    Parameters
    ----------
    nb
        The notebook node.
    cell_index
        The cell; a note takes the place of its outputs.
    """
    from nbformat.v4 import new_output

    cell = nb.cells[cell_index]
    errors = [one for one in cell.outputs if one.output_type == "error"]
    count = len(cell.outputs) - len(errors)
    note = f"{count} output{'s' * (count != 1)} left out: no space left on the disk\n"
    cell.outputs = [new_output("stream", name="stderr", text=note), *errors]


def notebook_bytes(nb: Any) -> bytes:  # noqa: ANN401
    """Write a notebook as a file holds it."""
    from nbformat import v4

    text: str = v4.writes(nb)
    return (text.rstrip("\n") + "\n").encode("utf-8", "surrogatepass")


def _tags(cell: Any) -> set[str]:  # noqa: ANN401
    return set((cell.get("metadata") or {}).get("tags") or ())


def _free(name: str, taken: set[Any]) -> str:
    number = 2
    free = name
    while free in taken:
        free, number = f"{name}-{number}", number + 1
    return free

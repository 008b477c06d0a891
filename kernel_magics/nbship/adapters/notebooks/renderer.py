"""Reports rendered by nbconvert."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nbship.errors import NotebookError

if TYPE_CHECKING:
    from pathlib import Path

#: our exporter's entry point in the group ``nbconvert.exporters``
_EXPORTER = "nbship-report"


def render_report(notebook: Path, facts: object) -> str:
    """Render a notebook file with the facts of its job as one HTML page.

    Parameters
    ----------
    notebook
        The executed notebook.
    facts
        A ``ReportFacts``, handed on to the exporter.

    Raises
    ------
    NotebookError
        If the file is no notebook.
    """
    import nbformat
    from nbconvert.exporters import get_exporter

    try:
        node = nbformat.from_dict(nbformat.read(notebook, as_version=4))
    except (OSError, ValueError, AttributeError, KeyError) as error:
        raise NotebookError(
            f"{notebook}: cannot be read as a notebook: {error}",
            hint="Run the job again: mlops rerun JOB",
        ) from error
    exporter = get_exporter(_EXPORTER)()
    text: str
    text, _ = exporter.from_notebook_node(node, resources={"nbship": facts})
    return text

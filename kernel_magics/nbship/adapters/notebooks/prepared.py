"""The notebook that an attempt executes: the snapshot with its injected cell."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nbship.adapters.notebooks.nodes import (
    insert_parameters,
    notebook_bytes,
    settle_ids,
)

if TYPE_CHECKING:
    from pathlib import Path


def prepared_notebook(snapshot: Path, parameters_source: str) -> bytes:
    """Return the snapshot in the newest format, with ids and the cell that sets the values.

    Parameters
    ----------
    snapshot
        The job's ``input.ipynb``.
    parameters_source
        Source of the injected cell; "" where the job sets no values.
    """
    import nbformat
    from nbformat import v4

    nb = v4.upgrade(nbformat.reads(snapshot.read_text("utf-8-sig"), as_version=4))
    settle_ids(nb, str(snapshot))
    if parameters_source:
        insert_parameters(nb, parameters_source)
    return notebook_bytes(nb)

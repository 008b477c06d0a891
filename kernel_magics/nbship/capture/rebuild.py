"""The notebook as it was executed, rebuilt from a run's cell executions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nbship.capture.outputs import put_payloads_back
from nbship.records.codec import to_json

if TYPE_CHECKING:
    from collections.abc import Callable

    from nbship.records.run import CellExecution, Run


def executed_notebook(
    run: Run, read_blob: Callable[[str], bytes | None]
) -> dict[str, Any]:
    """Write a run's cell executions, in the order they ran, as a notebook of format 4.5.

    A cell that ran twice stands there twice. ``metadata.mlops`` of each cell names its
    execution, and how it ended.

    Parameters
    ----------
    run
        The run.
    read_blob
        Returns the bytes of a digest, None where they are lost.
    """
    return {
        "nbformat": 4,
        "nbformat_minor": 5,
        "metadata": {
            "kernelspec": {
                "name": "python3",
                "display_name": "Python 3",
                "language": "python",
            },
            "language_info": {"name": "python"},
            "mlops": {"run": run.id, "experiment": run.experiment},
        },
        "cells": [
            _cell(cell, position, read_blob) for position, cell in enumerate(run.cells)
        ],
    }


def _cell(
    cell: CellExecution, position: int, read_blob: Callable[[str], bytes | None]
) -> dict[str, Any]:
    outputs = [put_payloads_back(output, read_blob) for output in cell.outputs]
    for output in outputs:
        output.pop("display_id", None)
    if cell.error is not None:
        outputs.append({"output_type": "error", **to_json(cell.error)})
    return {
        "cell_type": "code",
        "id": f"{position + 1}-{cell.cell_id}"[:64],
        "metadata": {
            "tags": list(cell.tags),
            "mlops": {"execution": cell.id, "status": cell.status.value},
        },
        "execution_count": cell.execution_count,
        "source": cell.source,
        "outputs": outputs,
    }

"""Profiles of the data that a model was trained on, taken where they are: in the kernel.

The data themselves stay there. What fewer than some rows have in common is not told either.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nbship.monitor.baselines import baseline_of
from nbship.records.baseline import TRAINING, Baseline
from nbship.records.codec import json_text
from nbship.release.cells import binding_statements
from nbship.release.training import training_columns, training_table
from nbship.workflow.bundle_files import read_record

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from nbship.records.signature import Signature
    from nbship.release.cells import Cells

#: rows that a quantile stands for, and that a text needs to be named
_HIDE_BELOW = 5


def training_baseline(
    signature: Signature, namespace: Mapping[str, Any], cells: Cells
) -> dict[str, str]:
    """Profile the training data of a live notebook: the text of ``baseline.json`` by its name.

    Parameters
    ----------
    signature
        The inputs.
    namespace, cells
        The notebook.

    Returns
    -------
    dict
        Empty where no table of the notebook has every input, or none could be profiled.
    """
    found = training_table(signature, namespace)
    if found is None:
        return {}
    name, table = found
    cell = next((cell for _, cell in binding_statements(name, cells)), None)
    kind = "training frame" if "train" in name.lower() else "largest fitting table"
    baseline = baseline_of(
        signature,
        inputs=training_columns(signature, table),
        outputs={},
        source=f"{kind} {name}" + (f", {cell.place}" if cell else ""),
        hide_below=_HIDE_BELOW,
    )
    return {TRAINING: json_text(baseline)} if baseline.inputs else {}


def read_training(capture_folder: Path) -> Baseline | None:
    """Read the profiles of the training data; None where the capture has none."""
    path = capture_folder / TRAINING
    return read_record(Baseline, path) if path.is_file() else None

"""What the inputs and outputs of a model looked like when it was released."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

#: file of the profiles of the training data in a captured root, and in its package
TRAINING = "baseline.json"


@dataclass(frozen=True, kw_only=True, slots=True)
class Baseline:
    """Profiles of columns, against which production is compared: ``baseline/drift.json``.

    A profile of numbers is ``{"kind": "number", "count", "missing", "mean",
    "standard_deviation", "edges", "counts", "quantiles", "no_drift"}``: ``counts`` of the bins
    between minus infinity, ``edges`` and infinity; evenly spaced ``quantiles``, minimum and
    maximum included. A profile of categories is ``{"kind": "category", "count", "missing",
    "counts", "other", "no_drift"}``. ``no_drift`` is ``{"rows", "psi", "distance"}``: what 99
    of 100 windows of so many rows stay below where nothing has drifted.
    """

    SCHEMA: ClassVar[str] = "baseline/1"

    #: where the inputs come from: ``golden cases``, or
    #: ``training frame train, cell In[5] (a1b2)``
    source: str
    rows: int
    inputs: Mapping[str, Any] = field(default_factory=dict)
    outputs: Mapping[str, Any] = field(default_factory=dict)
    #: what a reader should know, such as columns that are not profiled
    remarks: tuple[str, ...] = ()
    #: where the outputs come from, and their rows; as the inputs where empty
    outputs_source: str = ""
    outputs_rows: int = 0

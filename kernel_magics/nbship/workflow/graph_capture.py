"""Capture the ONNX graph of a fitted estimator whose author asked for one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nbship.errors import ExportError
from nbship.records.digest import digest_bytes
from nbship.records.release import StateEntry
from nbship.release.answers import answers_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from nbship.workflow.capture_writing import Draft

    #: turns an estimator and the number of its inputs into a graph
    ToGraph = Callable[[object, int], bytes]

#: file of the graph in a capture, and in the package that is made of it
GRAPH = "graph.onnx"


def add_graph(root: str, value: object, draft: Draft, to_graph: ToGraph) -> None:
    """Put the graph of an estimator beside its state.

    Raises
    ------
    ExportError
        If the root is no fitted estimator of rows of numbers with ``predict``, or cannot be
        converted.
    """
    answers = answers_of(value, own=root)
    columns = answers.n_features_in_ if answers else None
    if answers is None or answers.method != "predict" or not columns:
        raise ExportError(
            f"{root}: an ONNX graph was asked for, and it is no fitted estimator of "
            "scikit-learn that predicts from columns",
            hint="Declare it on the estimator, nbship.golden(model, onnx=True, rtol=1e-5), "
            "and export that.",
            hazard="onnx",
            name=root,
        )
    data = to_graph(value, columns)
    draft.files[GRAPH] = data
    draft.modules.add("onnxruntime")
    draft.graph = StateEntry(
        name=root,
        codec="onnx",
        file=GRAPH,
        digest=digest_bytes(data),
        size_bytes=len(data),
    )

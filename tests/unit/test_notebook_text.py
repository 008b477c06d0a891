"""A notebook's text is nbformat's, byte for byte, however it came about."""

from __future__ import annotations

import json

import nbformat
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nbformat import NotebookNode
from nbformat.notebooknode import from_dict

from nbship.adapters.kernels.notebook_text import NotebookText

LEAVES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(["a\nb\n", "\u2028x\r\ny", 'é\x1f\\"/', "\ud800"])
)
VALUES = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=8,
)
METADATA = st.dictionaries(
    st.sampled_from(["trusted", "signature", "tags", "papermill", "z"]),
    VALUES,
    max_size=3,
)
TEXTS = st.text(alphabet="ab\n\r\x0c\u2028 ", max_size=12)
BUNDLES = st.dictionaries(
    st.sampled_from(
        ["text/plain", "text/html", "image/svg+xml", "image/png", "application/json"]
    ),
    TEXTS | VALUES,
    max_size=3,
)
OUTPUTS = st.one_of(
    st.builds(lambda t: {"output_type": "stream", "name": "stdout", "text": t}, TEXTS),
    st.builds(
        lambda d, m: {"output_type": "display_data", "data": d, "metadata": m},
        BUNDLES,
        METADATA,
    ),
    st.builds(
        lambda d: {
            "output_type": "execute_result",
            "data": d,
            "metadata": {},
            "execution_count": 1,
        },
        BUNDLES,
    ),
    st.builds(
        lambda t: {
            "output_type": "error",
            "ename": "E",
            "evalue": t,
            "traceback": [t, t],
        },
        TEXTS,
    ),
)
CELLS = st.one_of(
    st.builds(
        lambda s, m, o: {
            "cell_type": "code",
            "source": s,
            "metadata": m,
            "outputs": o,
            "execution_count": None,
            "id": "a",
        },
        TEXTS,
        METADATA,
        st.lists(OUTPUTS, max_size=3),
    ),
    st.builds(
        lambda s, m, b: {
            "cell_type": "markdown",
            "source": s,
            "metadata": m,
            "attachments": {"x": b},
        },
        TEXTS,
        METADATA,
        BUNDLES,
    ),
)
NOTEBOOKS = st.builds(
    lambda cells, metadata: from_dict(
        {"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}
    ),
    st.lists(CELLS, max_size=4),
    METADATA,
)


@given(NOTEBOOKS)
def test_the_text_is_that_of_nbformat(nb):
    before = json.dumps(nb, sort_keys=True)

    assert NotebookText().write(nb) == nbformat.v4.writes(nb)
    assert json.dumps(nb, sort_keys=True) == before


@given(NOTEBOOKS, OUTPUTS, st.data())
def test_a_changed_cell_is_written_anew(nb, output, data):
    text = NotebookText()
    text.write(nb)
    code = [i for i, cell in enumerate(nb.cells) if cell.cell_type == "code"]
    if code:
        index = data.draw(st.sampled_from(code))
        nb.cells[index].outputs.append(from_dict(output))
        text.forget(index)
    nb.metadata["kernelspec"] = NotebookNode(name="python3")

    assert text.write(nb) == nbformat.v4.writes(nb)

    nb.cells.insert(0, from_dict({"cell_type": "raw", "source": "x", "metadata": {}}))

    assert text.write(nb) == nbformat.v4.writes(nb)
    del nb.cells[0]
    assert text.write(nb) == nbformat.v4.writes(nb)


def test_odd_values_are_written_as_json_writes_them():
    nb = from_dict(
        {"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5, "x": {1: 2}}
    )
    nb.metadata["odd"] = {
        "tuple": (1, 2),
        "bytes": b"abc",
        "none": {None: 1},
        "deep": [[], {}, [{"a": [b"x"]}]],
    }

    assert NotebookText().write(nb) == nbformat.v4.writes(nb)


def test_what_is_no_json_is_refused_as_nbformat_refuses_it():
    nb = from_dict({"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5})
    nb.metadata["odd"] = object()

    with pytest.raises(TypeError, match="not JSON serializable"):
        NotebookText().write(nb)

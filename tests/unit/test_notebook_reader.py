"""Notebook files: every version read, everything else refused in one sentence."""

from __future__ import annotations

import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nbship.adapters.notebooks.reader import parse_notebook, read_notebook
from nbship.errors import NotebookError
from nbship.records.digest import digest_bytes
from nbship.records.notebook import Cell, CellKind, Notebook


def test_cells_tags_outputs_and_missing_ids_are_read():
    document = {
        "nbformat": 4,
        "nbformat_minor": 5,
        "metadata": {"kernelspec": {"name": "python3", "language": "python"}},
        "cells": [
            {"cell_type": "markdown", "id": "a", "metadata": {}, "source": ["# T\n", "x"]},
            {
                "cell_type": "code",
                "id": "a",
                "metadata": {"tags": ["parameters"]},
                "source": "x = 1",
                "execution_count": 2,
                "outputs": [
                    {"output_type": "stream", "name": "stdout", "text": ["a\n", "b"]},
                    {
                        "output_type": "display_data",
                        "metadata": {},
                        "data": {"text/plain": ["1", "2"], "application/json": [1]},
                    },
                ],
            },
        ],
    }  # fmt: skip
    data = json.dumps(document).encode()
    assert parse_notebook(data, path="n.ipynb") == Notebook(
        path="n.ipynb",
        digest=digest_bytes(data),
        kernel_name="python3",
        language="python",
        metadata=document["metadata"],
        cells=(
            Cell(id="a", kind=CellKind.MARKDOWN, source="# T\nx", index=0),
            Cell(
                id="cell-1",
                kind=CellKind.CODE,
                source="x = 1",
                index=1,
                tags=("parameters",),
                execution_count=2,
                outputs=(
                    {"output_type": "stream", "name": "stdout", "text": "a\nb"},
                    {
                        "output_type": "display_data",
                        "metadata": {},
                        "data": {"text/plain": "12", "application/json": [1]},
                    },
                ),
            ),
        ),
    )


def test_a_notebook_of_format_3_is_read_with_the_same_ids_each_time():
    cell = {"cell_type": "code", "input": "x = 1", "language": "python", "outputs": []}
    document = {"nbformat": 3, "nbformat_minor": 0, "metadata": {"name": ""}}
    document["worksheets"] = [{"cells": [cell], "metadata": {}}]
    data = json.dumps(document).encode()
    first = parse_notebook(data, path="n.ipynb")
    assert first == parse_notebook(data, path="n.ipynb")
    assert [(c.id, c.source) for c in first.cells] == [("cell-0", "x = 1")]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("print('hello')", "not JSON"),
        ("", "not JSON"),
        ("[1, 2]", "nbformat"),
        ('{"a": 1}', "nbformat"),
        ('{"nbformat": 5, "cells": []}', "notebook format 5"),
        ('{"nbformat": 4}', "no list under 'cells'"),
        ('{"nbformat": 4, "cells": [{"cell_type": "code"}]}', "a cell or"),
        ('{"nbformat": 4, "cells": [7]}', "a cell or"),
        ('{"nbformat": 2}', "format 2"),
        ('{"nbformat": 4, "cells": [], "metadata": {"kernelspec": 1}}', "metadata"),
    ],
)
def test_what_is_no_notebook_is_refused_in_one_sentence(tmp_path, text, reason):
    path = tmp_path / "n.ipynb"
    path.write_text(text)
    with pytest.raises(NotebookError, match=reason) as caught:
        read_notebook(path)
    assert str(path) in caught.value.message
    assert caught.value.hint


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(NotebookError, match=r"missing\.ipynb"):
        read_notebook(tmp_path / "missing.ipynb")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


@given(cells=JSON, metadata=JSON)
def test_any_json_is_read_or_refused(cells, metadata):
    document = {"nbformat": 4, "cells": cells, "metadata": metadata}
    with contextlib.suppress(NotebookError):
        parse_notebook(json.dumps(document).encode(), path="n")


@given(data=st.binary(max_size=100))
def test_any_bytes_are_refused(data):
    with pytest.raises(NotebookError):
        parse_notebook(data, path="n")

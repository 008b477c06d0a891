"""Which cells of a notebook that is ready to run are those that jobs share."""

from __future__ import annotations

from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from nbship.adapters.kernels.sharing import Prefix, prefix_of

INJECTED = new_code_cell(
    "# Parameters\nlr = 1", id="i", metadata={"tags": ["injected-parameters"]}
)


def code(cell_id, source, *tags):
    return new_code_cell(source, id=cell_id, metadata={"tags": list(tags)})


NOTEBOOK = new_notebook(
    cells=[
        new_markdown_cell("# Title", id="m"),
        code("first", "import math"),
        code("p", "lr = 0.1", "parameters"),
        INJECTED,
        code("blank", "  "),
        code("load", "x = 1"),
        code("fit", "lr * x"),
    ]
)


def test_the_prefix_holds_what_is_executed_and_says_where_values_are_set():
    shared = ("first", "p", "blank", "load")
    assert prefix_of(NOTEBOOK, key="s", shared_cells=shared) == Prefix(
        key="s",
        sources=("import math", "lr = 0.1", "# Parameters\nlr = 1", "x = 1"),
        injected=2,
    )


def test_a_prefix_that_ends_before_the_values_leaves_them_to_each_job():
    assert prefix_of(NOTEBOOK, key="s", shared_cells=("first",)) == Prefix(
        key="s", sources=("import math",), injected=None
    )
    assert prefix_of(NOTEBOOK, key="s", shared_cells=("first", "p")) == Prefix(
        key="s", sources=("import math", "lr = 0.1"), injected=None
    )


def test_a_parameters_cell_alone_is_not_worth_it():
    plain = new_notebook(cells=NOTEBOOK.cells[2:])
    assert prefix_of(plain, key="s", shared_cells=("p",)) is None
    assert prefix_of(plain, key="s", shared_cells=()) is None

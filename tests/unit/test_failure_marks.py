"""What is put into a notebook that did not come to its end, and the space kept for it."""

from __future__ import annotations

from nbformat.v4 import new_code_cell, new_notebook, new_output
from papermill.execute import remove_error_markers

from nbship.adapters.notebooks.nodes import leave_out_outputs, mark_failure
from nbship.adapters.store.reserve import Reserve


def notebook():
    cells = [new_code_cell(source=str(n), id=f"c{n}") for n in (1, 2)]
    cells[1].execution_count = 7
    return new_notebook(cells=cells)


def ids(nb):
    return [cell.id for cell in nb.cells if cell.cell_type == "code"]


def test_the_marks_name_cell_and_cause_and_papermill_removes_them():
    nb = notebook()

    mark_failure(nb, 1, "it <died>\n& fell")

    kinds = [cell.cell_type for cell in nb.cells]
    assert kinds == ["markdown", "code", "markdown", "code"]
    assert "In [7]" in nb.cells[0].source
    assert "<pre>it &lt;died&gt;\n&amp; fell</pre>" in nb.cells[0].source
    assert 'id="papermill-error-cell"' in nb.cells[2].source
    assert ids(remove_error_markers(nb)) == ["c1", "c2"]
    assert len(nb.cells) == 2


def test_an_end_outside_of_the_cells_is_marked_on_top_alone():
    nb = notebook()

    mark_failure(nb, None, "SIGTERM")

    assert [cell.cell_type for cell in nb.cells] == ["markdown", "code", "code"]
    assert "SIGTERM" in nb.cells[0].source


def test_outputs_that_find_no_space_are_counted_and_errors_stay():
    nb = notebook()
    error = new_output("error", ename="OSError", evalue="full", traceback=[])
    text = new_output("stream", name="stdout", text="x")
    nb.cells[0].outputs = [text, text, error]

    leave_out_outputs(nb, 0)

    note, kept = nb.cells[0].outputs
    assert note.text == "2 outputs left out: no space left on the disk\n"
    assert kept == error


def test_the_reserve_takes_space_until_it_is_freed(tmp_path):
    reserve = Reserve(tmp_path / "reserve")
    about = (tmp_path / "reserve").stat()
    assert about.st_blocks * 512 >= 128 * 1024
    reserve.free()
    reserve.free()
    assert list(tmp_path.iterdir()) == []


def test_a_reserve_that_finds_no_place_is_no_failure(tmp_path):
    Reserve(tmp_path / "missing" / "reserve").free()

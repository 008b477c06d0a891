"""An executed notebook is saved whole, within a budget, and where its user said."""

from __future__ import annotations

import json
import os
import stat
from datetime import datetime

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook, new_output
from papermill import engines, iorw

from nbship.adapters.kernels.saving import SparingManager
from nbship.adapters.kernels.targets import (
    JobTarget,
    LocalTarget,
    PapermillTarget,
    replace_file,
    target_of,
)
from nbship.errors import StoreError


class Remembering:
    """A target that keeps each text beside what nbformat makes of the notebook."""

    def __init__(self, *, is_watched, effort=0):
        self.is_watched = is_watched
        self.effort = effort
        self.pairs = []

    def write(self, nb, text, *, is_last):
        del is_last
        sum(range(self.effort))
        self.pairs.append((text, nbformat.v4.writes(nb)))


class Shelf:
    """A handler of papermill's."""

    def __init__(self):
        self.written = {}

    def write(self, text, path):
        self.written[path] = text


def notebook(count=3):
    nb = new_notebook(cells=[new_code_cell(f"{i}") for i in range(count)])
    nb.metadata["papermill"] = {}
    return nb


def managed(nb, target):
    return SparingManager(nb, target=target, progress_bar=False)


def statuses(path):
    cells = json.loads(path.read_text())["cells"]
    return [cell["metadata"]["papermill"]["status"] for cell in cells]


def test_what_is_saved_is_what_nbformat_writes(tmp_path):
    nb, path = notebook(), tmp_path / "out.ipynb"
    manager = managed(nb, LocalTarget(path, "out.ipynb"))
    manager.notebook_start()
    assert statuses(path) == ["pending"] * 3
    for index, cell in enumerate(nb.cells):
        manager.cell_start(cell, index)
        cell.outputs.append(new_output("stream", text="a\nb\n"))
        manager.cell_complete(cell, cell_index=index)
    manager.notebook_complete()

    assert path.read_text() == nbformat.writes(nb) == manager.text
    told = nb.cells[0].metadata.papermill
    moments = [datetime.fromisoformat(told[n]) for n in ("start_time", "end_time")]
    assert told["duration"] == (moments[1] - moments[0]).total_seconds()
    assert statuses(path) == ["completed"] * 3
    assert [path] == list(tmp_path.iterdir())


def test_every_save_is_right_where_the_budget_allows_all_of_them(tmp_path):
    target = Remembering(is_watched=True)
    nb = notebook()
    manager = managed(nb, target)
    manager.notebook_start()
    for index, cell in enumerate(nb.cells):
        manager.cell_start(cell, index)
        cell.outputs.append(new_output("stream", text="a"))
        manager.cell_complete(cell, cell_index=index)
    nb.cells[0].outputs[0]["text"] = "updated from a later cell"
    manager.touch(0)
    manager.cell_start(nb.cells[2], 2)
    manager.notebook_complete()

    assert len(target.pairs) == 1 + 2 * 3 + 1 + 1
    assert all(ours == nbformats for ours, nbformats in target.pairs)


def test_a_slow_target_is_written_to_seldom():
    target = Remembering(is_watched=False, effort=300_000)
    nb = notebook(200)
    manager = managed(nb, target)
    manager.notebook_start()
    for index, cell in enumerate(nb.cells):
        manager.cell_start(cell, index)
        manager.cell_complete(cell, cell_index=index)
    assert len(target.pairs) < 20
    manager.notebook_complete()

    assert len(target.pairs) < 21


def test_a_disk_that_is_full_leaves_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / "out.ipynb"
    path.write_text("old")

    with pytest.raises(OSError, match="File too large"):
        _with_small_files(lambda: replace_file(path, b"x" * 100_000, is_synced=True))
    with pytest.raises(StoreError, match="cannot be written: File too large"):
        _with_small_files(
            lambda: JobTarget(path).write(notebook(), "x" * 100_000, is_last=True)
        )

    assert path.read_text() == "old"
    assert [path] == list(tmp_path.iterdir())


def _with_small_files(action):
    import resource
    import signal

    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, before[1]))
    try:
        action()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)


def test_links_stay_links_and_permissions_stay(tmp_path):
    real, link = tmp_path / "real.ipynb", tmp_path / "link.ipynb"
    real.write_text("old")
    real.chmod(0o640)
    link.symlink_to(real)

    replace_file(link, b"new", is_synced=False)

    assert link.is_symlink()
    assert real.read_text() == "new"
    assert stat.S_IMODE(real.stat().st_mode) == 0o640


def test_a_new_file_has_the_permissions_that_any_has(tmp_path):
    (tmp_path / "any").write_text("")

    replace_file(tmp_path / "new", b"", is_synced=False)

    assert (tmp_path / "new").stat().st_mode == (tmp_path / "any").stat().st_mode


def test_a_pipe_is_written_to_and_not_replaced(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)

    replace_file(pipe, b"through", is_synced=False)

    assert os.read(reader, 100) == b"through"
    assert stat.S_ISFIFO(pipe.stat().st_mode)
    os.close(reader)


def test_papermills_own_places_are_left_to_papermill(tmp_path, monkeypatch):
    shelf = Shelf()
    handlers = [("shelf://", shelf), *iorw.papermill_io._handlers]
    monkeypatch.setattr(iorw.papermill_io, "_handlers", handlers)
    nb = notebook()

    target = target_of("shelf://a.ipynb")
    target.write(nb, "text", is_last=True)

    assert isinstance(target, PapermillTarget)
    assert not target.is_watched
    assert shelf.written == {"shelf://a.ipynb": "text"}
    assert isinstance(target_of(str(tmp_path / "a.ipynb")), LocalTarget)
    assert target_of(None) is None


def test_a_writer_put_in_the_place_of_papermills_is_called(tmp_path, monkeypatch):
    calls = []
    monkeypatch.setattr(engines, "write_ipynb", lambda *words: calls.append(words[1]))

    target = target_of("out.ipynb")
    target.write(notebook(), "text", is_last=False)

    assert target.is_watched
    assert calls == ["out.ipynb"]


def test_a_folder_that_does_not_exist_is_named_as_papermill_names_it(tmp_path):
    target = target_of(str(tmp_path / "none" / "out.ipynb"))

    with pytest.raises(FileNotFoundError, match=r"output folder .*none doesn't exist"):
        target.write(notebook(), "text", is_last=False)

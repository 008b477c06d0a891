"""Which files of a project a rerun finds."""

from __future__ import annotations

import os
from datetime import UTC, datetime

import pytest

from nbship.adapters.store import scratch
from nbship.adapters.store.scratch import Wanted, copy_folder, put_modules
from nbship.errors import JobError

BEGAN = datetime(2026, 11, 23, 9, tzinfo=UTC)


@pytest.fixture
def folder(tmp_path):
    source = tmp_path / "project"
    ages = {
        "in.ipynb": -10,
        "data/old.csv": -5,
        "data/read.csv": 5,
        "out/model.txt": 5,
        ".mlops/runs/x": -9,
        "env/pyvenv.cfg": -9,
        "env/lib/a.py": -9,
    }
    for name, age_s in ages.items():
        path = source / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
        moment = BEGAN.timestamp() + age_s
        os.utime(path, (moment, moment))
    return source


def files(folder):
    return {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()}


def test_what_a_job_wrote_is_left_out_and_what_it_read_is_not(folder, tmp_path):
    wanted = Wanted(until=BEGAN, always=frozenset({"data/read.csv"}))

    left_out = copy_folder(folder, tmp_path / "copy", wanted)

    assert left_out == ("out/model.txt",)
    assert files(tmp_path / "copy") == {"in.ipynb", "data/old.csv", "data/read.csv"}
    assert not (tmp_path / "copy" / "out").exists()


def test_without_a_time_all_is_copied_but_stores_and_environments(folder, tmp_path):
    assert copy_folder(folder, tmp_path / "copy", Wanted(until=None)) == ()
    assert files(tmp_path / "copy") == {
        "in.ipynb",
        "data/old.csv",
        "data/read.csv",
        "out/model.txt",
    }


def test_a_folder_that_is_too_large_is_refused(folder, tmp_path, monkeypatch):
    monkeypatch.setattr(scratch, "_MOST_FILES", 1)

    with pytest.raises(JobError, match="too large to copy"):
        copy_folder(folder, tmp_path / "copy", Wanted(until=None))


def test_modules_are_put_back_inside_the_project_only(tmp_path):
    (tmp_path / "modules").mkdir()
    (tmp_path / "modules" / "a").write_text("then")
    target = tmp_path / "copy"
    (target).mkdir()
    (target / "tool.py").write_text("now")
    copies = {"tool.py": "a", "../away.py": "a", str(tmp_path / "abs.py"): "a"}

    put_modules(tmp_path / "modules", target, copies)

    assert (target / "tool.py").read_text() == "then"
    assert files(tmp_path) == {"modules/a", "copy/tool.py"}

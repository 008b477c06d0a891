"""An interpreter is asked once, and again as soon as something in it has changed."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from nbship.adapters.probes import environment as probe


@pytest.fixture
def python(tmp_path, monkeypatch):
    """Make an environment with one distribution, and a cache folder of its own."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    place = tmp_path / "env"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", place], check=True)
    (site,) = place.glob("lib/python*/site-packages")
    install(site, "one", "1.0")
    age(site)
    return place / "bin" / "python", site


def install(site, name, version):
    folder = site / f"{name}-{version}.dist-info"
    folder.mkdir()
    (folder / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
    )
    (folder / "RECORD").write_text(f"{name}.py,,\n")


def age(site):
    for path in site.rglob("*"):
        os.utime(path, (1, 1))


@pytest.fixture
def questions(monkeypatch):
    asked = []
    ask = probe._ask
    monkeypatch.setattr(probe, "_ask", lambda python: asked.append(1) or ask(python))
    return asked


def versions(python):
    found = probe.probe_environment(str(python))
    return {package.name: package.version for package in found.packages}


def test_an_answer_holds_while_nothing_changes_also_for_other_processes(
    python, questions, monkeypatch
):
    interpreter, _ = python
    assert versions(interpreter) == {"one": "1.0"}
    assert versions(interpreter) == {"one": "1.0"}

    monkeypatch.setattr(probe, "_CACHE", probe.EnvironmentCache())

    assert versions(interpreter) == {"one": "1.0"}
    assert len(questions) == 1


def test_what_is_installed_edited_or_put_on_the_path_is_asked_for(
    python, questions, tmp_path
):
    interpreter, site = python
    before = probe.probe_environment(str(interpreter))
    install(site, "two", "2.0")
    assert versions(interpreter) == {"one": "1.0", "two": "2.0"}

    (site / "one-1.0.dist-info" / "RECORD").write_text("one.py,sha256=other,\n")
    edited = probe.probe_environment(str(interpreter))
    assert edited.packages[0].record_digest != before.packages[0].record_digest

    install(tmp_path, "three", "3.0")
    (site / "more.pth").write_text(f"{tmp_path}\n")
    assert versions(interpreter) == {"one": "1.0", "two": "2.0", "three": "3.0"}
    assert len(questions) == 4


def test_an_answer_is_not_kept_where_something_was_installed_meanwhile(
    python, questions, monkeypatch
):
    interpreter, _site = python
    monkeypatch.setattr(probe.time, "time_ns", lambda: 0)

    versions(interpreter)
    versions(interpreter)

    assert len(questions) == 2


def test_a_cache_folder_that_cannot_be_written_costs_only_time(
    python, monkeypatch, tmp_path
):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))

    assert versions(python[0]) == {"one": "1.0"}

"""How `make` picks a Python and makes its environment, on machines that lack one thing or another."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parents[2] / "binder" / "make-environment.sh"
TOOLS = ("sh", "cat", "cksum", "cut", "dirname", "find", "id", "env")
OLD = '#!/bin/sh\ncase "$1" in --version) echo "Python 3.9.1";; *) exit 1;; esac\n'
#: answers as Python 3.12 that has no venv module
WITHOUT_VENV = """#!/bin/sh
case "$2" in *version_info*"3.12"*) exit 0;; *) exit 1;; esac
"""
UV = '#!/bin/sh\necho "uv $*" >> "$UV_CALLS"\nexit 7\n'


@pytest.fixture
def machine(tmp_path):
    tools = tmp_path / "bin"
    tools.mkdir()
    for name in TOOLS:
        found = shutil.which(name)
        assert found, name
        (tools / name).symlink_to(found)
    return tools


def _program(machine, name, text):
    (machine / name).write_text(text)
    (machine / name).chmod(0o755)


#: answers whatever pip or the check of the panel asks, and writes down what is installed
PYTHON = '#!/bin/sh\necho "$*" >> "$UV_CALLS"\n'


def _make(machine, folder, *groups):
    environ = {"PATH": str(machine), "UV_CALLS": str(machine / "calls")}
    return subprocess.run(
        ["sh", str(SCRIPT), str(folder), *(groups or ("dev",))],
        env=environ,
        capture_output=True,
        text=True,
        check=False,
    )


def test_too_old_a_python_is_named(machine, tmp_path):
    _program(machine, "python3", OLD)

    done = _make(machine, tmp_path / "venv")

    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == (
        "nbship: Python 3.11, 3.12 or 3.13 was expected, found Python 3.9.1:"
        " install one of them or uv, then run make again"
    )
    assert not (tmp_path / "venv").exists()


def test_a_machine_without_python_is_told_so(machine, tmp_path):
    done = _make(machine, tmp_path / "venv")

    assert done.returncode == 1
    assert "found no Python" in done.stderr


def test_a_python_without_venv_asks_for_it_in_one_line(machine, tmp_path):
    _program(machine, "python3.12", WITHOUT_VENV)

    done = _make(machine, tmp_path / "venv")

    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == (
        f"nbship: {machine}/python3.12 has no venv module: install python3-venv or uv, then run make again"
    )


def test_uv_is_used_where_venv_is_missing(machine, tmp_path):
    _program(machine, "python3.12", WITHOUT_VENV)
    _program(machine, "uv", UV)

    done = _make(machine, tmp_path / "venv")

    assert done.returncode == 7
    assert (machine / "calls").read_text().split() == [
        "uv",
        "venv",
        "--quiet",
        "--seed",
        "--clear",
        "--python",
        f"{machine}/python3.12",
        str(tmp_path / "venv"),
    ]


def test_the_newest_tested_python_is_picked_and_a_shim_that_does_not_run_is_passed_by(
    machine, tmp_path
):
    _program(machine, "python3.13", '#!/bin/sh\necho "not installed" >&2\nexit 127\n')
    _program(machine, "python3.12", WITHOUT_VENV)
    _program(machine, "python3", OLD)

    assert "python3.12 has no venv module" in _make(machine, tmp_path / "venv").stderr


def test_a_further_group_is_installed_once_and_those_before_it_stay(machine, tmp_path):
    folder = tmp_path / "venv"
    (folder / "bin").mkdir(parents=True)
    _program(folder / "bin", "python", PYTHON)

    told = [
        _make(machine, folder, *groups).stderr
        for groups in (["dev"], ["dev"], ["dev", "torch"], ["dev"], ["dev", "torch"])
    ]

    words = "nbship: installing nbship with groups: {} (minutes, the first time)\n"
    assert told == [words.format("dev"), "", words.format("torch"), "", ""]
    calls = (machine / "calls").read_text()
    assert calls.count("pyproject.toml:dev") == 1
    assert calls.count("pyproject.toml:torch") == 1


def test_the_tests_run_on_a_python_that_make_would_pick():
    versions = SCRIPT.read_text().partition('TESTED="')[2].partition('"')[0].split()

    assert f"{sys.version_info.major}.{sys.version_info.minor}" in versions

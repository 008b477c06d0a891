"""Repositories, interpreters, accelerators, names for trackers."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nbship.adapters.probes.environment import probe_environment
from nbship.adapters.probes.git import git_state, without_credentials
from nbship.adapters.trackers.naming import mlflow_name, original_name
from nbship.errors import KernelError
from nbship.records.environment import GitState
from nbship.records.locks import lock_of
from support.tools import need_tool


@pytest.fixture
def repository(tmp_path):
    need_tool("git")
    git("init", "-q", "-b", "main", cwd=tmp_path)
    (tmp_path / "a.txt").write_text("a")
    return tmp_path


def git(*words, cwd):
    identity = ["-c", "user.name=a", "-c", "user.email=a@b"]
    subprocess.run(["git", *identity, *words], cwd=cwd, check=True)


def test_a_folder_without_repository_has_no_state(tmp_path):
    assert git_state(tmp_path) is None


def test_a_repository_before_its_first_commit_has_a_branch(repository):
    assert git_state(repository) == GitState(commit="", branch="main", is_dirty=True)


def test_only_changes_that_are_not_ours_make_a_repository_dirty(repository):
    git("add", ".", cwd=repository)
    git("commit", "-qm", "a", cwd=repository)
    (repository / ".mlops").mkdir()
    (repository / ".mlops" / "x").write_text("x")
    state = git_state(repository)
    assert (len(state.commit), state.is_dirty) == (40, False)
    (repository / "a.txt").write_text("b")
    assert git_state(repository).is_dirty


def test_a_detached_head_has_a_commit_and_no_branch(repository):
    git("add", ".", cwd=repository)
    git("commit", "-qm", "a", cwd=repository)
    git("checkout", "-q", "--detach", cwd=repository)
    state = git_state(repository)
    assert (state.branch, len(state.commit), state.is_dirty) == ("", 40, False)


@pytest.mark.parametrize(
    ("url", "clean"),
    [
        ("https://me:secret@example.org/a/b.git", "https://example.org/a/b.git"),
        ("https://token@example.org:8443/a", "https://example.org:8443/a"),
        ("ssh://git@example.org/a", "ssh://example.org/a"),
        ("git@example.org:a/b.git", "example.org:a/b.git"),
        ("/srv/a@b", "/srv/a@b"),
        ("", ""),
    ],
)
def test_remotes_lose_user_and_password(url, clean):
    assert without_credentials(url) == clean


def test_an_interpreter_tells_its_packages_from_outside():
    environment = probe_environment(sys.executable)
    assert environment.executable == sys.executable
    lock = lock_of(environment)
    assert lock.python_version == environment.python_version
    assert len(lock.packages["ipykernel"]["record_digest"]) == 64
    assert list(lock.packages) == sorted(lock.packages)


def test_an_interpreter_that_is_missing_is_named(tmp_path):
    with pytest.raises(KernelError, match="no-python"):
        probe_environment(str(tmp_path / "no-python"))


def test_an_interpreter_that_fails_says_why(tmp_path):
    broken = tmp_path / "python"
    broken.write_text("#!/bin/sh\necho broken library >&2\nexit 1\n")
    broken.chmod(0o755)
    with pytest.raises(KernelError, match="broken library"):
        probe_environment(str(broken))


@given(st.text(min_size=1).filter(lambda name: "\0" not in name))
def test_names_for_mlflow_come_back(name):
    assert original_name(mlflow_name(name)) == name


@pytest.mark.parametrize(
    ("name", "coded"),
    [
        ("val/loss", "val/loss"),
        ("acc@5", "acc:40:5"),
        ("a:b", "a:3a:b"),
        ("../up", ":2e::2e::2f:up"),
        ("Größe [m]", "Größe :5b:m:5d:"),
    ],
)
def test_mlflow_takes_every_coded_name(name, coded):
    from mlflow.utils.validation import _validate_metric_name

    assert mlflow_name(name) == coded
    _validate_metric_name(coded)

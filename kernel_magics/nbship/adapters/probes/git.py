"""The git repository that a folder lies in."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import PurePosixPath
from typing import TYPE_CHECKING
from urllib.parse import urlsplit, urlunsplit

from nbship.records.capsule import GitChanges
from nbship.records.environment import GitState

if TYPE_CHECKING:
    from pathlib import Path

_TIMEOUT_S = 30
#: with settings that a user's own cannot change
_DIFF = ("diff", "--binary", "--no-color", "--no-ext-diff", "--no-textconv", "HEAD")
_MOST_NAMES = 1000
#: set where git itself started us; they would win over the folder
_FROM_A_HOOK = {"GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX"}
_SCP_FORM = re.compile(r"[^/@:]+@(?P<rest>[^/:]+:.*)")


def git_state(folder: Path) -> GitState | None:
    """Return commit, branch, dirty state and remote; None without git or a repository.

    Untracked files make a repository dirty, a store of ours does not.
    """
    program = shutil.which("git")
    found = None if program is None else _state(program, folder)
    return None if found is None else found[0]


def git_changes(folder: Path) -> GitChanges | None:
    """Return the state of a repository, and what is not committed; None without one."""
    program = shutil.which("git")
    found = None if program is None else _state(program, folder)
    if program is None or found is None:
        return None
    state, changes = found
    known = [line for line in changes if not line.startswith("?")]
    names = tuple(line[2:].strip('"') for line in changes if line.startswith("?"))
    remarks = []
    patch: str | None = ""
    if known and not state.commit:
        remarks.append("no patch: there is no commit yet")
    elif known:
        patch = _git(program, folder, *_DIFF)
        remarks += ["no patch: git did not give one"] if patch is None else []
    if len(names) > _MOST_NAMES:
        remarks.append(f"{len(names) - _MOST_NAMES} more files that git does not know")
    return GitChanges(
        state=state,
        patch=(patch or "").encode("utf-8", "surrogateescape"),
        untracked=names[:_MOST_NAMES],
        remarks=tuple(remarks),
    )


def _state(program: str, folder: Path) -> tuple[GitState, list[str]] | None:
    status = _git(
        program,
        folder,
        "status",
        "--porcelain=v2",
        "--branch",
        "--ignore-submodules=none",
    )
    if status is None:
        return None
    heads, changes = _read_status(status)
    remote = _git(program, folder, "config", "--get", "remote.origin.url") or ""
    commit, branch = heads.get("oid", ""), heads.get("head", "")
    state = GitState(
        commit="" if commit == "(initial)" else commit,
        branch="" if branch == "(detached)" else branch,
        is_dirty=bool(changes),
        remote_url=without_credentials(remote.strip()),
    )
    return state, changes


def without_credentials(url: str) -> str:
    """Drop user and password from a remote: ``https://me:secret@host/x`` is ``https://host/x``."""
    if "://" in url:
        parts = urlsplit(url)
        return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
    match = _SCP_FORM.fullmatch(url)
    return match["rest"] if match else url


def _read_status(text: str) -> tuple[dict[str, str], list[str]]:
    heads: dict[str, str] = {}
    changes = []
    for line in text.splitlines():
        if line.startswith("# branch."):
            key, _, value = line.removeprefix("# branch.").partition(" ")
            heads[key] = value
        elif not line.startswith("#") and not _is_ours(line):
            changes.append(line)
    return heads, changes


def _is_ours(line: str) -> bool:
    kind, _, name = line.partition(" ")
    return kind == "?" and ".mlops" in PurePosixPath(name.strip('"')).parts


def _git(program: str, folder: Path, *words: str) -> str | None:
    environ = {k: v for k, v in os.environ.items() if k not in _FROM_A_HOOK}
    environ |= {"GIT_OPTIONAL_LOCKS": "0", "LC_ALL": "C", "GIT_TERMINAL_PROMPT": "0"}
    try:
        done = subprocess.run(
            [program, "-c", "core.fsmonitor=false", *words],
            cwd=folder,
            env=environ,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_TIMEOUT_S,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.decode("utf-8", "surrogateescape")

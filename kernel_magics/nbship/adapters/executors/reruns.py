"""Attempts of a verification: one child process each, until it ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

from nbship import variables
from nbship.errors import store_errors

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_GRACE_S = 30.0
_LEFT_OUT = {
    variables.RUN_FOLDER,
    variables.NOTEBOOK,
    variables.STORE,
    "JPY_PARENT_PID",
}


def run_apart(
    attempt_folder: Path, *, project: Path, environ: Mapping[str, str]
) -> str:
    """Work on an attempt in a process of its own; return what it was, for a cause.

    Parameters
    ----------
    attempt_folder
        The attempt; ``log.txt`` in it takes what is printed.
    project
        The working folder.
    environ
        Variables beside those of this process.

    Raises
    ------
    StoreError
        If the log cannot be written.
    """
    kept = {key: value for key, value in os.environ.items() if key not in _LEFT_OUT}
    command = [sys.executable, "-m", "nbship.faces.cli", "exec", str(attempt_folder)]
    log = attempt_folder / "log.txt"
    with store_errors(log), log.open("ab") as file:
        child = subprocess.Popen(
            command,
            cwd=project,
            env={**kept, "PYTHONUNBUFFERED": "1", **environ},
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        child.wait()
    except BaseException:
        _stop(child)
        raise
    return f"the worker (process {child.pid})"


def _stop(child: subprocess.Popen[bytes]) -> None:
    child.send_signal(signal.SIGTERM)
    try:
        child.wait(_GRACE_S)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()

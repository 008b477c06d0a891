"""An environment made from a lock: every file comes with a hash that the lock names."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

from nbship.adapters.bundles.replay import find_python
from nbship.adapters.bundles.uv import index_variables, last_lines, run_uv
from nbship.errors import VerificationError
from nbship.release.lock_text import read_lock

if TYPE_CHECKING:
    from pathlib import Path

_VENV_TIMEOUT_S = 120
_INSTALL_TIMEOUT_S = 1800


def install_lock(
    requirements: Path, wheelhouse: Path, *, into: Path, python_version: str
) -> str:
    """Make an environment of a lock and its wheelhouse; return its interpreter.

    uv's cache and the wheelhouse are asked first, the package index only where they lack a
    file. Nothing is built, and nothing without one of the lock's hashes is installed.

    Parameters
    ----------
    requirements
        ``requirements.lock``.
    wheelhouse
        The wheels that no index has.
    into
        The folder of the environment; what lies there is removed.
    python_version
        Its interpreter has this minor version.

    Raises
    ------
    VerificationError
        If the lock holds more than pins, the Python version is missing, or a file of the lock
        cannot be had.
    """
    pins = read_lock(requirements.read_text("utf-8"))
    interpreter = find_python(python_version)
    shutil.rmtree(into, ignore_errors=True)
    words = ["venv", "--quiet", "--offline", "--no-python-downloads", "--no-config"]
    made = run_uv(
        [*words, "--python", interpreter, str(into)], timeout_s=_VENV_TIMEOUT_S
    )
    python = into / "bin" / "python"
    if made.code != 0:
        raise VerificationError(
            f"{into}: no environment could be made:\n{last_lines(made.errors)}",
            hint="Look at that folder and at the space on its file system.",
        )
    if not pins:
        return str(python)
    words = ["pip", "install", "--quiet", "--no-build", "--no-deps", "--require-hashes"]
    words += ["--python", str(python), "--requirements", str(requirements)]
    for place in (str(wheelhouse), *_own_links()):
        words += ["--find-links", place]
    ended = run_uv([*words, "--offline"], timeout_s=_INSTALL_TIMEOUT_S)
    if ended.code != 0:
        ended = run_uv(words, timeout_s=_INSTALL_TIMEOUT_S)
    if ended.code == 0:
        return str(python)
    raise VerificationError(
        f"{requirements}: the environment cannot be rebuilt:\n{last_lines(ended.errors)}",
        hint="Run it once with access to your package index; then no network is needed.",
    )


def _own_links() -> list[str]:
    """Return the user's own find-links, which an option would else put out of force."""
    text = index_variables().get("UV_FIND_LINKS") or os.environ.get("UV_FIND_LINKS", "")
    return [place for place in text.split(",") if place]

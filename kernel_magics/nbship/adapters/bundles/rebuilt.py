"""An environment made from a lock: every file comes with a hash that the lock names."""

from __future__ import annotations

import re
import shutil
from typing import TYPE_CHECKING

from nbship.adapters.bundles.replay import find_python
from nbship.adapters.bundles.uv import last_lines, run_uv
from nbship.errors import VerificationError
from nbship.records.environment import normalized_name
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
    placed = into / "requirements.txt"
    placed.write_text(placed_lock(requirements.read_text("utf-8"), wheelhouse), "utf-8")
    words += ["--python", str(python), "--requirements", str(placed)]
    ended = run_uv([*words, "--offline"], timeout_s=_INSTALL_TIMEOUT_S)
    if ended.code != 0:
        ended = run_uv(words, timeout_s=_INSTALL_TIMEOUT_S)
    if ended.code == 0:
        return str(python)
    raise VerificationError(
        f"{requirements}: the environment cannot be rebuilt:\n{last_lines(ended.errors)}",
        hint="Run it once with access to your package index; then no network is needed.",
    )


def placed_lock(lock: str, wheelhouse: Path) -> str:
    """Write a lock whose carried wheels are named by their places.

    An index may have a file of the same name and version; uv would take that one, find that
    its hash is another, and give up.
    """
    for wheel in sorted(wheelhouse.glob("*.whl")):
        name = normalized_name(wheel.name.partition("-")[0])
        place = f"{name} @ {wheel.resolve().as_uri()}"
        pinned = re.compile(rf"^{re.escape(name)}==\S+", re.MULTILINE)
        lock = pinned.sub(lambda _, place=place: place, lock)  # type: ignore[misc]
    return lock

"""The uv that is installed with nbship, with the package index that pip is set up for."""

from __future__ import annotations

import ast
import functools
import importlib.util
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from nbship.errors import ReleaseError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

#: variables by which somebody has told uv where packages come from
_OWN_VARIABLES = (
    "UV_CONFIG_FILE",
    "UV_DEFAULT_INDEX",
    "UV_EXTRA_INDEX_URL",
    "UV_FIND_LINKS",
    "UV_INDEX",
    "UV_INDEX_URL",
    "UV_NO_INDEX",
)
_OWN_FILES = (Path("~/.config/uv/uv.toml"), Path("/etc/uv/uv.toml"))
_PIP_TIMEOUT_S = 60


@dataclass(frozen=True, kw_only=True, slots=True)
class Ended:
    """How a program ended."""

    code: int
    output: str
    errors: str


def run_uv(words: Sequence[str], *, timeout_s: float, **environ: str) -> Ended:
    """Run uv in an empty folder, so that no project's settings are picked up.

    Parameters
    ----------
    words
        What uv is told.
    timeout_s
        Seconds that it may take.
    environ
        Variables besides those of this process.

    Raises
    ------
    ReleaseError
        If uv is not installed or takes longer than ``timeout_s``.
    """
    with tempfile.TemporaryDirectory(prefix="nbship-uv-") as folder:
        return run_program(
            [_uv(), "--color", "never", "--no-progress", *words],
            cwd=Path(folder),
            environ={**os.environ, **index_variables(), **environ},
            timeout_s=timeout_s,
        )


def run_program(
    words: Sequence[str], *, cwd: Path, environ: Mapping[str, str], timeout_s: float
) -> Ended:
    """Run a program to its end; with everything it started where it takes too long.

    Raises
    ------
    ReleaseError
        If it takes longer than ``timeout_s``.
    """
    process = subprocess.Popen(
        list(words),
        cwd=cwd,
        env=dict(environ),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
        start_new_session=True,
    )
    try:
        output, errors = process.communicate(timeout=timeout_s)
    except subprocess.TimeoutExpired as error:
        raise ReleaseError(
            f"{Path(words[0]).name} {words[1]}: not done after {timeout_s:g} s",
            hint="Try again when the machine is less busy.",
        ) from error
    finally:
        if process.returncode is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
    return Ended(code=process.returncode, output=output, errors=errors)


@functools.cache
def index_variables() -> Mapping[str, str]:
    """Translate pip's configuration into uv's variables; empty where uv has its own.

    The addresses travel in the environment: they may hold passwords, and stand neither in
    the list of processes nor in any lock.
    """
    if any(name in os.environ for name in _OWN_VARIABLES):
        return {}
    if any(path.expanduser().is_file() for path in _OWN_FILES):
        return {}
    return uv_variables(_pip_configuration())


def uv_variables(pip: Mapping[str, str]) -> dict[str, str]:
    """Map pip's options, such as ``index-url``, to uv's variables."""
    variables: dict[str, str] = {}
    if url := pip.get("index-url"):
        variables["UV_DEFAULT_INDEX"] = url
    if extra := pip.get("extra-index-url", "").split():
        # pip takes the best version of all indexes; uv would stop at the first that has one
        variables["UV_INDEX"] = " ".join(extra)
        variables["UV_INDEX_STRATEGY"] = "unsafe-best-match"
    if links := pip.get("find-links", "").split():
        variables["UV_FIND_LINKS"] = ",".join(links)
    if pip.get("no-index", "").lower() in {"1", "true", "yes", "on"}:
        variables["UV_NO_INDEX"] = "1"
    if hosts := pip.get("trusted-host", "").split():
        variables["UV_INSECURE_HOST"] = " ".join(hosts)
    if (certificates := pip.get("cert")) and "SSL_CERT_FILE" not in os.environ:
        variables["SSL_CERT_FILE"] = certificates
    return variables


def last_lines(errors: str, count: int = 12) -> str:
    """Return the end of what a program complained about."""
    return "\n".join(errors.strip().splitlines()[-count:])


def _pip_configuration() -> dict[str, str]:
    if importlib.util.find_spec("pip") is not None:
        pip = [sys.executable, "-m", "pip"]
    elif found := shutil.which("pip"):
        pip = [found]
    else:
        prefix = "PIP_"
        return {
            name.removeprefix(prefix).lower().replace("_", "-"): value
            for name, value in os.environ.items()
            if name.startswith(prefix)
        }
    words = [*pip, "config", "list", "--disable-pip-version-check"]
    ended = run_program(
        words, cwd=Path.cwd(), environ=os.environ, timeout_s=_PIP_TIMEOUT_S
    )
    options: dict[str, str] = {}
    for section in ("global.", "install.", ":env:."):
        for line in ended.output.splitlines():
            key, _, value = line.partition("=")
            if key.startswith(section) and value:
                options[key.removeprefix(section)] = str(ast.literal_eval(value))
    return options


def _uv() -> str:
    from uv import find_uv_bin

    try:
        return str(find_uv_bin())
    except FileNotFoundError as error:
        raise ReleaseError(
            f"uv is not installed: {error}", hint="pip install --force-reinstall uv"
        ) from error

"""The environment of an interpreter, asked from outside: it needs no nbship in it."""

from __future__ import annotations

import json
import subprocess
import time
from dataclasses import replace
from typing import Any

from nbship.adapters.probes.accelerators import accelerators
from nbship.adapters.probes.environment_cache import EnvironmentCache, cpus_here
from nbship.errors import KernelError
from nbship.records.environment import Environment, Package

_TIMEOUT_S = 120

#: runs in the interpreter that is probed, from Python 3.8 on, with its own PYTHONPATH and
#: user site, since a kernel has them too; only the current folder is left out
_SCRIPT = """
import sys
sys.path[:] = [p for p in sys.path if p]
import hashlib, json, platform
from importlib import metadata
paths, packages = list(sys.path), {}
for found in metadata.distributions():
    name = found.metadata["Name"]
    if not name or name.lower() in packages:
        continue
    record = found.read_text("RECORD")
    digest = hashlib.sha256(record.encode("utf-8", "surrogateescape")).hexdigest() if record else ""
    packages[name.lower()] = {"name": name, "version": found.version or "", "record_digest": digest}
sys.stdout.write("\\n" + json.dumps({
    "python_version": platform.python_version(),
    "implementation": platform.python_implementation(),
    "executable": sys.executable,
    "platform": platform.platform(),
    "machine": platform.machine(),
    "paths": paths,
    "packages": [packages[key] for key in sorted(packages)],
}) + "\\n")
"""


_CACHE = EnvironmentCache()


def probe_environment(python: str) -> Environment:
    """Tell what an interpreter is and what is installed in it.

    It is asked once; as long as its distributions, their ``RECORD`` files and the variables
    that it reads stay as they were, its answer is taken from memory or the user's cache folder.

    Parameters
    ----------
    python
        The interpreter's path, such as the first word of a kernel's command.

    Raises
    ------
    KernelError
        If the interpreter is missing, fails, or takes longer than two minutes.
    """
    known = _CACHE.recall(python)
    if known is None:
        asked_at_ns = time.time_ns()
        answer = _ask(python)
        paths = answer.pop("paths")
        packages = tuple(Package(**package) for package in answer.pop("packages"))
        known = Environment(packages=packages, cpus=cpus_here(), **answer)
        _CACHE.keep(python, known, paths, asked_at_ns=asked_at_ns)
    return replace(known, cpus=cpus_here(), accelerators=accelerators())


def _ask(python: str) -> dict[str, Any]:
    try:
        done = subprocess.run(
            [python, "-c", _SCRIPT],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_TIMEOUT_S,
            check=True,
        )
        answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    except (OSError, subprocess.SubprocessError, ValueError, IndexError) as error:
        raise KernelError(
            f"{python}: its environment cannot be read: {_reason(error)}",
            hint="Start that interpreter by hand; it must be Python 3.8 or newer.",
        ) from error
    return answer


def _reason(error: Exception) -> str:
    if isinstance(error, subprocess.CalledProcessError) and error.stderr:
        return str(error.stderr.decode(errors="replace").strip().splitlines()[-1])
    return str(error)

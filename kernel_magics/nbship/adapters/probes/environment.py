"""The environment of an interpreter, asked from outside: it needs no nbship in it."""

from __future__ import annotations

import json
import subprocess
import time
from dataclasses import replace
from typing import Any

from nbship.adapters.probes.accelerators import accelerators
from nbship.adapters.probes.environment_cache import EnvironmentCache, cpus_here
from nbship.adapters.probes.machine import cpu_model, memory_gib
from nbship.adapters.probes.sources import with_source_digest
from nbship.errors import KernelError
from nbship.records.environment import Environment, Package

_TIMEOUT_S = 120

#: runs in the interpreter that is probed, from Python 3.8 on, with its own PYTHONPATH and
#: user site, since a kernel has them too; only the current folder is left out
_SCRIPT = """
import sys
sys.path[:] = [p for p in sys.path if p]
import csv, hashlib, json, os, platform
from importlib import metadata
paths, packages = list(sys.path), {}
OWN = ("INSTALLER", "RECORD", "REQUESTED", "direct_url.json", "uv_build.json", "uv_cache.json")
def content(record):
    rows = sorted((row[0], row[1]) for row in csv.reader(record.splitlines()) if len(row) > 1
        and not row[0].endswith(".pyc") and not row[0].startswith(("../", "/"))
        and not (".dist-info/" in row[0] and row[0].rpartition("/")[2] in OWN))
    return hashlib.sha256(json.dumps(rows).encode()).hexdigest()
def source(found, record):
    url = json.loads(found.read_text("direct_url.json") or "{}")
    if not (url.get("dir_info") or {}).get("editable"):
        return []
    folders = []
    for row in csv.reader(record.splitlines()):
        if row and row[0].endswith(".pth"):
            with open(str(found.locate_file(row[0])), encoding="utf-8", errors="replace") as file:
                folders += [line.strip() for line in file if os.path.isdir(line.strip())]
    if not folders and url.get("url", "").startswith("file://"):
        from urllib.request import url2pathname
        folders = [url2pathname(url["url"][7:])]
    return [imported_from(folder) for folder in folders]
def imported_from(folder):
    for name in sorted(os.listdir(folder)):
        if os.path.isfile(os.path.join(folder, name, "__init__.py")):
            for path in sys.path:  # PYTHONPATH goes before an editable installation
                if os.path.isfile(os.path.join(path, name, "__init__.py")):
                    return path
    return folder
for found in metadata.distributions():
    name = found.metadata["Name"]
    if not name or name.lower() in packages:
        continue
    record = found.read_text("RECORD")
    digest = hashlib.sha256(record.encode("utf-8", "surrogateescape")).hexdigest() if record else ""
    packages[name.lower()] = {
        "name": name, "version": found.version or "", "record_digest": digest,
        "content_digest": content(record) if record else "",
        "source_folders": source(found, record) if record else [],
    }
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
        packages = tuple(_package(package) for package in answer.pop("packages"))
        known = Environment(packages=packages, cpus=cpus_here(), **answer)
        _CACHE.keep(python, known, paths, asked_at_ns=asked_at_ns)
    return replace(
        known,
        cpus=cpus_here(),
        cpu_model=cpu_model(),
        memory_gib=memory_gib(),
        accelerators=accelerators(),
        packages=tuple(with_source_digest(package) for package in known.packages),
    )


def _package(answer: dict[str, Any]) -> Package:
    return Package(**{**answer, "source_folders": tuple(answer["source_folders"])})


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

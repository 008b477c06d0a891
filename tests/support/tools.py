"""System programs that some tests need."""

from __future__ import annotations

import importlib.util
import os
import shutil
from typing import NoReturn

import pytest


def need_tool(*names: str) -> str:
    """Return the path of the first of these programs that is there; else skip, under CI fail."""
    for name in names:
        path = shutil.which(name)
        if path:
            return path
    return lack(f"{' or '.join(names)} is not installed")


def need_module(name: str) -> None:
    """Go on where a library is installed; else skip, under CI fail."""
    if importlib.util.find_spec(name) is None:
        lack(f"{name} is not installed")


def lack(reason: str) -> NoReturn:
    """Skip a test with the reason; under CI fail it."""
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


def need_namespaces() -> None:
    """Go on where a user may mount in a namespace of its own; else skip, under CI fail."""
    import subprocess

    need_tool("unshare")
    done = subprocess.run(["unshare", "-rm", "true"], capture_output=True, check=False)
    if done.returncode == 0:
        return
    lack(f"no user namespaces here: {done.stderr.decode().strip()}")

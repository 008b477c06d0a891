"""Kernels that are installed here, and the interpreters they run on."""

from __future__ import annotations

import re
import shutil
import sys
from dataclasses import dataclass

from nbship.errors import KernelError

_PYTHON = re.compile(r"(python|pypy)[0-9.]*(\.exe)?")


@dataclass(frozen=True, kw_only=True, slots=True)
class Kernel:
    """One installed kernel."""

    name: str
    language: str
    #: its interpreter's path; None where it is no Python, or started by another program
    python: str | None


def find_kernel(name: str) -> Kernel:
    """Return the kernel of that name.

    Raises
    ------
    KernelError
        If it is not installed; those that are, are named.
    """
    from jupyter_client.kernelspec import KernelSpecManager, NoSuchKernel

    manager = KernelSpecManager()
    try:
        spec = manager.get_kernel_spec(name)
    except (NoSuchKernel, OSError, ValueError) as error:
        known = ", ".join(sorted(manager.find_kernel_specs())) or "none"
        raise KernelError(
            f"no kernel {name!r} is installed; there are: {known}",
            hint="Name one of these with --kernel, or install it with"
            " `python -m ipykernel install --user --name NAME`.",
        ) from error
    return Kernel(name=name, language=spec.language, python=_interpreter(spec.argv))


def _interpreter(argv: list[str]) -> str | None:
    """Return the program that a kernel's command starts, as jupyter_client finds it."""
    if not argv or not _PYTHON.fullmatch(argv[0].replace("\\", "/").rpartition("/")[2]):
        return None
    version = sys.version_info
    own = {
        "python",
        f"python{version[0]}",
        f"python{version[0]}.{version[1]}",
    }
    return sys.executable if argv[0] in own else shutil.which(argv[0])

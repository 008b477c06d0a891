"""Find the file of the notebook that a kernel serves."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nbship import variables

if TYPE_CHECKING:
    from collections.abc import Mapping


def notebook_path(namespace: Mapping[str, Any]) -> Path | None:
    """Return the notebook's path, None where the kernel is not told.

    VS Code names it in the namespace, our engine in ``MLOPS_NOTEBOOK``, Jupyter in
    ``JPY_SESSION_NAME``: that one is set when the kernel starts and may be an id, so that it
    counts only while it names an existing notebook.

    Parameters
    ----------
    namespace
        The kernel's names.
    """
    named = (
        namespace.get("__vsc_ipynb_file__"),
        os.environ.get(variables.NOTEBOOK),
        os.environ.get("JPY_SESSION_NAME"),
        namespace.get("__session__"),
    )
    for name in named:
        if isinstance(name, str) and name.endswith(".ipynb"):
            path = Path(name).absolute()
            if path.is_file():
                return path
    return None

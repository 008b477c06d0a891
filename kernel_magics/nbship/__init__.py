"""nbship takes a notebook from Design to Test to Production.

``%load_ext nbship`` gives the ``%mlops`` magics; the names below serve plain Python.
Nothing heavy is imported here: the names are loaded when they are first used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nbship.version import __version__

if TYPE_CHECKING:
    from nbship.errors import NbshipError
    from nbship.faces.notebook import (
        golden,
        load_ipython_extension,
        log,
        resource,
        unload_ipython_extension,
    )

__all__ = [
    "NbshipError",
    "__version__",
    "golden",
    "load_ipython_extension",
    "log",
    "resource",
    "unload_ipython_extension",
]

_HOMES = {
    "NbshipError": "nbship.errors",
    "golden": "nbship.faces.notebook",
    "load_ipython_extension": "nbship.faces.notebook",
    "log": "nbship.faces.notebook",
    "resource": "nbship.faces.notebook",
    "unload_ipython_extension": "nbship.faces.notebook",
}


def __getattr__(name: str) -> Any:  # noqa: ANN401  # a module's attribute is anything
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'nbship' has no attribute {name!r}")
    from importlib import import_module  # only when a name is used

    return getattr(import_module(home), name)


def _jupyter_labextension_paths() -> list[dict[str, str]]:
    """Tell ``jupyter-builder develop`` where the front end lies in a checkout."""
    return [{"src": "../../extension/labextension", "dest": "nbship-lab"}]

"""Modules of this process that are files beside the notebook, and their source."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from nbship.errors import ExportError
from nbship.release.vendoring import LocalFile

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from nbship.release.pins import Installed

_INSTALLED_FOLDERS = {"site-packages", "dist-packages"}
_OURS = {"nbship", "nbship_lab"}


class LocalModules:
    """Tells modules beside the notebook from those that a distribution offers.

    Parameters
    ----------
    installed
        Looks up the distributions of import names.
    """

    def __init__(self, installed: Callable[[Iterable[str]], Installed]) -> None:
        self._installed = installed
        self._known: dict[str, bool] = {}

    def is_local(self, root: str) -> bool:
        """Tell whether a top-level module is a file or folder that nothing installed."""
        if root not in self._known:
            self._known[root] = _is_outside(root) and not self._installed(
                (root,)
            ).providers.get(root)
        return self._known[root]

    @staticmethod
    def find_source(name: str) -> LocalFile | None:
        """Read a module's file; None where it is a folder without one, or no module.

        Raises
        ------
        ExportError
            If the file cannot be read as text, or is compiled.
        """
        try:
            spec = importlib.util.find_spec(name)
        except (ImportError, ValueError, AttributeError):
            return None
        if spec is None or spec.origin is None or not spec.has_location:
            return None
        path = Path(spec.origin)
        try:
            text = importlib.util.decode_source(path.read_bytes())
        except (OSError, SyntaxError, UnicodeDecodeError) as error:
            raise ExportError(
                f"{path}: the module {name} beside the notebook cannot be taken along: "
                f"{error}",
                hint="Publish it as a distribution and install it.",
                hazard="local-module",
                name=name,
            ) from error
        is_package = spec.submodule_search_locations is not None
        return LocalFile(name=name, text=text, is_package=is_package, path=str(path))


def _is_outside(root: str) -> bool:
    if not root or root in sys.stdlib_module_names or root in _OURS:
        return False
    module = sys.modules.get(root)
    place = getattr(module, "__file__", None)
    if place is None:
        place = next(iter(getattr(module, "__path__", ())), None)
    return place is not None and not _INSTALLED_FOLDERS & set(Path(place).parts)

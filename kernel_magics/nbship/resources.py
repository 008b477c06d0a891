"""Where the templates lie: the checkout's ``templates/``, else the package's own copy."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from types import ModuleType

_CHECKOUT = Path(__file__).resolve().parents[2] / "templates"
_INSTALLED = Path(__file__).resolve().parent / "_templates"


def template_folder(name: str) -> Path:
    """Return the folder of templates of that name, such as ``report``.

    Raises
    ------
    FileNotFoundError
        If neither the checkout nor the package holds it: a broken installation.
    """
    for root in (_INSTALLED, _CHECKOUT):
        if (root / name).is_dir():
            return root / name
    raise FileNotFoundError(
        f"nbship's templates lack {name!r} in {_INSTALLED} and {_CHECKOUT}"
    )


def shipped_module(name: str) -> ModuleType:
    """Import a module that ships inside exported packages, such as ``_values``.

    Its package, ``templates/package``, has no place on the path of modules: it is known
    here as ``nbship_shipped``.

    Raises
    ------
    FileNotFoundError
        If the templates lack it: a broken installation.
    """
    if "nbship_shipped" not in sys.modules:
        package = ModuleType("nbship_shipped")
        package.__path__ = [str(template_folder("package"))]
        sys.modules["nbship_shipped"] = package
    return importlib.import_module(f"nbship_shipped.{name}")

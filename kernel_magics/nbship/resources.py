"""Where the templates lie: the checkout's ``templates/``, else the package's own copy."""

from __future__ import annotations

from pathlib import Path

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

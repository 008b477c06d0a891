"""papermill's engine ``nbship``: ``papermill in.ipynb out.ipynb --engine nbship``.

papermill loads this module whenever it is imported itself, so that an error here would break
it: nothing is imported before a notebook is executed.
"""

from __future__ import annotations

import os
from typing import Any

from nbship.variables import PAPERMILL_DEFAULT


class NbshipEngine:
    """Executes notebooks as papermill's own engine does, and records a run.

    papermill asks its engines for three class methods and no base class.
    """

    @classmethod
    def execute_notebook(cls, nb: Any, kernel_name: str, **options: Any) -> Any:  # noqa: ANN401
        """Execute a notebook; papermill's own documentation names the options."""
        from nbship.faces.engine_execution import execute

        return execute(nb, kernel_name, **options)

    @classmethod
    def nb_kernel_name(cls, nb: Any, name: str | None = None) -> Any:  # noqa: ANN401
        """Return the kernel that a notebook names, unless one is given."""
        from papermill.utils import nb_kernel_name

        return nb_kernel_name(nb, name)

    @classmethod
    def nb_language(cls, nb: Any, language: str | None = None) -> Any:  # noqa: ANN401
        """Return the language that a notebook names, unless one is given."""
        from papermill.utils import nb_language

        return nb_language(nb, language)


def _become_default() -> None:
    """Take the place of papermill's own engine, for whoever names none."""
    from papermill.engines import papermill_engines

    for name in (None, "nbclient"):
        papermill_engines.register(name, NbshipEngine)


if os.environ.get(PAPERMILL_DEFAULT, "0") != "0":
    _become_default()

"""From a path in JupyterLab's file browser to the runs of the project around it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from nbship.errors import UsageError
from nbship.records.overview import Overview
from nbship.settings import find_project, read_settings
from nbship.workbench import Workbench
from nbship.workflow.overview import RunsOverview

if TYPE_CHECKING:
    from pathlib import Path


class Projects:
    """The projects below the server's root folder, and above it where it lies in one.

    Parameters
    ----------
    root
        The server's root folder, absolute.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._overviews: dict[Path, RunsOverview] = {}

    def overview(self, path: str, *, limit: int) -> Overview:
        """Look at the runs of the project that holds ``path``.

        Parameters
        ----------
        path
            Of a file or folder, relative to the server's root, with ``/``.
        limit
            Number of rows at most.

        Raises
        ------
        UsageError
            If the path leads out of the server's root.
        SettingsError
            If the project's settings cannot be read.
        """
        project = find_project(self._folder_of(path))
        if project is None:
            return Overview()
        workbench = Workbench(read_settings(project, environ=os.environ))
        known = self._overviews.setdefault(
            workbench.settings.store, RunsOverview(workbench.store)
        )
        return known.look(project=project.name, folder=self._name(project), limit=limit)

    def _folder_of(self, path: str) -> Path:
        place = (self._root / path.strip("/")).resolve()
        if not place.is_relative_to(self._root):
            raise UsageError(
                f"{path!r} lies outside of the server's folder",
                hint="Ask for a path below it.",
            )
        return place if place.is_dir() else place.parent

    def _name(self, project: Path) -> str | None:
        if not project.is_relative_to(self._root):
            return None
        name = project.relative_to(self._root).as_posix()
        return "" if name == "." else name

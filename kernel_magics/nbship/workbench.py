"""The composition root: settings in, ports wired to adapters out.

Nothing else picks an adapter. Each port is made when it is first asked for, so that a verb
pays only for what it uses.
"""

from __future__ import annotations

import os
import sys
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nbship.records.ids import make_id
from nbship.settings import Settings, find_project, read_settings

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nbship.adapters.store.files import FileStore
    from nbship.ports import Clock


class Workbench:
    """Settings and the ports they wire.

    Parameters
    ----------
    settings
        The settings of one project.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    @classmethod
    def open(
        cls, start: Path | None = None, *, call: Mapping[str, Any] | None = None
    ) -> Workbench:
        """Open the project that ``start`` lies in: the nearest ancestor with settings or a store.

        Where there is none, the store is made in ``start``, and stderr says so.
        """
        start = (start or Path.cwd()).resolve()
        project = find_project(start)
        if project is None:
            project = start
            print(  # noqa: T201  # the promise of DESIGN: said on stderr
                f"nbship: no project above {start}; the store is {start / '.mlops'} (`mlops init` makes a project)",
                file=sys.stderr,
            )
        return cls(read_settings(project, environ=os.environ, call=call))

    @cached_property
    def clock(self) -> Clock:
        """Time and identity."""
        from nbship.adapters.probes.clock import SystemClock

        return SystemClock()

    @cached_property
    def store(self) -> FileStore:
        """``.mlops/`` of the project."""
        from nbship.adapters.store.files import FileStore

        return FileStore(self.settings.store)

    def new_id(self, kind: str) -> str:
        """Make an id of that kind, now."""
        return make_id(kind, at=self.clock.now(), entropy=self.clock.entropy())

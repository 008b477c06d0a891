"""The REST routes; each needs a signed-in user who is authorized for ``nbship``."""

from __future__ import annotations

import asyncio
import json
from http import HTTPStatus
from typing import TYPE_CHECKING

from jupyter_server.auth.decorator import authorized
from jupyter_server.base.handlers import APIHandler
from jupyter_server.extension.handler import ExtensionHandlerMixin
from tornado.web import authenticated

from nbship.errors import NbshipError, UsageError
from nbship.records.codec import to_json
from nbship.workflow.overview import ROW_LIMIT

if TYPE_CHECKING:
    from nbship_lab.project import Projects

_MOST_ROWS = 2000


class RunsHandler(ExtensionHandlerMixin, APIHandler):
    """``GET /nbship/runs?path=…&limit=…``: the newest runs of a project."""

    auth_resource = "nbship"

    @authenticated
    @authorized
    async def get(self) -> None:
        """Answer with an ``Overview`` as JSON, or with why there is none."""
        projects: Projects = self.settings["nbship_projects"]
        path = self.get_query_argument("path", "")
        try:
            limit = row_limit(self.get_query_argument("limit", str(ROW_LIMIT)))
            overview = await asyncio.to_thread(projects.overview, path, limit=limit)
        except NbshipError as error:
            self.set_status(HTTPStatus.BAD_REQUEST)
            self.finish(json.dumps({"message": error.message, "hint": error.hint}))
            return
        self.finish(json.dumps(to_json(overview), allow_nan=False))


def row_limit(text: str) -> int:
    """Read the number of rows that is asked for.

    Raises
    ------
    UsageError
        If it is no whole number from 1 to 2000.
    """
    if not text.isdecimal() or not 1 <= int(text) <= _MOST_ROWS:
        raise UsageError(
            f"limit is {text!r} where 1 to {_MOST_ROWS} was expected",
            hint="Ask for a number of rows in that range.",
        )
    return int(text)

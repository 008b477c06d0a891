"""The REST routes; each needs a signed-in user who is authorized for ``nbship``."""

from __future__ import annotations

import asyncio
import json
from http import HTTPStatus
from typing import TYPE_CHECKING

from jupyter_server.auth.decorator import authorized
from jupyter_server.base.handlers import APIHandler
from jupyter_server.extension.handler import ExtensionHandlerMixin
from tornado.web import HTTPError, authenticated

from nbship.errors import NbshipError
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
        """Answer with an ``Overview`` as JSON.

        Raises
        ------
        tornado.web.HTTPError
            If ``limit`` is no whole number from 1 to 2000.
        """
        text = self.get_query_argument("limit", str(ROW_LIMIT))
        if not text.isdecimal() or not 1 <= int(text) <= _MOST_ROWS:
            raise HTTPError(
                HTTPStatus.BAD_REQUEST,
                reason=f"limit: a whole number from 1 to {_MOST_ROWS}",
            )
        projects: Projects = self.settings["nbship_projects"]
        path = self.get_query_argument("path", "")
        try:
            overview = await asyncio.to_thread(projects.overview, path, limit=int(text))
        except NbshipError as error:
            self.set_status(HTTPStatus.BAD_REQUEST)
            self.finish(json.dumps({"message": error.message, "hint": error.hint}))
            return
        self.finish(json.dumps(to_json(overview), allow_nan=False))

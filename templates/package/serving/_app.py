"""The ASGI application: routes, limits and answers; everything that a client can reach.

``POST /predict``, the Open Inference Protocol below ``/v2``, ``GET /openapi.json`` and
``GET /metrics``. Wrong input is answered with 4xx and names the field.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import time
from typing import TYPE_CHECKING, Any

import msgspec

from .. import _about, _cells
from ..answering import _tables
from ..batch import _batch
from . import _oip, _requests
from ._arguments import BAD_REQUEST, WrongInputError
from ._batching import BusyError
from ._limits import Deadlines
from ._messages import BYTES, HttpError, Request, Response, failure

if TYPE_CHECKING:
    from ..answering._contract import Contract
    from ._batching import Batcher
    from ._limits import Limits
    from ._logs import Log
    from ._metrics import Metrics

_TEXT = b"text/plain; version=0.0.4; charset=utf-8"
_NOT_FOUND, _NO_METHOD, _TIME_OUT, _TOO_LARGE, _NO_TYPE = 404, 405, 408, 413, 415
_FAILED, _BUSY, _LATE = 500, 503, 504
_CLOSE = ((b"connection", b"close"),)


class Application:
    """Answers over HTTP.

    Parameters
    ----------
    contract
        What the model takes and gives.
    metrics, log
        Where requests are counted and told.
    limits
        What is allowed.
    logs_all : bool
        Whether every request has a line, or only those that fail.
    """

    def __init__(
        self,
        contract: Contract,
        *,
        metrics: Metrics,
        log: Log,
        limits: Limits,
        logs_all: bool = True,
    ) -> None:
        self._contract = contract
        self._reader = _requests.JsonReader(contract)
        self._metrics = metrics
        self._log = log
        self._limits = limits
        self._logs_all = logs_all
        self._ids = itertools.count(1)
        self._prefix = os.urandom(6).hex().encode()
        self._deadlines = Deadlines(limits.timeout_s)
        #: asks the model; None until its golden cases have passed
        self.batcher: Batcher | None = None
        #: why it is not ready; "" where it is
        self.not_ready = "the golden cases are being replayed"
        self._routes = self._all_routes()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            return
        request = Request(scope["method"], scope["path"], time.monotonic())
        self._metrics.add("in_flight")
        try:
            response = await self._answer(request, scope["headers"], receive)
            await self._send(request, response, send)
        finally:
            self._metrics.add("in_flight", -1.0)

    async def _answer(self, request: Request, headers: Any, receive: Any) -> Response:
        try:
            request.read_headers(headers)
            if not request.id:
                request.id = b"%b-%d" % (self._prefix, next(self._ids))
            handler = self._handler(request)
            await self._read_body(request, receive)
            response: Response = await handler(request)
        except WrongInputError as error:
            return failure(
                error.status, str(error), path=error.field, problems=error.problems
            )
        except HttpError as error:
            return error.response
        except Exception as error:  # noqa: BLE001  # a fault of this application
            self._log.failure("fault", error, request_id=request.id.decode())
            return failure(_FAILED, "a fault of the server; its log has more")
        return response

    def _handler(self, request: Request) -> Any:
        methods = self._routes.get(request.path)
        if methods is None:
            raise HttpError(
                failure(
                    _NOT_FOUND,
                    f"{request.path}: not found; /openapi.json lists what is",
                )
            )
        handler = methods.get("GET" if request.method == "HEAD" else request.method)
        if handler is None:
            allowed = ", ".join(methods)
            raise HttpError(
                failure(
                    _NO_METHOD,
                    f"{request.method} where {allowed} was expected",
                    headers=((b"allow", allowed.encode()),),
                )
            )
        kind = request.content_type
        # what a page of another site can send unasked is among the types refused here
        is_known = kind in {b"", BYTES} or kind.endswith(b"json")
        if request.method == "POST" and not is_known:
            text = f"Content-Type {kind.decode('latin-1')} where application/json"
            raise HttpError(failure(_NO_TYPE, f"{text} was expected"))
        if request.encoding not in {b"", b"identity"}:
            text = f"Content-Encoding {request.encoding.decode('latin-1')} is not known"
            raise HttpError(failure(_NO_TYPE, text))
        return handler

    async def _read_body(self, request: Request, receive: Any) -> None:
        limit = self._limits.max_body_bytes
        if request.length is not None and request.length > limit:
            raise self._too_large()
        if request.method != "POST" or request.length == 0:
            return
        deadline = request.started + self._limits.timeout_s
        message = await _received(receive, deadline)
        body = message.get("body", b"")
        if message.get("more_body"):
            parts, size = [body], len(body)
            while message.get("more_body"):
                message = await _received(receive, deadline)
                parts.append(message.get("body", b""))
                size += len(parts[-1])
                if size > limit:
                    raise self._too_large()
            body = b"".join(parts)
        request.body = body

    def _too_large(self) -> HttpError:
        text = f"the body is larger than {self._limits.max_body_mib:g} MiB"
        return HttpError(failure(_TOO_LARGE, text, headers=_CLOSE))

    async def _ask(self, request: Request, rows: Any, count: int) -> Any:
        if self.batcher is None:
            raise HttpError(failure(_BUSY, f"not ready: {self.not_ready}"))
        request.rows = count
        try:
            future = self.batcher.ask(rows, count)
        except BusyError as error:
            headers = ((b"retry-after", b"1"),)
            raise HttpError(failure(_BUSY, str(error), headers=headers)) from error
        self._deadlines.watch(future, request.started)
        try:
            return await future
        except TimeoutError as error:
            text = f"no answer within {self._limits.timeout_s:g} s"
            raise HttpError(failure(_LATE, text)) from error
        except _tables.ColumnError as error:
            text = f"{error.field}: {error}"
            raise WrongInputError(text, field=error.field) from error
        except Exception as error:
            self._metrics.add("errors")
            self._log.failure("refused", error, request_id=request.id.decode())
            cell = _cells.place_of(error)
            text = f"predict refused it: {type(error).__name__}: {error}"
            raise WrongInputError(text + (f" ({cell})" if cell else "")) from error

    async def _predict(self, request: Request) -> Response:
        rows, count = self._reader.checked_rows(request.body)
        answer = await self._ask(request, rows, count)
        is_plain = getattr(getattr(answer, "dtype", None), "kind", "O") in "biufU"
        if is_plain and not hasattr(answer, "iloc"):
            values = answer.tolist()
        else:
            values = _batch.plain(answer)
        if not isinstance(values, list) or len(values) != count:
            values = [values]
        return Response(_requests.body_of(values, self._contract.version))

    async def _infer(self, request: Request) -> Response:
        asked, rest = _oip.read(request.body, request.json_length)
        rows, count = _oip.rows_of(
            asked, rest, contract=self._contract, reader=self._reader
        )
        answer = await self._ask(request, rows, count)
        body, length = _oip.response(
            answer, count, request=asked, contract=self._contract
        )
        if length is None:
            return Response(body)
        header = (_oip.HEADER, str(length).encode())
        return Response(body, content_type=BYTES, headers=[header])

    async def _ready(self, _request: Request) -> Response:
        is_stuck = self._metrics.is_stuck(time.monotonic(), self._limits.timeout_s)
        if not self.not_ready and not is_stuck and self._metrics.are_all_ready():
            return Response(b'{"ready":true}')
        text = "a call of the model does not end" if is_stuck else self.not_ready
        return failure(_BUSY, f"not ready: {text or 'another worker is not'}")

    async def _metrics_page(self, _request: Request) -> Response:
        contract = self._contract
        text = self._metrics.text(model=contract.name, version=contract.version)
        return Response(text.encode(), content_type=_TEXT)

    def _all_routes(self) -> dict[str, dict[str, Any]]:
        contract = self._contract
        model = f"/v2/models/{contract.name}"
        page = (_about.FOLDER / "openapi.json").read_bytes()
        server = msgspec.json.encode(_oip.server_metadata(contract))
        metadata = msgspec.json.encode(_oip.model_metadata(contract))
        routes: dict[str, dict[str, Any]] = {
            "/predict": {"POST": self._predict},
            "/openapi.json": {"GET": _always(page)},
            "/metrics": {"GET": self._metrics_page},
            "/v2": {"GET": _always(server)},
            "/v2/health/live": {"GET": _always(b'{"live":true}')},
            "/v2/health/ready": {"GET": self._ready},
        }
        for place in (model, f"{model}/versions/{contract.version}"):
            routes[place] = {"GET": _always(metadata)}
            routes[f"{place}/ready"] = {"GET": self._ready}
            routes[f"{place}/infer"] = {"POST": self._infer}
        return routes

    async def _send(self, request: Request, response: Response, send: Any) -> None:
        headers = [
            (b"content-type", response.content_type),
            (b"content-length", str(len(response.body)).encode()),
            (b"x-request-id", request.id),
            *response.headers,
        ]
        status = response.status
        start = {"type": "http.response.start", "status": status, "headers": headers}
        await send(start)
        await send({"type": "http.response.body", "body": response.body})
        seconds = time.monotonic() - request.started
        route = _route(request.path)
        self._metrics.answered(route, status, seconds)
        is_probe = request.path.endswith("/ready")
        if (status >= BAD_REQUEST and not is_probe) or (
            self._logs_all and route != "other"
        ):
            self._log.write(
                "request",
                level="info" if status < _FAILED else "error",
                request_id=request.id.decode(),
                method=request.method,
                path=request.path,
                status=status,
                rows=request.rows,
                duration_ms=round(seconds * 1000, 3),
            )


async def _received(receive: Any, deadline: float) -> dict[str, Any]:
    """Wait for the next part of a body.

    Raises
    ------
    HttpError
        If it does not arrive in time, or the client is gone.
    """
    try:
        async with asyncio.timeout(max(deadline - time.monotonic(), 0.0)):
            message: dict[str, Any] = await receive()
    except TimeoutError as error:
        text = "the body did not arrive in time"
        raise HttpError(failure(_TIME_OUT, text, headers=_CLOSE)) from error
    if message["type"] == "http.disconnect":
        raise HttpError(failure(BAD_REQUEST, "the body ended early"))
    return message


def _always(body: bytes) -> Any:
    async def answer(_request: Request) -> Response:
        return Response(body)

    return answer


def _route(path: str) -> str:
    if path == "/predict":
        return "predict"
    return "infer" if path.endswith("/infer") else "other"

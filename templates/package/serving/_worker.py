"""One worker: an event loop that answers, and the replay that makes it ready."""

from __future__ import annotations

import asyncio
import gc
import signal
import sys
from typing import TYPE_CHECKING, Any

import uvicorn

from .. import _about
from ..answering import _paths
from ..parity import _replay
from ._app import Application
from ._batching import Batcher

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

    from ..answering._contract import Contract
    from ._logs import Log
    from ._metrics import Metrics
    from ._serve import Options

#: golden cases that are replayed before a worker is ready
_CASES = 20
#: so that a long call in the thread beside it does not hold up the event loop
_SWITCH_S = 0.0005


def run(  # noqa: PLR0913  # what the parent made, one by one
    one: socket.socket,
    *,
    number: int,
    predict: Callable[..., Any],
    contract: Contract,
    metrics: Metrics,
    options: Options,
    log: Log,
) -> None:
    """Answer on a socket until SIGTERM."""
    metrics.take(number)
    log.take_over()
    sys.setswitchinterval(_SWITCH_S)
    # the loop of uvicorn takes the signals over; what it raises again at its end ends nothing
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: None)
    try:
        with asyncio.Runner(loop_factory=_loop_factory()) as runner:
            runner.run(_serve(one, predict, contract, metrics, options, log))
    finally:
        metrics.clear(number)
        log.flush()


async def _serve(  # noqa: PLR0913, PLR0917
    one: socket.socket,
    predict: Callable[..., Any],
    contract: Contract,
    metrics: Metrics,
    options: Options,
    log: Log,
) -> None:
    loop = asyncio.get_running_loop()
    log.collect(loop)
    limits = options.limits
    app = Application(
        contract, metrics=metrics, log=log, limits=limits, logs_all=options.logs_all
    )
    config = uvicorn.Config(
        app,
        interface="asgi3",
        lifespan="off",
        http="httptools",
        ws="none",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        date_header=True,
        limit_concurrency=limits.max_connections,
        timeout_keep_alive=75,
        timeout_graceful_shutdown=int(limits.timeout_s) + 1,
    )
    server = _Server(config, app, metrics, limits.drain_s)
    begin = asyncio.create_task(_begin(app, predict, contract, metrics, options, log))
    await server.serve(sockets=[one])
    begin.cancel()
    if app.batcher is not None:
        app.batcher.close()
    log.write("worker_ended", exit_code=0)


async def _begin(  # noqa: PLR0913, PLR0917
    app: Application,
    predict: Callable[..., Any],
    contract: Contract,
    metrics: Metrics,
    options: Options,
    log: Log,
) -> None:
    """Replay golden cases, choose what answers, and be ready."""
    try:
        failed = await asyncio.to_thread(_failures, predict)
        chosen = await asyncio.to_thread(
            _paths.choose, predict, contract, only_author=options.only_author
        )
    except Exception as error:  # noqa: BLE001  # the author's code may raise anything
        app.not_ready = f"the golden cases cannot be replayed: {error}"
        log.failure("not_ready", error)
        return
    if failed:
        app.not_ready = failed[0]
        log.write("not_ready", level="error", differences=failed)
        return
    limits = options.limits
    app.batcher = Batcher(
        chosen,
        metrics=metrics,
        max_rows=limits.max_batch_rows,
        max_waiting_rows=limits.max_waiting_rows,
    )
    gc.collect()
    gc.freeze()
    app.not_ready = ""
    metrics.set("ready", 1.0)
    log.write("ready", **chosen.facts())
    decided = _about.decided()
    is_other = bool(decided) and decided["answers"] != chosen.facts()["answers"]
    if is_other and not options.only_author:
        log.write("answers_otherwise", level="warning", decided=decided)


def _failures(predict: Callable[..., Any]) -> list[str]:
    found: list[str] = []
    for case, _ in zip(_replay.golden_cases(), range(_CASES), strict=False):
        differences, _ = _replay.replay_case(predict, case)
        found += [f"case {case['case']}: {text}" for text in differences]
    return found


class _Server(uvicorn.Server):
    """uvicorn's server, which says that it is not ready before it stops to listen."""

    def __init__(
        self, config: uvicorn.Config, app: Application, metrics: Metrics, drain_s: float
    ) -> None:
        super().__init__(config)
        self._app = app
        self._metrics = metrics
        self._drain_s = drain_s
        self._loop = asyncio.get_running_loop()

    def handle_exit(self, sig: int, frame: Any) -> None:
        """Begin to end."""
        self._app.not_ready = "the server ends"
        self._metrics.set("ready", 0.0)
        if self._drain_s:
            drain_s, self._drain_s = self._drain_s, 0.0
            end = super().handle_exit
            # a signal may come between any two instructions
            self._loop.call_soon_threadsafe(
                self._loop.call_later, drain_s, end, sig, frame
            )
            return
        super().handle_exit(sig, frame)


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop]:
    import uvloop

    factory: Callable[[], asyncio.AbstractEventLoop] = uvloop.new_event_loop
    return factory

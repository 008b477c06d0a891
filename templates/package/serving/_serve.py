"""``python -m PACKAGE serve``: workers forked after the model is loaded, and their parent.

The parent loads the model once and listens; each worker has a socket of its own for the same
port, so that the kernel spreads connections. A worker that dies, or whose model hangs, is
replaced. SIGTERM: readiness says no, new connections are refused, what is being answered is
finished, and all processes end with 0.
"""

from __future__ import annotations

import gc
import os
import signal
import socket
import sys
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from .. import _about
from ..answering import _contract
from ._logs import Log
from ._metrics import Metrics

if TYPE_CHECKING:
    from collections.abc import Callable

    from ._limits import Limits

#: a worker that ends sooner after its start counts as one that cannot start
_YOUNG_S = 5.0
_MAX_YOUNG = 5
_LOOK_S = 0.2
_ENDED = (signal.SIGTERM, signal.SIGINT)


class ServeError(RuntimeError):
    """The server cannot begin; the message says why and what to do."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Options:
    """What the command was told."""

    host: str
    port: int
    workers: int
    limits: Limits
    logs_all: bool = True
    #: whether the author's code answers even where compiled routines agree
    only_author: bool = False


@dataclass(slots=True)
class _Workers:
    """The living workers: process id -> number and start."""

    alive: dict[int, tuple[int, float]] = field(default_factory=dict)
    young_deaths: int = 0
    is_ending: bool = False


def serve(options: Options) -> int:
    """Serve until SIGTERM; return the exit code.

    Raises
    ------
    ServeError
        If the package was changed, its model cannot be loaded or takes or gives what JSON
        cannot hold, or the port is taken.
    """
    log = Log(model=str(_about.origin()["name"]), version=_about.version())
    changed = _about.changed_files()
    if changed:
        raise ServeError(f"{changed[0]}; install the package again")
    started = time.monotonic()
    predict, contract = _loaded(log)
    sockets = _listen(options)
    metrics = Metrics(options.workers)
    log.write(
        "started",
        address="{}:{}".format(*sockets[0].getsockname()[:2]),
        workers=options.workers,
        load_s=round(time.monotonic() - started, 3),
        python=sys.version.split()[0],
    )
    gc.collect()
    gc.freeze()  # what is loaded stays shared between the processes

    def work(number: int) -> None:
        from ._worker import run

        for place, other in enumerate(sockets):
            if place != number:
                other.close()
        run(
            sockets[number],
            number=number,
            predict=predict,
            contract=contract,
            metrics=metrics,
            options=options,
            log=log,
        )

    return _supervise(work, sockets, metrics=metrics, options=options, log=log)


def _loaded(log: Log) -> tuple[Callable[..., Any], _contract.Contract]:
    try:
        predict = _about.predict_function()
        contract = _contract.contract_of(predict)
    except Exception as error:
        log.failure("not_loaded", error)
        raise ServeError(f"the model cannot be loaded: {error}") from error
    reason = _contract.not_served(contract)
    if reason:
        raise ServeError(f"{reason}; import {_about.PACKAGE} and call it in Python")
    return predict, contract


def _listen(options: Options) -> list[socket.socket]:
    family = socket.AF_INET6 if ":" in options.host else socket.AF_INET
    try:
        probe = _bound(family, options.host, options.port, shared=False)
    except OSError as error:
        raise ServeError(
            f"{options.host}:{options.port}: {error.strerror or error}; choose another --port"
        ) from error
    if options.workers == 1:
        probe.listen(2048)
        return [probe]
    port = probe.getsockname()[1]
    probe.close()  # its only purpose was to fail where another program has the port
    sockets = [
        _bound(family, options.host, port, shared=True) for _ in range(options.workers)
    ]
    for one in sockets:
        one.listen(2048)
    return sockets


def _bound(family: int, host: str, port: int, *, shared: bool) -> socket.socket:
    one = socket.socket(family, socket.SOCK_STREAM)
    one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if shared:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    try:
        one.bind((host, port))
    except OSError:
        one.close()
        raise
    return one


def _supervise(
    work: Callable[[int], None],
    sockets: list[socket.socket],
    *,
    metrics: Metrics,
    options: Options,
    log: Log,
) -> int:
    workers = _Workers()

    def end(_number: int, _frame: Any) -> None:
        workers.is_ending = True

    for ending in _ENDED:
        signal.signal(ending, end)
    for number in range(options.workers):
        _fork(work, number, workers)
    while not workers.is_ending:
        time.sleep(_LOOK_S)  # a signal ends the sleep's work, not the sleep
        _reap(work, workers, log)
        if workers.young_deaths >= _MAX_YOUNG:
            log.write("given_up", level="error", message="workers end at their start")
            break
        _kill_stuck(workers, metrics, options.limits, log)
    for one in sockets:
        one.close()
    is_asked = workers.is_ending
    workers.is_ending = True
    _end_all(workers, options.limits, log)
    log.write("ended", exit_code=0 if is_asked else 1)
    return 0 if is_asked else 1


def _fork(work: Callable[[int], None], number: int, workers: _Workers) -> None:
    pid = os.fork()
    if pid:
        workers.alive[pid] = (number, time.monotonic())
        return
    code = 1
    try:
        for one in _ENDED:
            signal.signal(one, signal.SIG_DFL)
        work(number)
        code = 0
    except BaseException:  # noqa: BLE001  # the child never returns into its parent's code
        sys.excepthook(*sys.exc_info())
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _reap(work: Callable[[int], None], workers: _Workers, log: Log) -> None:
    for pid, (number, since) in list(workers.alive.items()):
        ended, status = os.waitpid(pid, os.WNOHANG)
        if not ended:
            continue
        del workers.alive[pid]
        code = os.waitstatus_to_exitcode(status)
        log.write("worker_ended", level="error", worker=number, exit_code=code)
        is_young = time.monotonic() - since < _YOUNG_S
        workers.young_deaths = workers.young_deaths + 1 if is_young else 0
        if not workers.is_ending and workers.young_deaths < _MAX_YOUNG:
            _fork(work, number, workers)


def _kill_stuck(workers: _Workers, metrics: Metrics, limits: Limits, log: Log) -> None:
    now = time.monotonic()
    for pid, (number, _) in workers.alive.items():
        if metrics.busy_s(number, now) > limits.stuck_s:
            log.write("worker_stuck", level="error", worker=number)
            metrics.clear(number)
            os.kill(pid, signal.SIGKILL)


def _end_all(workers: _Workers, limits: Limits, log: Log) -> None:
    for pid in workers.alive:
        os.kill(pid, signal.SIGTERM)
    deadline = time.monotonic() + limits.drain_s + limits.timeout_s + 5
    while workers.alive:
        for pid in list(workers.alive):
            ended, _ = os.waitpid(pid, os.WNOHANG)
            if ended:
                del workers.alive[pid]
            elif time.monotonic() > deadline:
                log.write("worker_killed", level="error", worker=workers.alive[pid][0])
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.02)

"""The forked process runs cells without the kernel's protocol, and may be forked again.

One thread, one connection, no ZMQ sockets: after some cells it can be copied, if what they did
leaves nothing that two processes must not share.
"""

from __future__ import annotations

import asyncio
import os
import random
import selectors
import signal
import socket
import sys
import weakref
from pathlib import Path
from typing import TYPE_CHECKING, Any

from . import child, pools, state, wire
from .direct_app import DirectApp, answer
from .nursery import Nursery

if TYPE_CHECKING:
    from collections.abc import Callable


def run(request: dict[str, Any], number: int, ready: Callable[[], None]) -> int:
    """Run cells until the client hangs up.

    Parameters
    ----------
    request
        ``argv`` holds the arguments behind ``-m ipykernel_launcher``.
    number
        Descriptor of the connection.
    ready
        Called when the shell is there.

    Returns
    -------
    int
        The exit code.
    """
    connection = socket.socket(fileno=number)
    sys.argv = [child.launcher_path(), *request["argv"]]
    sys.orig_argv[:] = request["orig_argv"]
    app = DirectApp.instance()
    app.connection = connection
    app.initialize(list(request["argv"]))
    ready()
    _Direct(app, connection).live()
    child.end(app.shell)
    return 0


class _Direct:
    """Answers requests one after the other, in an event loop as a kernel's cells expect."""

    def __init__(self, app: DirectApp, connection: socket.socket) -> None:
        from tornado.ioloop import IOLoop

        self._kernel = app.kernel
        self._session = app.session
        self._connection = connection
        self._io_loop = IOLoop.current()
        self._loop: Any = self._io_loop.asyncio_loop
        self._task: asyncio.Task[None] | None = None
        self._error: BaseException | None = None
        self._wish: tuple[dict[str, Any], list[int]] | None = None
        self._nursery: Nursery | None = None
        self._descriptors = _descriptors()
        self._finalizers = _finalizers()

    def live(self) -> None:
        """Answer until the client hangs up."""
        self._session.send(None, "direct_ready", {})
        self._listen()
        while True:
            self._io_loop.start()
            if self._error is not None:
                raise self._error
            if self._wish is None:
                return
            wish, self._wish = self._wish, None
            self._fork(*wish)

    def _listen(self) -> None:
        self._loop.add_reader(self._connection, self._hear)

    def _hear(self) -> None:
        message, descriptors = wire.receive_request(self._connection)
        if message is None:
            self._io_loop.stop()
        elif message.get("command") == "fork":
            self._wish = message, descriptors
            self._io_loop.stop()
        else:
            self._loop.remove_reader(self._connection)
            self._task = self._loop.create_task(self._answer(message))

    async def _answer(self, message: dict[str, Any]) -> None:
        try:
            await answer(self._kernel, message)
            self._listen()
        except BaseException as error:  # noqa: BLE001  # raised where the loop was started
            self._error = error
            self._io_loop.stop()

    def _fork(self, wish: dict[str, Any], descriptors: list[int]) -> None:
        """Become two; the copy goes on in ``live`` with connections of its own."""
        watch = socket.socket(fileno=descriptors[0])
        pools.stop_openblas()
        refusal = self._refusal(set(descriptors))
        if refusal:
            wire.send_line(watch, {"refused": refusal})
            watch.close()
            wire.close_all(descriptors[1:])
            return
        if self._nursery is None:
            self._nursery = Nursery(self._loop.add_reader, self._loop.remove_reader)
        drawn = random.getstate()
        parent = os.getpid()
        pid = os.fork()
        if pid == 0:
            watch.close()
            self._become(wish, descriptors[1:], parent)
            random.setstate(drawn)  # the module draws anew in every fork
            return
        wire.send_line(watch, {"pid": pid, "preloaded": []})
        self._nursery.add(pid, watch)
        wire.close_all(descriptors[1:])

    def _become(
        self, wish: dict[str, Any], descriptors: list[int], parent: int
    ) -> None:
        os.setsid()
        child.die_with_parent(signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(1)
        self._close_inherited()
        for number, descriptor in enumerate(descriptors[:3]):
            os.dup2(descriptor, number)
            os.close(descriptor)
        os.environ.update(wish["environ"])
        os.environ["JPY_PARENT_PID"] = str(parent)
        os.chdir(wish["cwd"])
        self._connection = socket.socket(fileno=descriptors[3])
        self._session.connection = self._connection
        self._listen()
        self._descriptors = _descriptors()

    def _close_inherited(self) -> None:
        """Let go of what belongs to the parent: its loop's descriptors, its connections."""
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        self._connection.close()
        for item in self._nursery.sockets() if self._nursery else ():
            item.close()
        self._nursery = None
        loop = self._loop
        loop._selector.close()  # the parent's is another descriptor of the same thing
        loop._ssock.close()
        loop._csock.close()
        loop._internal_fds -= 1
        loop._selector = selectors.DefaultSelector()
        loop._make_self_pipe()

    def _refusal(self, given: set[int]) -> str:
        """Say why a copy could differ from a process that ran the cells itself."""
        own = set(given)
        if self._nursery is not None:
            own |= {item.fileno() for item in self._nursery.sockets()}
        for number, target in _descriptors().items():
            if number not in own and self._descriptors.get(number) != target:
                return f"it holds {target} open"
        kids = set(_children()) - set(self._nursery.pids() if self._nursery else ())
        if kids:
            return "it has processes of its own"
        return self._leftover() or state.obstacles({*own, *self._descriptors})

    def _leftover(self) -> str:  # one reason after the other
        """Say what the cells have left that two processes must not share."""
        if asyncio.all_tasks(self._loop):
            return "it has asynchronous tasks that have not ended"
        if _finalizers() - self._finalizers:
            return "it has finalizers, such as that of a temporary folder"
        tempfile = sys.modules.get("tempfile")
        if tempfile is not None and tempfile._name_sequence is not None:
            return "it has drawn names of temporary files"
        if signal.getitimer(signal.ITIMER_REAL)[0]:
            return "it has a timer running"
        if b"rw-s" in Path("/proc/self/maps").read_bytes():
            return "it shares memory with other processes or files"
        return ""


def _descriptors() -> dict[int, str]:
    found = {}
    for name in os.listdir("/proc/self/fd"):
        try:
            found[int(name)] = os.readlink(f"/proc/self/fd/{name}")
        except OSError:  # the descriptor of the listing itself
            continue
    return found


def _finalizers() -> set[Any]:
    registry = weakref.finalize._registry  # type: ignore[attr-defined]
    return {key for key, info in registry.items() if info.atexit}


def _children() -> list[int]:
    text = Path(f"/proc/self/task/{os.getpid()}/children").read_text("ascii")
    return [int(word) for word in text.split()]

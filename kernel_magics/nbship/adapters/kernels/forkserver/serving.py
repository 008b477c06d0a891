"""The server's loop: requests in, forks out, and nobody left behind.

It ends when its owner does. Whoever asked for a kernel hangs up to have it killed.
"""

from __future__ import annotations

import os
import selectors
import signal
import socket
import sys
import time
import types
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from . import child, kernel, preloading, state, wire
from .nursery import Nursery

if TYPE_CHECKING:
    from collections.abc import Callable

    from .recording import Recorder

#: seconds of importing ahead that a kernel waits for
_AHEAD_S = 1.0


@dataclass
class Server:
    """Forks kernels.

    Parameters
    ----------
    path
        Where the listening socket is bound, for kernels that report.
    listener
        The listening socket.
    owner
        Connection to the process that this one belongs to.
    preloads
        What has been imported.
    learns
        False where modules are never preloaded.
    """

    path: str
    listener: socket.socket
    owner: socket.socket
    preloads: preloading.Preloads
    learns: bool = True
    _queue: list[str] = field(default_factory=list)
    _is_base_known: bool = False

    def serve(self) -> None:
        """Serve until the owner is gone."""
        self._selector = selectors.DefaultSelector()
        self._nursery = Nursery(self._watch, self._selector.unregister)
        signal.signal(signal.SIGTERM, self._terminated)
        self._selector.register(self.listener, selectors.EVENT_READ, self._accept)
        self._selector.register(self.owner, selectors.EVENT_READ, self._hear_owner)
        while True:
            # whoever waits for a kernel's end must not wait for an import
            is_idle = bool(self._queue) and not self._nursery.pids()
            events = self._selector.select(0 if is_idle else None)
            for key, _ in events:
                key.data()
            if is_idle and not events:
                self._preload(self._queue)

    def _watch(self, source: socket.socket, action: Callable[[], None]) -> None:
        self._selector.register(source, selectors.EVENT_READ, action)

    def _terminated(self, _number: int, _frame: object) -> None:
        """Take the system's word that the parent has ended; a thread of it may have."""
        if os.getppid() == 1 or not _is_open(self.owner):
            self._leave()

    def _hear_owner(self) -> None:
        if not self.owner.recv(4096):
            self._leave()

    def _leave(self) -> None:
        self._nursery.kill_all()
        os._exit(0)

    def _preload(self, names: list[str]) -> None:
        """Import ahead until a kernel is wanted, but for a while at least.

        Showing and hiding what is imported takes its time: kernels that follow each other
        closely would have it done again and again for a module or two.
        """
        known = set(self.preloads.banned)
        enough_s = time.monotonic() + _AHEAD_S
        self._queue = self.preloads.load(
            names, until=lambda: time.monotonic() > enough_s and self._is_wanted()
        )
        self._tell_bans(known)

    def _tell_bans(self, known: set[str]) -> None:
        banned = sorted(self.preloads.banned - known)
        if banned or self.preloads.spoiled:
            message = {"banned": banned, "spoiled": self.preloads.spoiled}
            wire.send_line(self.owner, message)

    def _is_wanted(self) -> bool:
        return bool(self._selector.select(0))

    def _accept(self) -> None:
        connection, _ = self.listener.accept()
        request, descriptors = wire.receive_request(connection)
        if request is None:
            connection.close()
            return
        if request["command"] == "report":
            connection.close()
            self._learn(request)
            return
        if self.learns:
            known = set(self.preloads.banned)
            self.preloads.load(request["imports"], until=lambda: False)
            self._tell_bans(known)
        refusal = self._refusal(request, connection, descriptors)
        if refusal:
            wire.send_line(connection, {"refused": refusal})
            connection.close()
        else:
            self._fork(request, descriptors, connection)
        wire.close_all(descriptors)

    def _refusal(
        self, request: dict[str, Any], connection: socket.socket, given: list[int]
    ) -> str:
        if not _is_open(connection):
            return "nobody waits for it"
        preloads = self.preloads
        if preloads.spoiled:
            return preloads.spoiled
        name = preloading.differing_variable(
            preloads.recorder.variables_read, request["environ"]
        )
        if name:
            return f"modules were preloaded with another value of {name}"
        name = preloading.shadowing_file(request["cwd"], preloads.stash.top_level)
        if name:
            return f"{name} in the working folder hides a preloaded module"
        own = [0, 1, 2, self._selector.fileno(), connection.fileno(), *given]
        sockets = [self.listener, self.owner, *self._nursery.sockets()]
        return state.obstacles({*own, *(item.fileno() for item in sockets)})

    def _fork(
        self, request: dict[str, Any], descriptors: list[int], connection: socket.socket
    ) -> None:
        pid = os.fork()
        if pid == 0:
            self._become(request, descriptors, connection)
        preloaded = sorted(self.preloads.stash.modules)
        wire.send_line(connection, {"pid": pid, "preloaded": preloaded})
        self._nursery.add(pid, connection)

    def _become(
        self, request: dict[str, Any], descriptors: list[int], connection: socket.socket
    ) -> None:
        """Live the life of the fork; it never returns."""
        code = 1
        try:
            parent = os.getppid()
            self._close(connection)
            child.settle(
                request, descriptors, self.preloads.recorder, self.preloads.stash
            )
            for name in [n for n in sys.modules if n.startswith(str(__package__))]:
                del sys.modules[name]
            code = self._live(request, descriptors, parent)
            self._report("used", self.preloads.base)
        except BaseException:  # noqa: BLE001  # told on the kernel's stderr, as Python does
            sys.excepthook(*sys.exc_info())
        finally:
            for stream in (sys.__stdout__, sys.__stderr__):
                if stream is not None:
                    stream.flush()
            os._exit(code)

    def _live(
        self, request: dict[str, Any], descriptors: list[int], parent: int
    ) -> int:
        if request["command"] == "direct":
            run = self.preloads.run_direct
            return int(run(request, descriptors[3], self._ready))
        return kernel.run(request, parent=parent, ready=self._ready)

    def _ready(self) -> None:
        for late, stream in zip(
            self.preloads.streams, (sys.stdout, sys.stderr), strict=True
        ):
            late.bind(stream)
        if not self._is_base_known:
            self._report("base", self.preloads.base)

    def _report(self, key: str, base: set[str]) -> None:
        """Tell the server which modules this kernel has imported."""
        names = child.used_modules(base, self.preloads.roots)
        with socket.socket(socket.AF_UNIX) as connection:
            try:
                connection.settimeout(1.0)
                connection.connect(self.path)
                wire.send_request(connection, {"command": "report", key: names}, [])
            except OSError:  # the server is gone, and with it the use of a report
                return

    def _learn(self, report: dict[str, Any]) -> None:
        if "base" in report and not self._is_base_known:
            self._is_base_known = True
            self.preloads.extend_base(report["base"])
            wire.send_line(self.owner, {"base_learnt": report["base"]})
        used = report.get("used", [])
        if used and self.learns:
            waiting = set(self._queue)
            self._queue += [name for name in used if name not in waiting]
            wire.send_line(self.owner, {"used": used})

    def _close(self, connection: socket.socket) -> None:
        """Close what belongs to the server, in the fork."""
        signal.set_wakeup_fd(-1)
        self._selector.close()
        own = [self.listener, self.owner, connection, *self._nursery.sockets()]
        for item in own:
            item.close()


def main(path: str, recorder: Recorder, shown: set[str]) -> int:
    """Serve on a socket that the owner has bound; see ``nbship.adapters.kernels.warm``.

    Parameters
    ----------
    path
        The socket.
    recorder
        Has recorded the imports of these files.
    shown
        Modules that were there before them.
    """
    owner = socket.socket(fileno=os.dup(0))
    null = os.open(os.devnull, os.O_RDWR)
    for number in (0, 1):
        os.dup2(null, number)
    os.close(null)
    config, _ = wire.receive_request(owner)
    if config is None:
        return 0
    child.die_with_parent(signal.SIGTERM)
    listener = socket.socket(fileno=config["listener"])
    for item in (listener, owner):
        item.set_inheritable(False)
    sys.modules["__main__"] = types.ModuleType("__main__")
    preloads = preloading.Preloads(recorder, config["banned"], config["also"])
    preloads.load_base(config["base"], shown)
    wire.send_line(owner, {"roots": preloads.roots, "pid": os.getpid()})
    server = Server(
        path=path,
        listener=listener,
        owner=owner,
        preloads=preloads,
        learns=config["learns"],
    )
    server._is_base_known = bool(config["base"])
    server._queue = list(config["preload"])
    server.serve()
    return 0


def _is_open(connection: socket.socket) -> bool:
    try:
        flags = socket.MSG_PEEK | socket.MSG_DONTWAIT
        return connection.recv(1, flags) != b""
    except BlockingIOError:
        return True
    except OSError:
        return False

"""Children of this process: who asked for them, how they end, and that none is left behind."""

from __future__ import annotations

import os
import signal
import socket
from dataclasses import dataclass
from typing import TYPE_CHECKING

from . import wire

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass
class _Kid:
    """A child, and the connection of whoever asked for it."""

    pid: int
    connection: socket.socket
    #: False once the other side has hung up
    is_watched: bool = True


class Nursery:
    """Tells a child's end to whoever asked for it; hanging up kills the child.

    Parameters
    ----------
    watch, forget
        Call a function whenever a socket is readable, and stop doing so.
    """

    def __init__(
        self,
        watch: Callable[[socket.socket, Callable[[], None]], object],
        forget: Callable[[socket.socket], object],
    ) -> None:
        self._watch = watch
        self._forget = forget
        self._kids: dict[int, _Kid] = {}
        self._woken, self._wakes = socket.socketpair()
        for end in (self._woken, self._wakes):
            end.setblocking(False)
        watch(self._woken, self._reap)
        signal.set_wakeup_fd(self._wakes.fileno(), warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda _number, _frame: None)

    def sockets(self) -> list[socket.socket]:
        """Return every socket that belongs to this process and to no child."""
        own = [self._woken, self._wakes]
        return [*own, *(kid.connection for kid in self._kids.values())]

    def pids(self) -> list[int]:
        """Return the process ids of living children."""
        return list(self._kids)

    def add(self, pid: int, connection: socket.socket) -> None:
        """Take a new child."""
        self._kids[pid] = _Kid(pid, connection)
        self._watch(connection, lambda: self._hang_up(pid))

    def kill_all(self) -> None:
        """Kill every child with its process group."""
        for pid in self._kids:
            _kill(pid)

    def _reap(self) -> None:
        self._woken.recv(4096)
        for kid in list(self._kids.values()):
            pid, status = os.waitpid(kid.pid, os.WNOHANG)
            if pid == 0:
                continue
            del self._kids[pid]
            if kid.is_watched:
                self._forget(kid.connection)
            code = os.waitstatus_to_exitcode(status)
            wire.send_line(kid.connection, {"exit": code})
            kid.connection.close()

    def _hang_up(self, pid: int) -> None:
        kid = self._kids.get(pid)
        if kid is None:  # it was reaped in the same turn
            return
        try:
            data = kid.connection.recv(4096)
        except OSError:
            data = b""
        if not data:
            self._forget(kid.connection)
            kid.is_watched = False
            _kill(pid)


def _kill(pid: int) -> None:
    for send in (os.killpg, os.kill):  # it may not lead its group yet
        try:
            send(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue

"""A fork server and the kernels that it forks, as their owner sees them."""

from __future__ import annotations

import contextlib
import os
import resource
import select
import shutil
import socket
import subprocess
import tempfile
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nbship.adapters.kernels.direct import DirectConversation, Ends
from nbship.adapters.kernels.forked import answered_process, fork_request
from nbship.adapters.kernels.forkserver import server as _server
from nbship.adapters.kernels.forkserver.wire import Lines, send_request
from nbship.adapters.kernels.processes import ForkRefusedError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from nbship.adapters.kernels.forked import ForkedProcess
    from nbship.adapters.kernels.processes import KernelStart

_SCRIPT = str(_server.__file__)


@dataclass(frozen=True, kw_only=True, slots=True)
class ServerStart:
    """Everything that starting a server needs."""

    #: the interpreter with its options
    command: tuple[str, ...]
    environ: Mapping[str, str]
    #: what kernels import by themselves, as learnt earlier
    base: tuple[str, ...] = ()
    #: modules to import ahead, in order
    preload: tuple[str, ...] = ()
    #: modules that must not be imported ahead
    banned: tuple[str, ...] = ()
    #: folders beside the installed packages from which modules may come
    also: tuple[str, ...] = ()
    #: False where nothing may be imported ahead but what every kernel imports
    learns: bool = True


@dataclass(kw_only=True, slots=True)
class Learnt:
    """What a server has told of itself."""

    base: tuple[str, ...] = ()
    used: list[str] = field(default_factory=list)
    banned: set[str] = field(default_factory=set)
    #: why it forks no more
    spoiled: str = ""
    #: folders of installed packages
    roots: tuple[str, ...] = ()


class ForkServer:
    """Owns a server; it ends with this object, or with this process.

    Parameters
    ----------
    start
        What it is started with.

    Raises
    ------
    OSError
        If the interpreter cannot be executed, or no socket made.
    """

    def __init__(self, start: ServerStart) -> None:
        self.learnt = Learnt()
        self._lines = Lines()
        self._forked: list[ForkedProcess] = []
        self._folder = Path(tempfile.mkdtemp(prefix="nbship-forks-"))
        try:
            self._begin(start)
        except BaseException:
            shutil.rmtree(self._folder, ignore_errors=True)
            raise

    def _begin(self, start: ServerStart) -> None:
        path = self._folder / "socket"
        self._address = str(path)
        self._owner, theirs = socket.socketpair()
        with socket.socket(socket.AF_UNIX) as listener, theirs:
            listener.bind(self._address)
            path.chmod(0o600)
            listener.listen(128)
            with (self._folder / "stderr").open("wb") as log:
                self._process = subprocess.Popen(
                    [*start.command, _SCRIPT, self._address],
                    env=dict(start.environ),
                    cwd=self._folder,
                    stdin=theirs.fileno(),
                    stdout=subprocess.DEVNULL,
                    stderr=log,
                    pass_fds=[listener.fileno()],
                    start_new_session=True,
                )
            config = {
                "listener": listener.fileno(),
                "base": start.base,
                "preload": start.preload,
                "banned": start.banned,
                "also": start.also,
                "learns": start.learns,
            }
            send_request(self._owner, config, [])

    @property
    def pid(self) -> int:
        """Process id of the server."""
        return int(self._process.pid)

    @property
    def is_usable(self) -> bool:
        """Whether it lives and still forks."""
        self._hear()
        return self._process.poll() is None and not self.learnt.spoiled

    @property
    def has_kernels(self) -> bool:
        """Whether a kernel that it forked may live."""
        self._forked = [one for one in self._forked if one.poll() is None]
        return bool(self._forked)

    def take_learnt(self) -> Learnt:
        """Return what the server has told since the last call; bans and base stay."""
        self._hear()
        taken = replace(self.learnt, used=list(self.learnt.used))
        self.learnt.used.clear()
        return taken

    def fork(self, start: KernelStart, *, patience_s: float) -> ForkedProcess:
        """Have a kernel forked.

        Raises
        ------
        ForkRefusedError
            If the server refuses, has ended, or has not answered in time.
        """
        with Path(os.devnull).open("rb") as null:
            given = [null.fileno(), 1, 2, *start.held_fds]
            return self._forked_for(fork_request(start, "kernel"), given, patience_s)

    def converse(self, start: KernelStart, *, patience_s: float) -> DirectConversation:
        """Have a process forked that runs cells directly.

        Raises
        ------
        ForkRefusedError
            If the server refuses, has ended, or has not answered in time.
        """
        ends = Ends()
        try:
            request = fork_request(start, "direct")
            given = [*ends.given, *start.held_fds]
            process = self._forked_for(request, given, patience_s)
            ends.hand_over()
        except BaseException:
            ends.close()
            raise
        return DirectConversation(process, ends)

    def _forked_for(
        self, request: Mapping[str, Any], given: Sequence[int], patience_s: float
    ) -> ForkedProcess:
        connection = socket.socket(socket.AF_UNIX)
        try:
            return self._ask(connection, request, given, patience_s)
        except BaseException:
            connection.close()
            raise

    def _ask(
        self,
        connection: socket.socket,
        request: Mapping[str, Any],
        given: Sequence[int],
        patience_s: float,
    ) -> ForkedProcess:
        try:
            connection.connect(self._address)
            send_request(connection, request, given)
            process = answered_process(connection, patience_s=patience_s)
        except (OSError, ForkRefusedError) as error:
            raise ForkRefusedError(self._end_text() or str(error)) from error
        self._forked.append(process)
        return process

    def close(self) -> None:
        """End the server, and with it its kernels."""
        self._owner.close()
        try:
            self._process.wait(5.0)
        except subprocess.TimeoutExpired:  # busy importing
            self._process.kill()
            self._process.wait()
        shutil.rmtree(self._folder, ignore_errors=True)

    def memory_bytes(self) -> int:
        """Return the resident memory of the server."""
        with contextlib.suppress(OSError, ValueError, IndexError):
            pages = Path(f"/proc/{self.pid}/statm").read_text("ascii").split()[1]
            return int(pages) * resource.getpagesize()
        return 0

    def _hear(self) -> None:
        """Take in what the server has told."""
        while select.select([self._owner], [], [], 0)[0]:
            data = self._owner.recv(1 << 16)
            if not data:
                return
            for message in self._lines.feed(data):
                self._note(message)

    def _note(self, message: dict[str, Any]) -> None:
        learnt = self.learnt
        learnt.base = tuple(message.get("base_learnt", learnt.base))
        learnt.roots = tuple(message.get("roots", learnt.roots))
        learnt.used += message.get("used", [])
        learnt.banned |= set(message.get("banned", ()))
        learnt.spoiled = message.get("spoiled", "") or learnt.spoiled

    def _end_text(self) -> str:
        """Say how the server ended; "" where it lives."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            code = self._process.wait(1.0)
            with contextlib.suppress(OSError):
                lines = (
                    (self._folder / "stderr").read_text("utf-8", "replace").split("\n")
                )
                last = next((line for line in reversed(lines) if line.strip()), "")
                return f"the fork server ended with {code}: {last}".rstrip(": ")
        return ""

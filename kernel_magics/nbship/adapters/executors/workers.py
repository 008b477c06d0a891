"""Worker processes: long-lived, each for one environment, one attempt at a time.

A worker is told of an attempt in one message over a pair of sockets, with the descriptors that it
is to hold; it answers when the attempt has its outcome. Where the other end is gone it finishes
what it holds, and leaves.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from nbship.errors import JobError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from nbship.adapters.executors.surroundings import Surroundings

_MESSAGE_BYTES = 65536
_DESCRIPTORS = 64


@dataclass(frozen=True, kw_only=True, slots=True)
class Assignment:
    """An attempt that a worker is to execute."""

    #: folder of the attempt
    folder: str
    #: variables of the grant
    environ: Mapping[str, str] = field(default_factory=dict)
    #: GPUs of the grant, as JSON
    gpus: Sequence[Mapping[str, Any]] = ()
    #: False where the worker is to lease by itself what the job asks for, and to say why it cannot
    is_granted: bool = True
    #: True where the supervisor sees to the mirrors
    is_mirrored: bool = False


class WorkerProcess:
    """A worker as its supervisor sees it.

    Parameters
    ----------
    surroundings
        Its interpreter, project and environment.
    store
        The store's folder.
    log
        File for what it says between attempts.
    """

    def __init__(self, surroundings: Surroundings, *, store: Path, log: Path) -> None:
        self.surroundings = surroundings.name
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        words = [surroundings.python, "-m", "nbship.faces.worker"]
        words += [str(store), str(theirs.fileno())]
        with theirs, log.open("ab") as said:
            try:
                self._process = subprocess.Popen(
                    words,
                    cwd=surroundings.project,
                    env={**surroundings.environ, "PYTHONUNBUFFERED": "1"},
                    stdin=subprocess.DEVNULL,
                    stdout=said,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                    pass_fds=(theirs.fileno(),),
                )
            except OSError as error:
                ours.close()
                raise JobError(
                    f"{words[0]}: a worker cannot be started: {error}",
                    hint="Submit again from an environment that exists.",
                ) from error
        self._channel = ours
        self._channel.settimeout(0.0)
        self._end = os.pidfd_open(self._process.pid)

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    @property
    def channel(self) -> socket.socket:
        """Readable when it has answered."""
        return self._channel

    @property
    def end(self) -> int:
        """A descriptor that is readable when the process is gone."""
        return self._end

    @property
    def description(self) -> str:
        """What it is, for a cause."""
        return f"the worker (process {self.pid})"

    def assign(self, assignment: Assignment, descriptors: Sequence[int]) -> bool:
        """Hand it an attempt; False where it is gone."""
        message = json.dumps(asdict(assignment)).encode()
        try:
            socket.send_fds(self._channel, [message], list(descriptors))
        except OSError:
            return False
        return True

    def heard(self) -> bool:
        """Take an answer; False where there is none."""
        try:
            return bool(self._channel.recv(_MESSAGE_BYTES))
        except OSError:
            return False

    def interrupt(self) -> None:
        """End its attempt as Ctrl-C would."""
        self._signal(signal.SIGTERM)

    def kill(self) -> None:
        """Kill it."""
        self._signal(signal.SIGKILL)

    def dismiss(self) -> None:
        """Let it leave once its attempt, where it has one, is over."""
        with contextlib.suppress(OSError):
            self._channel.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Let go of the descriptors."""
        self._process.poll()
        self._channel.close()
        os.close(self._end)

    def _signal(self, number: int) -> None:
        with contextlib.suppress(ProcessLookupError):
            self._process.send_signal(number)


def assignments(channel: socket.socket) -> Any:  # noqa: ANN401  # an iterator of pairs
    """Give each assignment with its descriptors, until the supervisor is gone."""
    while True:
        try:
            data, descriptors, _, _ = socket.recv_fds(
                channel, _MESSAGE_BYTES, _DESCRIPTORS, socket.MSG_CMSG_CLOEXEC
            )
        except OSError:
            return
        if not data:
            return
        yield Assignment(**json.loads(data)), tuple(descriptors)
        with contextlib.suppress(OSError):
            channel.send(b"done")

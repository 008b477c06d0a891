"""Talk with a forked process that runs cells without the kernel's protocol.

Messages are those of a kernel, so that whoever talks to one talks to this; they travel over one
connection, and streams over pipes. It may be copied between two cells.
"""

from __future__ import annotations

import codecs
import contextlib
import fcntl
import json
import os
import select
import socket
import struct
import time
from collections import deque
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nbship.adapters.kernels.conversation import Conversation, KernelIsDeadError
from nbship.adapters.kernels.forked import answered_process
from nbship.adapters.kernels.forkserver.wire import close_all, send_request
from nbship.adapters.kernels.wire import Wire
from nbship.errors import KernelError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from nbship.adapters.kernels.forked import ForkedProcess
    from nbship.adapters.kernels.wire import Message

_LENGTH = struct.Struct("!I")
_PIPE_BYTES = 1 << 20
_BLOCK_BYTES = 1 << 16
#: how long what a stream says is waited for to become more
_STREAM_S = 0.2
_FORK_S = 10.0


class DirectRefusedError(KernelError):
    """A notebook did what only a kernel can answer."""


class Ends:
    """The descriptors of one conversation: a connection and the pipes of two streams."""

    def __init__(self) -> None:
        self.talk, self._theirs = socket.socketpair()
        self.streams: dict[int, str] = {}
        writable = []
        for name in ("stdout", "stderr"):
            mine, theirs = os.pipe()
            os.set_blocking(mine, False)
            with contextlib.suppress(OSError):  # more than this user may have
                fcntl.fcntl(theirs, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
            self.streams[mine] = name
            writable.append(theirs)
        null = os.open(os.devnull, os.O_RDONLY)
        #: for the other side: its stdin, stdout, stderr and connection
        self.given = [null, *writable, self._theirs.fileno()]

    def hand_over(self) -> None:
        """Close what the other side has copies of."""
        close_all(self.given[:3])
        self._theirs.close()

    def close(self) -> None:
        """Close what is left."""
        self.talk.close()
        close_all(list(self.streams))
        self.streams = {}


class DirectConversation(Conversation):
    """Talks with a process that runs cells directly.

    Parameters
    ----------
    process
        The process.
    ends
        The descriptors that lead to it.
    """

    is_direct = True

    def __init__(self, process: ForkedProcess, ends: Ends) -> None:
        self.process = process
        self.wire = Wire(b"")
        self._interrupt_mode = "signal"
        self._ends = ends
        self._waiting = select.poll()
        for number in (ends.talk.fileno(), process.fileno(), *ends.streams):
            self._waiting.register(number, select.POLLIN)
        self._received: deque[tuple[str, Message]] = deque()
        self._data = b""
        self._request: Mapping[str, Any] = {}
        self._decoders = {
            number: codecs.getincrementaldecoder("utf-8")("replace")
            for number in ends.streams
        }
        self._texts = dict.fromkeys(ends.streams, "")
        #: when held text is given out; None where there is none
        self._due_s: float | None = None
        self._is_dead = False

    def fork(
        self,
        *,
        environ: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        held_fds: Sequence[int] = (),
    ) -> DirectConversation:
        """Copy the process as it is between two cells, and talk with the copy.

        The copy has every name, module and generator of random numbers in the state that the
        cells so far have left: it goes on as a process would that had run them itself. It has
        a session, streams and a process id of its own, and dies with the original.

        Parameters
        ----------
        environ
            Variables that are set in the copy.
        cwd
            Its working folder; None keeps that of this process.
        held_fds
            Kept open by the copy while it lives.

        Returns
        -------
        DirectConversation
            Ready for the next cell; nobody asks it for ``wait_ready``.

        Raises
        ------
        ForkRefusedError
            If a copy could differ from a process that ran the cells itself: there are threads,
            child processes, sockets, open files, shared memory, temporary files, asynchronous
            tasks, a timer, or a GPU in use. Nothing has changed then.
        """
        ends = Ends()
        mine, theirs = socket.socketpair()
        request = {
            "command": "fork",
            "environ": dict(environ or {}),
            "cwd": str(cwd or Path(f"/proc/{self.process.pid}/cwd").readlink()),
        }
        try:
            with theirs:
                given = [theirs.fileno(), *ends.given, *held_fds]
                send_request(self._ends.talk, request, given)
            ends.hand_over()
            process = answered_process(mine, patience_s=_FORK_S)
        except BaseException:
            mine.close()
            ends.close()
            raise
        copy = DirectConversation(process, ends)
        copy.redactor = self.redactor and self.redactor.anew()
        return copy

    def wait_ready(self, timeout_s: float | None) -> Mapping[str, Any]:
        """Wait until the process answers; return what it says of itself.

        Raises
        ------
        RuntimeError
            If it dies or does not answer; in jupyter_client's words.
        """
        try:
            received = self.receive(timeout_s)
            while received is not None and received[1]["msg_type"] != "direct_ready":
                received = self.receive(timeout_s)  # what libraries say at their start
        except KernelIsDeadError:
            raise RuntimeError("Kernel died before replying to kernel_info") from None
        return super().wait_ready(timeout_s)

    def send(self, message: Message) -> None:
        """Send a request."""
        names = ("header", "parent_header", "metadata", "content")
        parts = {name: message[name] for name in names}
        self._request = message["header"]
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            send_request(self._ends.talk, parts, [])

    def receive(self, timeout_s: float | None) -> tuple[str, Message] | None:
        """Wait for a message; None where the time is over first.

        Raises
        ------
        KernelIsDeadError
            If the process has ended and everything that it said was given out.
        DirectRefusedError
            If the notebook did what only a kernel can answer.
        """
        end_s = None if timeout_s is None else time.monotonic() + timeout_s
        while not self._received:
            if self._is_dead:
                raise KernelIsDeadError
            moments = [moment for moment in (end_s, self._due_s) if moment is not None]
            wait_s = max(0.0, min(moments) - time.monotonic()) if moments else None
            ready = dict(self._waiting.poll(None if wait_s is None else wait_s * 1000))
            self._drain(ready)
            if self._ends.talk.fileno() in ready:
                self._hear()
            if self.process.fileno() in ready:
                self._end()
            now_s = time.monotonic()
            if self._due_s is not None and now_s >= self._due_s:
                self._give_streams()
            elif not self._received and end_s is not None and now_s >= end_s:
                return None
        return self._received.popleft()

    def close(self) -> None:
        """Close descriptors; a process that still lives is killed."""
        self._ends.close()
        self.process.close()

    def _tell(self, kind: str, content: Mapping[str, Any]) -> None:  # noqa: ARG002
        """Hang up, which ends the process as a request for its shutdown does."""
        with contextlib.suppress(OSError):
            self._ends.talk.shutdown(socket.SHUT_WR)

    def _drain(self, ready: Mapping[int, int]) -> None:
        for number in self._ends.streams:
            if number in ready:
                self._read_stream(number)

    def _read_stream(self, number: int) -> None:
        while True:
            try:
                data = os.read(number, _PIPE_BYTES)
            except BlockingIOError:
                return
            if not data:
                with contextlib.suppress(KeyError):
                    self._waiting.unregister(number)
                return
            self._texts[number] += self._decoders[number].decode(data)
            if self._due_s is None:
                self._due_s = time.monotonic() + _STREAM_S

    def _hear(self) -> None:
        """Take messages, each behind what the streams said before it."""
        try:
            data = self._ends.talk.recv(_BLOCK_BYTES)
        except ConnectionResetError:
            data = b""
        if not data:
            with contextlib.suppress(KeyError):
                self._waiting.unregister(self._ends.talk.fileno())
            return
        self._data += data
        while len(self._data) >= _LENGTH.size:
            end = _LENGTH.size + _LENGTH.unpack_from(self._data)[0]
            if len(self._data) < end:
                return
            body, self._data = self._data[_LENGTH.size : end], self._data[end:]
            self._note(json.loads(body))

    def _note(self, message: Message) -> None:
        kind = message["header"]["msg_type"]
        if kind == "direct_refused":
            raise DirectRefusedError(
                f"--direct: {message['content']['reason']}",
                hint="Submit the notebook without --direct.",
            )
        for number in self._ends.streams:
            self._read_stream(number)
        self._give_streams()
        if message.pop("is_awaited"):
            with contextlib.suppress(OSError):
                self._ends.talk.send(b".")
        message["msg_type"], message["msg_id"] = kind, message["header"]["msg_id"]
        message["buffers"] = []
        self._keep(message.pop("channel"), message)

    def _give_streams(self) -> None:
        """Give out what the streams have said: stdout first, as a kernel does."""
        self._due_s = None
        for number, name in self._ends.streams.items():
            text, self._texts[number] = self._texts[number], ""
            if text:
                content = {"name": name, "text": text}
                message = self.wire.message("stream", content, parent=self._request)
                self._keep("iopub", message)

    def _end(self) -> None:
        if self.process.poll() is None:
            return
        self._is_dead = True
        self._waiting.unregister(self.process.fileno())
        self._hear()
        for number in self._ends.streams:
            self._read_stream(number)
        self._give_streams()

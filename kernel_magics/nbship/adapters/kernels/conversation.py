"""A kernel's side of a conversation: its process and its sockets, without threads or loops.

Whoever waits here waits for the operating system: for a message, for the kernel's end, or
for a deadline; nothing is asked again and again.
"""

from __future__ import annotations

import signal
import time
from collections import deque
from typing import TYPE_CHECKING, Any

import zmq

from nbship.adapters.kernels.wire import Wire

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nbship.adapters.kernels.addresses import Addresses
    from nbship.adapters.kernels.processes import KernelProcess
    from nbship.adapters.kernels.wire import Message
    from nbship.capture.redaction import Redactor

#: between two attempts to connect to a kernel that is not up yet
_RECONNECT_MS = 5
#: silence on iopub after which a kernel that answered is asked again
_UNHEARD_S = 0.2
#: how long a dead kernel's last messages are waited for
_LAST_WORDS_S = 0.1
#: messages taken at once before somebody else has a turn
_HANDFUL = 500
#: how long a kernel may take to end by itself, and again after SIGTERM
GRACE_S = 2.5
_KILLED_S = 10.0


class KernelIsDeadError(Exception):
    """The kernel's process has ended, and everything it said was read."""


class Conversation:
    """Talks with one kernel.

    Parameters
    ----------
    addresses
        Where to meet it; removed with the conversation.
    process
        Its process.
    interrupt_mode
        ``signal`` or ``message``, as its specification says.
    """

    #: True where no kernel's protocol is behind it
    is_direct = False
    #: takes secrets out of what the kernel says; None where there are none
    redactor: Redactor | None = None
    #: True where leading cells were executed once, together with other jobs
    has_shared = False

    def __init__(
        self,
        addresses: Addresses,
        process: KernelProcess,
        *,
        interrupt_mode: str = "signal",
    ) -> None:
        self.process = process
        self.wire = Wire(addresses.key)
        self._addresses = addresses
        self._interrupt_mode = interrupt_mode
        self._context: zmq.Context[zmq.Socket[bytes]] = zmq.Context.instance()
        self._iopub = self._socket(zmq.SUB, "iopub")
        self._shell = self._socket(zmq.DEALER, "shell")
        self._control: zmq.Socket[bytes] | None = None
        self._poller = zmq.Poller()
        self._poller.register(self._iopub, zmq.POLLIN)
        self._poller.register(self._shell, zmq.POLLIN)
        self._poller.register(process.fileno(), zmq.POLLIN)
        self._received: deque[tuple[str, Message]] = deque()
        self._is_dead = False

    def wait_ready(self, timeout_s: float | None) -> Mapping[str, Any]:
        """Wait until the kernel answers and is heard; return what it says of itself.

        Raises
        ------
        RuntimeError
            If it dies or does not answer; in jupyter_client's words.
        """
        end_s = None if timeout_s is None else time.monotonic() + timeout_s
        info: Mapping[str, Any] | None = None
        is_heard = False
        self.ask("kernel_info_request", {})
        while info is None or not is_heard:
            waited_s = _UNHEARD_S if info is not None else _remaining(end_s)
            try:
                received = self.receive(waited_s)
            except KernelIsDeadError:
                raise RuntimeError(
                    "Kernel died before replying to kernel_info"
                ) from None
            if received is not None:
                channel, message = received
                is_heard = is_heard or channel == "iopub"
                if message["msg_type"] == "kernel_info_reply":
                    info = message["content"]
            elif _remaining(end_s) == 0:
                raise RuntimeError(f"Kernel didn't respond in {timeout_s:g} seconds")
            else:  # it was asked before it was listened to
                self.ask("kernel_info_request", {})
        return info

    def ask(self, kind: str, content: Mapping[str, Any]) -> str:
        """Send a request on the shell channel; return the message's id."""
        message = self.wire.message(kind, content)
        self.send(message)
        return str(message["msg_id"])

    def send(self, message: Message) -> None:
        """Send a message on the shell channel."""
        self._shell.send_multipart(self.wire.pack(message))

    def receive(self, timeout_s: float | None) -> tuple[str, Message] | None:
        """Wait for a message; None where the time is over first.

        Returns
        -------
        tuple or None
            The channel, ``iopub`` or ``shell``, and the message.

        Raises
        ------
        KernelIsDeadError
            If the kernel has ended and everything that it said was given out.
        """
        end_s = None if timeout_s is None else time.monotonic() + timeout_s
        while not self._received:
            wait_s = _LAST_WORDS_S if self._is_dead else _remaining(end_s)
            ready = dict(
                self._poller.poll(
                    None if wait_s is None else int(wait_s * 1000 + 0.999)
                )
            )
            if self._iopub in ready:
                self._take("iopub", self._iopub)
            if self._shell in ready:
                self._take("shell", self._shell)
            if self.process.fileno() in ready and not self._is_dead:
                self._is_dead = True
                self._poller.unregister(self.process.fileno())
            elif not ready and self._is_dead:
                raise KernelIsDeadError
            elif not ready and _remaining(end_s) == 0:
                return None
        return self._received.popleft()

    def interrupt(self) -> None:
        """Interrupt what the kernel executes, as Ctrl-C does."""
        if self._interrupt_mode == "message":
            self._tell("interrupt_request", {})
        else:
            self.process.send_signal(signal.SIGINT)

    def kill(self) -> None:
        """Kill the kernel; may be called from any thread."""
        self.process.send_signal(signal.SIGKILL)

    def shutdown(self, *, is_immediate: bool = False, is_busy: bool = False) -> None:
        """End the kernel and let go of everything.

        A kernel that does not end by itself is terminated, then killed: this returns.

        Parameters
        ----------
        is_immediate
            True kills it at once.
        is_busy
            True where it executes something, which is interrupted.
        """
        try:
            if not is_immediate and self.process.poll() is None:
                if is_busy:
                    self.interrupt()
                self._tell("shutdown_request", {"restart": False})
                if self.process.wait(GRACE_S) is None:
                    self.process.send_signal(signal.SIGTERM)
                    self.process.wait(GRACE_S)
        finally:
            if self.process.poll() is None:
                self.process.send_signal(signal.SIGKILL)
                self.process.wait(_KILLED_S)
            self.close()

    @property
    def front_end(self) -> Any:  # noqa: ANN401
        """What nbclient's Output widget needs of a ``KernelClient``."""
        return _FrontEnd(self)

    def close(self) -> None:
        """Close sockets and descriptors, and remove the files."""
        for one in (self._iopub, self._shell, self._control):
            if one is not None:
                one.close(0)
        self.process.close()
        self._addresses.remove()

    def _tell(self, kind: str, content: Mapping[str, Any]) -> None:
        if self._control is None:
            self._control = self._socket(zmq.DEALER, "control")
        message = self.wire.message(kind, content)
        self._control.send_multipart(self.wire.pack(message))

    def _socket(self, kind: int, channel: str) -> zmq.Socket[bytes]:
        made: zmq.Socket[bytes] = self._context.socket(kind)
        made.linger = 0
        made.reconnect_ivl = _RECONNECT_MS
        if kind == zmq.SUB:
            made.rcvhwm = 0  # nothing that the kernel says is dropped here
            made.subscribe(b"")
        made.connect(self._addresses.url(channel))
        return made

    def _take(self, channel: str, source: zmq.Socket[bytes]) -> None:
        for _ in range(_HANDFUL):
            try:
                frames = source.recv_multipart(zmq.NOBLOCK)
            except zmq.Again:
                return
            message = self.wire.unpack(frames)
            if message is not None:
                self._keep(channel, message)

    def redact(self, redactor: Redactor | None) -> None:
        """Take secrets out of everything that is received from now on."""
        self.redactor = redactor

    def _keep(self, channel: str, message: Message) -> None:
        """Keep a message for who receives, without secrets."""
        if self.redactor is None:
            self._received.append((channel, message))
            return
        for passed in self.redactor.messages(channel, message):
            self._received.append((channel, passed))


class _FrontEnd:
    """Session and shell channel of a ``KernelClient`` in one."""

    def __init__(self, talk: Conversation) -> None:
        self.session = self.shell_channel = self
        self.send = talk.send
        self.msg = talk.wire.message


def _remaining(end_s: float | None) -> float | None:
    return None if end_s is None else max(0.0, end_s - time.monotonic())

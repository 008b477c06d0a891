"""ipykernel's kernel without sockets and threads: its messages go over one connection.

Shell, display hook, display publisher and the handling of requests are ipykernel's own, so that
outputs are; streams are written straight to pipes that the client reads.
"""

from __future__ import annotations

import io
import os
import signal
import struct
import threading
import types
from typing import TYPE_CHECKING, Any

from ipykernel.kernelapp import IPKernelApp
from jupyter_client.session import Session

if TYPE_CHECKING:
    import socket

#: what stands for the shell channel where ipykernel has a ZMQ stream
SHELL = "shell"
#: messages that stand among what is printed
_SHOWN = {
    "clear_output",
    "display_data",
    "error",
    "execute_result",
    "update_display_data",
}
LENGTH = struct.Struct("!I")


class DirectSession(Session):
    """Writes messages to a connection, unsigned: nobody else can reach it."""

    connection: socket.socket
    #: True while a request is answered, and the client listens
    is_answering = False

    def send(  # noqa: PLR0913, PLR0917  # jupyter_client's
        self,
        stream: Any,  # noqa: ANN401
        msg_or_type: Any,  # noqa: ANN401
        content: Any = None,  # noqa: ANN401
        parent: Any = None,  # noqa: ANN401
        ident: Any = None,  # noqa: ANN401, ARG002
        buffers: Any = None,  # noqa: ANN401, ARG002
        track: bool = False,  # noqa: ARG002, FBT001, FBT002  # jupyter_client's
        header: Any = None,  # noqa: ANN401
        metadata: Any = None,  # noqa: ANN401
    ) -> Any:  # noqa: ANN401
        """Send a message as jupyter_client does; parameters are its own."""
        message = msg_or_type
        if not isinstance(message, dict):
            message = self.msg(
                msg_or_type,
                content=content,
                parent=parent,
                header=header,
                metadata=metadata,
            )
        if message["msg_type"].startswith("comm_"):
            self.refuse("a comm was opened, as widgets do")
        self._write("shell" if stream == SHELL else "iopub", message)
        return message

    def refuse(self, reason: str) -> None:
        """Tell that this notebook needs a kernel, and end at once."""
        message = self.msg("direct_refused", content={"reason": reason})
        self._write("iopub", message)
        os.kill(os.getpid(), signal.SIGKILL)

    def _write(self, channel: str, message: dict[str, Any]) -> None:
        parts = {
            name: message[name]
            for name in ("header", "parent_header", "metadata", "content")
        }
        is_shown = self.is_answering and message["msg_type"] in _SHOWN
        body = self.pack({"channel": channel, "is_awaited": is_shown, **parts})
        masked = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            self.connection.sendall(LENGTH.pack(len(body)) + body)
            if is_shown:  # what is printed next must not be taken for earlier
                self.connection.recv(1)
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, masked)


class DirectStream(io.TextIOBase):
    """``sys.stdout`` or ``sys.stderr``: every write is in its pipe when it returns.

    Parameters
    ----------
    name
        ``stdout`` or ``stderr``.
    number
        The descriptor.
    """

    encoding = "UTF-8"

    def __init__(self, name: str, number: int) -> None:
        super().__init__()
        self.name = name
        self._number = number

    def fileno(self) -> int:
        """Return the descriptor."""
        return self._number

    def isatty(self) -> bool:
        """Return False."""
        return False

    def writable(self) -> bool:
        """Return True."""
        return True

    def write(self, string: str) -> int:
        """Write text.

        Raises
        ------
        TypeError
            If it is none, in ipykernel's words.
        """
        if not isinstance(string, str):
            raise TypeError(f"write() argument must be str, not {type(string)}")
        data = memoryview(string.encode("utf-8", "backslashreplace"))
        while data:
            data = data[os.write(self._number, data) :]
        return len(string)

    def flush(self) -> None:
        """Do nothing: nothing is held back."""

    def set_parent(self, parent: object) -> None:
        """Do nothing: what is written belongs to the request at work."""


class DirectApp(IPKernelApp):
    """ipykernel's application on one connection.

    Its class is ``IPKernelApp`` to those who look into the configuration.
    """

    connection: socket.socket

    def init_connection_file(self) -> None:
        """Have none."""

    def write_connection_file(self, **_options: object) -> None:
        """Write none."""

    def log_connection_info(self) -> None:
        """Tell nothing."""
        self._ports: dict[str, int] = {}

    def init_poller(self) -> None:
        """Watch nobody: the system ends this process with its parent."""

    def init_sockets(self) -> None:
        """Have none, and a session that writes to the connection."""
        self.session = DirectSession(parent=self)
        self.session.connection = self.connection
        self.configure_tornado_logger()
        self.iopub_socket = "iopub"

    def init_heartbeat(self) -> None:
        """Have none."""

    def init_io(self) -> None:
        """Let streams go to pipes, and results to the connection."""
        import sys

        from traitlets.utils.importstring import import_item

        sys.stdout = DirectStream("stdout", 1)
        sys.stderr = DirectStream("stderr", 2)
        self.displayhook = import_item(str(self.displayhook_class))(
            self.session, self.iopub_socket
        )
        sys.displayhook = self.displayhook
        self.patch_io()

    def init_kernel(self) -> None:
        """Make the kernel, which is never started."""
        kernel = self.kernel_class.instance(
            parent=self,
            session=self.session,
            shell_channel_thread=types.SimpleNamespace(
                parent_thread=threading.main_thread()
            ),
            iopub_socket=self.iopub_socket,
            log=self.log,
            profile_dir=self.profile_dir,
            user_ns=self.user_ns,
        )
        kernel.record_ports({})
        self.kernel = kernel
        self.displayhook.get_execution_count = lambda: kernel.execution_count

    def close(self) -> None:
        """Close nothing."""


async def answer(kernel: Any, message: dict[str, Any]) -> None:  # noqa: ANN401
    """Handle a request as the kernel's own dispatch does.

    Parameters
    ----------
    kernel
        ipykernel's.
    message
        With ``header``, ``content`` and ``metadata``.
    """
    import inspect
    import sys

    kernel.set_parent([b"direct"], message, channel="shell")
    kernel._publish_status("busy", "shell", parent=message)
    handler = kernel.shell_handlers[message["header"]["msg_type"]]
    kernel.pre_handler_hook()
    kernel.session.is_answering = True
    try:
        result = handler(SHELL, [b"direct"], message)
        if inspect.isawaitable(result):
            await result
    except KeyboardInterrupt:
        kernel.log.warning("KeyboardInterrupt caught in kernel.")
    except Exception:  # as the kernel does
        kernel.log.exception("Exception in message handler:")
    finally:
        kernel.session.is_answering = False
        kernel.post_handler_hook()
    sys.stdout.flush()
    sys.stderr.flush()
    kernel._publish_status("idle", "shell", parent=message)

"""One request and all that a kernel says about it."""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING, Any

from nbclient.exceptions import (  # noqa: TID253  # loaded by papermill's engine only
    CellExecutionComplete,
    CellTimeoutError,
    DeadKernelError,
)

from nbship.adapters.kernels.conversation import KernelIsDeadError
from nbship.adapters.kernels.listening import Reply

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from nbship.adapters.kernels.client import NbshipClient
    from nbship.adapters.kernels.conversation import Conversation
    from nbship.adapters.kernels.wire import Message

#: how long a kernel may take to close its descriptors to others
_PRIVACY_TIMEOUT_S = 30.0


#: silence after which a cell that is given up has been heard out, and the longest that is waited
_SILENCE_S, _HEARD_OUT_S = 0.1, 1.0


class CellExchange:
    """The execution of one cell, from its request to the kernel's rest.

    Parameters
    ----------
    client
        Takes the messages, and knows nbclient's options.
    cell, cell_index
        The cell.
    limit_of
        Returns the seconds that the cell may take; None is no limit.
    """

    def __init__(
        self,
        client: NbshipClient,
        cell: Any,  # noqa: ANN401  # a NotebookNode
        cell_index: int,
        *,
        limit_of: Callable[[], float | None],
    ) -> None:
        self._client = client
        self._talk = client.talk
        self._cell = cell
        self._cell_index = cell_index
        self._limit_of = limit_of
        self._request = ""
        self._is_idle = False
        self._reply: Message | None = None

    def begin(self, *, store_history: bool, stop_on_error: bool) -> None:
        """Send the request."""
        self._request = self._talk.ask(
            "execute_request",
            {
                "code": self._cell.source,
                "silent": False,
                "store_history": store_history,
                "user_expressions": {},
                "allow_stdin": False,
                "stop_on_error": stop_on_error,
            },
        )

    def finish(self) -> Message:
        """Wait until the kernel has replied and rests; return the reply.

        Raises
        ------
        DeadKernelError
            If it died; what it said before is in the cell.
        CellTimeoutError
            If it took too long; what it said until then is in the cell.
        KeyboardInterrupt
            If SIGINT ends it; so is what it said.
        SystemExit
            If SIGTERM does.
        """
        try:
            return self._finished()
        except (KeyboardInterrupt, SystemExit, CellTimeoutError):
            self._hear_out()
            raise

    def _finished(self) -> Message:
        limit_s = self._limit_of()
        end_s = _after(limit_s)
        while self._reply is None or not self._is_idle:
            is_replied = self._reply is not None
            waited_s = self._client.iopub_timeout if is_replied else _until(end_s)
            try:
                received = self._talk.receive(waited_s)
            except KernelIsDeadError:
                self._client.log.error("Kernel died while waiting for execute reply.")  # noqa: TRY400
                raise DeadKernelError("Kernel died") from None
            if received is not None:
                self._take(*received)
            elif is_replied:
                self._miss_the_rest()
            else:
                self._overrun(limit_s or 0.0)
                limit_s = self._limit_of()
                end_s = _after(limit_s)
        return self._reply

    def _hear_out(self) -> None:
        """Take what a cell that is given up has said until now, and is on its way."""
        end_s = time.monotonic() + _HEARD_OUT_S
        with contextlib.suppress(KernelIsDeadError):
            while time.monotonic() < end_s:
                received = self._talk.receive(_SILENCE_S)
                if received is None:
                    return
                self._take(*received)

    def _take(self, channel: str, message: Message) -> None:
        if message["parent_header"].get("msg_id") != self._request:
            return
        if channel == "shell":
            if self._client.record_timing:
                moment = message["header"].get("date")
                self._cell["metadata"]["execution"]["shell.execute_reply"] = _stamp(
                    moment
                )
            self._reply = message
            return
        try:
            self._client.process_message(message, self._cell, self._cell_index)
        except CellExecutionComplete:
            self._is_idle = True

    def _overrun(self, limit_s: float) -> None:
        """Interrupt a cell that takes too long where that is wanted, else give it up.

        Raises
        ------
        CellTimeoutError
            If it is given up.
        """
        client = self._client
        client.log.error("Timeout waiting for execute reply (%is).", limit_s)
        if not client.interrupt_on_timeout or client.is_overdue:
            raise CellTimeoutError(
                _words("Cell execution timed out", limit_s, self._cell)
            )
        client.log.error("Interrupting kernel")
        self._talk.interrupt()
        if client.error_on_timeout:
            content = {**client.error_on_timeout, "status": "error"}
            self._reply = self._talk.wire.message("execute_reply", content)

    def _miss_the_rest(self) -> None:
        """Give up what a kernel that has replied does not say.

        Raises
        ------
        CellTimeoutError
            If nbclient's options want that.
        """
        if self._client.raise_on_iopub_timeout:
            text, limit_s = (
                "Timeout waiting for IOPub output",
                self._client.iopub_timeout,
            )
            raise CellTimeoutError(_words(text, limit_s, self._cell))
        self._client.log.warning("Timeout waiting for IOPub output")
        self._is_idle = True


def ask_silently(talk: Conversation, code: str, *, timeout_s: float) -> Reply:
    """Run code in a kernel silently; what takes too long is interrupted.

    Raises
    ------
    DeadKernelError
        If the kernel is gone.
    """
    content = {
        "code": code,
        "silent": True,
        "store_history": False,
        "user_expressions": {},
        "allow_stdin": False,
        "stop_on_error": True,
    }
    request, end_s = talk.ask("execute_request", content), _after(timeout_s)
    while True:
        try:
            received = talk.receive(_until(end_s))
        except KernelIsDeadError:
            raise DeadKernelError("Kernel died") from None
        if received is None:
            talk.interrupt()
            evalue = f"it took longer than {timeout_s:g} s"
            return Reply(is_ok=False, ename="TimeoutError", evalue=evalue)
        channel, message = received
        if channel == "shell" and message["parent_header"].get("msg_id") == request:
            content = message["content"]
            return Reply(
                is_ok=content["status"] == "ok",
                ename=content.get("ename", ""),
                evalue=content.get("evalue", ""),
            )


def keep_private(
    talk: Conversation, info: Mapping[str, Any], held_fds: Sequence[int]
) -> None:
    """Keep what the kernel holds from the programs that its cells start."""
    if info.get("language_info", {}).get("name") == "python":
        code = f"for _ in {tuple(held_fds)}: __import__('os').set_inheritable(_, False)"
        ask_silently(talk, f"exec({code!r}, {{}})", timeout_s=_PRIVACY_TIMEOUT_S)


def _after(limit_s: float | None) -> float | None:
    return None if limit_s is None else time.monotonic() + limit_s


def _until(end_s: float | None) -> float | None:
    return None if end_s is None else max(0.0, end_s - time.monotonic())


def _words(text: str, limit_s: float, cell: Any) -> str:  # noqa: ANN401
    """Say in nbclient's words what took too long."""
    return str(CellTimeoutError.error_from_timeout_and_cell(text, limit_s, cell))


def _stamp(moment: Any) -> str:  # noqa: ANN401
    from nbclient.client import timestamp

    return str(timestamp({"header": {"date": moment}}))

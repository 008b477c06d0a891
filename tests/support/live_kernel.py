"""A real kernel that a test drives as a front end does."""

from __future__ import annotations

import os
import queue
import signal
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from jupyter_client.manager import KernelManager

from nbship.adapters.store.files import FileStore
from nbship.workflow.recording import find_run, load_run

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from nbship.records.run import Run

TIMEOUT_S = 60.0


@dataclass(kw_only=True)
class Reply:
    """What one execution of a cell gave."""

    status: str = ""
    ename: str = ""
    evalue: str = ""
    traceback: list[str] = field(default_factory=list)
    #: messages on the output channel, as (type, content)
    messages: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    @property
    def text(self) -> str:
        """Everything that was printed or displayed as text."""
        texts = []
        for kind, content in self.messages:
            if kind == "stream":
                texts.append(content["text"])
            elif kind in {"display_data", "execute_result"}:
                texts.append(content["data"].get("text/plain", ""))
        return "\n".join(texts)


class LiveKernel:
    """A kernel in a project folder, with cells sent as JupyterLab sends them."""

    def __init__(self, folder: Path, environ: Mapping[str, str] | None = None) -> None:
        self.folder = folder
        (folder / ".mlops").mkdir(exist_ok=True)
        self._manager = KernelManager(kernel_name="python3")
        variables = {"MLOPS_TRACKERS": "", **os.environ, **(environ or {})}
        self._manager.start_kernel(cwd=str(folder), env=variables)
        self._client = self._manager.blocking_client()
        self._client.start_channels()
        self._client.wait_for_ready(timeout=TIMEOUT_S)

    @property
    def pid(self) -> int:
        return self._manager.provisioner.process.pid

    def run(self, code: str, *, cell_id: str = "", tags: Sequence[str] = ()) -> Reply:
        """Run a cell to its end."""
        return self.wait(self.send(code, cell_id=cell_id, tags=tags))

    def send(self, code: str, *, cell_id: str = "", tags: Sequence[str] = ()) -> str:
        """Send a cell and return the id of the request."""
        content = {
            "code": code,
            "silent": False,
            "store_history": True,
            "user_expressions": {},
            "allow_stdin": False,
            "stop_on_error": False,
        }
        metadata = {"cellId": cell_id, "tags": list(tags)} if cell_id else {}
        message = self._client.session.msg("execute_request", content)
        message["metadata"] = metadata
        self._client.shell_channel.send(message)
        return message["header"]["msg_id"]

    def wait(self, request: str) -> Reply:
        """Wait until a cell has ended."""
        reply, deadline = Reply(), time.monotonic() + TIMEOUT_S
        is_idle = False
        while not (is_idle and reply.status):
            assert time.monotonic() < deadline, "the kernel gave no answer"
            is_idle |= self._take_output(request, reply)
            self._take_answer(request, reply)
        return reply

    def interrupt(self) -> None:
        self._manager.interrupt_kernel()

    def kill(self) -> None:
        """Kill the kernel's process, as the system's memory guard does."""
        os.kill(self.pid, signal.SIGKILL)

    def shut_down(self) -> None:
        """End the kernel in good order."""
        self._client.shutdown()
        self._manager.finish_shutdown(waittime=TIMEOUT_S)
        self.close()

    def close(self) -> None:
        self._client.stop_channels()
        if self._manager.has_kernel:
            self._manager.shutdown_kernel(now=True)
        self._manager.cleanup_resources()
        self._manager.context.destroy(linger=0)

    def last_run(self) -> Run:
        """Fold the newest run of the folder."""
        store = FileStore(self.folder / ".mlops")
        return load_run(store, find_run(store, "last"))

    def _take_output(self, request: str, reply: Reply) -> bool:
        try:
            message = self._client.get_iopub_msg(timeout=0.05)
        except queue.Empty:
            return False
        if message["parent_header"].get("msg_id") != request:
            return False
        content = message["content"]
        if message["msg_type"] == "error":
            reply.ename, reply.evalue = content["ename"], content["evalue"]
            reply.traceback = content["traceback"]
        reply.messages.append((message["msg_type"], content))
        return content.get("execution_state") == "idle"

    def _take_answer(self, request: str, reply: Reply) -> None:
        if reply.status:
            return
        try:
            message = self._client.get_shell_msg(timeout=0.05)
        except queue.Empty:
            return
        if message["parent_header"].get("msg_id") == request:
            reply.status = message["content"]["status"]


def wait_until(is_true: Any, *, what: str, timeout_s: float = TIMEOUT_S) -> None:
    """Look again and again until something holds."""
    deadline = time.monotonic() + timeout_s
    while not is_true():
        assert time.monotonic() < deadline, f"waited {timeout_s} s for {what}"
        time.sleep(0.05)

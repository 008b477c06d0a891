"""papermill's notebook client, made truthful: what ended a cell is told and kept.

Papermill marks every cell completed where the kernel died, a cell took too long or the
process was interrupted. Here the cell that was running carries an ``error`` output and is
failed in papermill's own metadata, and those behind it stay pending.
"""

from __future__ import annotations

import asyncio
import signal
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from jupyter_core.utils import run_sync
from nbclient.exceptions import (  # noqa: TID253  # loaded by papermill's engine only
    CellExecutionError,
)
from papermill.clientwrap import (  # noqa: TID253  # loaded by papermill's engine only
    PapermillNotebookClient,
)

from nbship.adapters.kernels.failures import (
    Circumstances,
    Failure,
    error_node,
    error_output,
    failure_of,
)
from nbship.records.run import CellStatus

if TYPE_CHECKING:
    from collections.abc import Mapping

#: exit code of a process that SIGTERM ended, as shells count
TERMINATED = 128 + signal.SIGTERM
#: the last question that a kernel is asked; papermill waits for ever
_KERNEL_INFO_TIMEOUT_S = 30.0


class Listener(Protocol):
    """Who is told what happens, while it happens."""

    def kernel_ready(self, client: NbshipClient) -> None:
        """Take note that the kernel answers; the first cell has not begun."""

    def cell_started(self, cell: Any) -> None:  # noqa: ANN401  # a NotebookNode
        """Take note that a code cell begins."""

    def output(self, data: Mapping[str, Any]) -> None:
        """Take an output of the running cell: ``output`` with ``display_id`` and ``is_update``, or ``clear``."""

    def cell_ended(
        self,
        cell: Any,  # noqa: ANN401  # a NotebookNode
        *,
        status: CellStatus,
        duration_s: float,
        error: Mapping[str, Any] | None,
    ) -> None:
        """Take note that the running code cell has ended."""

    def cells_done(self, client: NbshipClient) -> None:
        """Take note that the last cell has ended well; the kernel still lives."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Reply:
    """What a kernel answered to a silent request."""

    is_ok: bool
    #: exception's name and text where it is not
    ename: str = ""
    evalue: str = ""


class NbshipClient(PapermillNotebookClient):
    """Executes the cells and tells a listener.

    Parameters
    ----------
    nb_man
        papermill's ``NotebookExecutionManager``.
    listener
        Who is told.
    deadline_s
        Seconds that all cells together may take; 0 is no limit.
    options
        Traits of nbclient's ``NotebookClient``.
    """

    def __init__(
        self,
        nb_man: Any,  # noqa: ANN401  # papermill has no types
        *,
        listener: Listener,
        deadline_s: float = 0.0,
        **options: Any,  # noqa: ANN401
    ) -> None:
        super().__init__(nb_man, **options)
        self.listener = listener
        self.failure: Failure | None = None
        self._deadline_s = deadline_s
        self._began_s = time.monotonic()

    def execute(self, **kwargs: Any) -> Any:  # noqa: ANN401  # what start_kernel takes
        """Start a kernel, execute every cell in it and shut it down.

        Parameters
        ----------
        kwargs
            Options of ``KernelManager.start_kernel``, such as ``env`` and ``cwd``.
        """
        self.reset_execution_trackers()
        with self.setup_kernel(**kwargs):
            self.log.info("Executing notebook with kernel: %s", self.kernel_name)
            self._began_s = time.monotonic()
            self.listener.kernel_ready(self)
            self.papermill_execute_cells()
            if self.failure is None:
                self.listener.cells_done(self)
            self._note_language()
            self.set_widgets_metadata()
        return self.nb

    def papermill_execute_cells(self) -> None:
        """Execute every cell; the first failure ends it.

        A cell's own exception returns as papermill wants it; whatever else ended a cell is
        marked in the notebook and raised again.
        """
        for index, cell in enumerate(self.nb.cells):
            self.nb_man.cell_start(cell, index)
            try:
                self._execute_told(cell, index)
            except CellExecutionError as error:
                self.nb_man.cell_exception(cell, cell_index=index, exception=error)
                break
            except BaseException as error:
                self.shutdown_kernel = "immediate"
                self.nb_man.cell_exception(cell, cell_index=index, exception=error)
                raise
            finally:
                self.nb_man.cell_complete(cell, cell_index=index)

    def ask(self, code: str, *, timeout_s: float) -> Reply:
        """Run code in the kernel silently: no output, no history, no execution count.

        Raises
        ------
        DeadKernelError
            If the kernel is gone.
        """
        reply: Reply = run_sync(self._async_ask)(code, timeout_s)
        return reply

    def process_message(self, msg: Any, cell: Any, cell_index: int) -> Any:  # noqa: ANN401
        """Take one message of the kernel, and tell the listener what it changes."""
        was_clearing = self.clear_before_next_output
        output = super().process_message(msg, cell, cell_index)
        kind, content = msg["msg_type"], msg["content"]
        display_id = (content.get("transient") or {}).get("display_id")
        if output is not None:
            if was_clearing:
                self.listener.output({"clear": True})
            self.listener.output({"output": dict(output), "display_id": display_id})
        elif kind == "update_display_data":
            shown = {"output_type": "display_data", "data": content["data"]}
            shown["metadata"] = content.get("metadata") or {}
            self.listener.output(
                {"output": shown, "display_id": display_id, "is_update": True}
            )
        elif kind == "clear_output" and not content.get("wait"):
            self._tell_cleared(msg)
        return output

    def _tell_cleared(self, msg: Any) -> None:  # noqa: ANN401
        if not self.output_hook_stack[msg["parent_header"].get("msg_id")]:
            self.listener.output({"clear": True})

    def _execute_told(self, cell: Any, index: int) -> None:  # noqa: ANN401
        if not self._will_run(cell):
            self.execute_cell(cell, index)
            return
        self.listener.cell_started(cell)
        began_s = time.monotonic()
        status, error = CellStatus.OK, None
        try:
            self.execute_cell(cell, index)
            error = error_output(cell)  # one that the cell's tags allow
            status = CellStatus.OK if error is None else CellStatus.FAILED
        except BaseException as raised:
            self.failure = self._failure(raised, cell, index)
            status, error = self.failure.cell_status, dict(self.failure.error)
            raise
        finally:
            duration_s = time.monotonic() - began_s
            self.listener.cell_ended(
                cell, status=status, duration_s=duration_s, error=error
            )

    def _will_run(self, cell: Any) -> bool:  # noqa: ANN401
        if cell.cell_type != "code" or not cell.source.strip():
            return False
        return self.skip_cells_with_tag not in cell.metadata.get("tags", [])

    def _failure(self, raised: BaseException, cell: Any, index: int) -> Failure:  # noqa: ANN401
        """Tell what ended a cell, in its outputs too."""
        process = getattr(getattr(self.km, "provisioner", None), "process", None)
        circumstances = Circumstances(
            exit_code=None if process is None else process.poll(),
            cell_limit_s=self.timeout or 0.0,
            deadline_s=self._deadline_s,
            is_overdue=bool(self._deadline_s) and self._remaining_s() <= 0,
        )
        failure = failure_of(raised, cell, index, circumstances=circumstances)
        if not isinstance(raised, CellExecutionError):
            cell.outputs.append(error_node(failure.error))
            told = {"output_type": "error", **failure.error}
            self.listener.output({"output": told})
        return failure

    def _remaining_s(self) -> float:
        return self._began_s + self._deadline_s - time.monotonic()

    def _get_timeout(self, cell: Any) -> Any:  # noqa: ANN401
        if cell is None:  # silent requests carry their own limits
            return None
        own = super()._get_timeout(cell)
        if not self._deadline_s:
            return own
        remaining_s = max(self._remaining_s(), 0.001)  # nbclient takes 0 for no limit
        return remaining_s if own is None else min(own, remaining_s)

    def _note_language(self) -> None:
        reply = run_sync(self._async_kernel_info)()
        if reply is not None and "language_info" in reply["content"]:
            self.nb.metadata["language_info"] = reply["content"]["language_info"]

    async def _async_kernel_info(self) -> Any:  # noqa: ANN401
        try:
            return await self._async_reply(
                self.kc.kernel_info(), timeout_s=_KERNEL_INFO_TIMEOUT_S
            )
        except TimeoutError:
            self.log.warning("The kernel does not answer any more; it is shut down.")
            return None

    async def _async_ask(self, code: str, timeout_s: float) -> Reply:
        message = self.kc.execute(code, silent=True, store_history=False)
        try:
            reply = await self._async_reply(message, timeout_s=timeout_s)
        except TimeoutError:
            await self.km.interrupt_kernel()
            return Reply(
                is_ok=False,
                ename="TimeoutError",
                evalue=f"it took longer than {timeout_s:g} s",
            )
        content = reply["content"]
        return Reply(
            is_ok=content["status"] == "ok",
            ename=content.get("ename", ""),
            evalue=content.get("evalue", ""),
        )

    async def _async_reply(self, message_id: Any, *, timeout_s: float) -> Any:  # noqa: ANN401
        if asyncio.iscoroutine(message_id):
            message_id = await message_id
        async with asyncio.timeout(timeout_s):
            return await self.async_wait_for_reply(message_id)

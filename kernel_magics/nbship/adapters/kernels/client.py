"""papermill's notebook client, made truthful and quick.

Papermill marks every cell completed where the kernel died, a cell took too long or the
process was interrupted. Here the cell that was running carries an ``error`` output and is
failed in papermill's own metadata, and those behind it stay pending.

What messages mean is nbclient's: displays and their updates, comms, Output widgets, tags. How
they travel is ours: nbclient waits in three tasks of an event loop, and asks once a second
whether the kernel lives.
"""

from __future__ import annotations

import os
import signal
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nbclient.exceptions import (  # noqa: TID253  # loaded by papermill's engine only
    CellExecutionError,
)

from nbship.adapters.kernels.exchange import CellExchange, ask_silently, keep_private
from nbship.adapters.kernels.failures import (
    Circumstances,
    Failure,
    error_node,
    error_output,
    failure_of,
)
from nbship.adapters.kernels.foreseeing import (
    changes_variables,
    imported_names,
    needs_kernel,
)
from nbship.adapters.kernels.messages import MessageClient
from nbship.adapters.kernels.starting import Demand, start_kernel
from nbship.records.run import CellStatus

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from nbship.adapters.kernels.conversation import Conversation
    from nbship.adapters.kernels.listening import Listener, Reply
    from nbship.adapters.kernels.terms import Terms

#: exit code of a process that SIGTERM ended, as shells count
TERMINATED = 128 + signal.SIGTERM


class NbshipClient(MessageClient):
    """Executes the cells and tells a listener.

    Parameters
    ----------
    nb_man
        papermill's ``NotebookExecutionManager``.
    listener
        Who is told.
    terms
        How its kernel is started, and how long all cells may take.
    options
        Traits of nbclient's ``NotebookClient``.
    """

    def __init__(
        self,
        nb_man: Any,  # noqa: ANN401  # papermill has no types
        *,
        listener: Listener,
        terms: Terms,
        **options: Any,  # noqa: ANN401
    ) -> None:
        super().__init__(nb_man, listener=listener, **options)
        self.failure: Failure | None = None
        self._terms = terms
        self._began_s = time.monotonic()
        self._talk: Conversation | None = None
        self._needs_kernel = ""
        #: True where leading cells were executed once, together with other jobs
        self.has_shared = False

    @property
    def talk(self) -> Conversation:
        """The conversation with the kernel, while there is one.

        Raises
        ------
        RuntimeError
            If there is none.
        """
        if self._talk is None:
            raise RuntimeError("no kernel is running")
        return self._talk

    def execute(self, **kwargs: Any) -> Any:  # noqa: ANN401
        """Start a kernel, execute every cell in it and shut it down.

        Parameters
        ----------
        kwargs
            ``env`` and ``cwd`` of the kernel.
        """
        self.reset_execution_trackers()
        with self._kernel(**kwargs) as info:
            self.log.info("Executing notebook with kernel: %s", self.kernel_name)
            self._began_s = time.monotonic()
            self.listener.kernel_ready(self)
            self.papermill_execute_cells()
            if self.failure is None:
                self.listener.cells_done(self)
            if "language_info" in info:
                self.nb.metadata["language_info"] = info["language_info"]
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
                if self.failure is None or self.failure.why is not None:
                    self.nb_man.cell_exception(cell, cell_index=index, exception=error)
                break  # sys.exit(0) ends the notebook, and is no failure
            except BaseException as error:
                self.nb_man.cell_exception(cell, cell_index=index, exception=error)
                raise
            finally:
                self.nb_man.cell_complete(cell, cell_index=index)

    def execute_cell(
        self,
        cell: Any,  # noqa: ANN401
        cell_index: int,
        execution_count: int | None = None,
        store_history: bool = True,  # noqa: FBT001, FBT002  # nbclient's
    ) -> Any:  # noqa: ANN401
        """Execute one cell; nbclient's own documentation names the parameters."""
        self.run_hook(self.on_cell_start, cell=cell, cell_index=cell_index)
        if not self.will_run(cell):
            return cell
        if self.record_timing:
            cell["metadata"]["execution"] = {}
        self.run_hook(self.on_cell_execute, cell=cell, cell_index=cell_index)
        exchange = CellExchange(
            self, cell, cell_index, limit_of=lambda: self._get_timeout(cell)
        )
        cell.outputs = []
        self.clear_before_next_output = False
        exchange.begin(
            store_history=store_history, stop_on_error=not self._allows(cell, "")
        )
        self.run_hook(self.on_cell_complete, cell=cell, cell_index=cell_index)
        self.code_cells_executed += 1
        try:
            reply = exchange.finish()
        finally:
            self.settle()
        if execution_count:
            cell["execution_count"] = execution_count
        told = {"cell": cell, "cell_index": cell_index, "execute_reply": reply}
        self.run_hook(self.on_cell_executed, **told)
        self._raise_for(reply["content"], cell, told)
        return cell

    def ask(self, code: str, *, timeout_s: float) -> Reply:
        """Run code in the kernel silently: no output, no history, no execution count.

        Raises
        ------
        DeadKernelError
            If the kernel is gone.
        """
        return ask_silently(self.talk, code, timeout_s=timeout_s)

    @property
    def kernel_remark(self) -> str:
        """How the kernel was started."""
        remark = self.talk.process.remark
        if self._terms.is_direct and self._needs_kernel:
            return f"{remark}; not direct: {self._needs_kernel}"
        return f"direct, {remark}" if self.talk.is_direct else remark

    @property
    def limit_remark(self) -> str:
        """Who holds it to its limit of memory; "" where it has none."""
        return self._terms.watch.limit_remark

    @contextmanager
    def _kernel(
        self, *, env: Mapping[str, str] | None = None, cwd: str | None = None
    ) -> Iterator[Mapping[str, Any]]:
        """Have a kernel that answers; it has ended when the block has."""
        named = self.nb.metadata.get("kernelspec", {}).get("name", "")
        sources = [c.source for c in self.nb.cells if c.cell_type == "code"]
        self._needs_kernel = needs_kernel(sources)
        demand = Demand(
            kernel_name=self.kernel_name or named,
            environ=os.environ if env is None else env,
            cwd=Path(
                cwd or self.resources.get("metadata", {}).get("path") or Path.cwd()
            ),
            arguments=tuple(self.extra_arguments),
            held_fds=self._terms.held_fds,
            is_fresh=self._terms.is_fresh,
            imports=imported_names(sources),
            is_bare=changes_variables(sources),
            is_direct=self._terms.is_direct and not self._needs_kernel,
        )
        self._talk = talk = start_kernel(demand, self._terms.launcher)
        talk.redact(self._terms.redactor)
        self.kc = talk.front_end
        watch, is_busy = self._terms.watch, True
        try:
            info = self._readied(talk)
            watch.begin(talk.process.pid, talk.kill)
            yield info
            is_busy = False
        finally:
            self.has_shared = talk.has_shared
            self._talk = self.kc = None
            talk.shutdown(
                is_immediate=self.shutdown_kernel == "immediate", is_busy=is_busy
            )
            watch.close()

    def _readied(self, talk: Conversation) -> Mapping[str, Any]:
        try:
            info = talk.wait_ready(self.startup_timeout)
        except RuntimeError as error:
            self.shutdown_kernel = "immediate"
            self.log.error("The kernel %s did not start: %s", self.kernel_name, error)  # noqa: TRY400
            raise
        if self._terms.held_fds and not (talk.is_direct or talk.process.preloaded):
            keep_private(self.talk, info, self._terms.held_fds)
        self.run_hook(self.on_notebook_start, notebook=self.nb)
        return info

    def _execute_told(self, cell: Any, index: int) -> None:  # noqa: ANN401
        if not self.will_run(cell):
            self.execute_cell(cell, index)
            return
        self.listener.cell_started(cell)
        watch, began_s = self._terms.watch, time.monotonic()
        watch.cell_started()
        status, error = CellStatus.OK, None
        try:
            self.execute_cell(cell, index)
            error = error_output(cell)  # one that the cell's tags allow
            status = CellStatus.OK if error is None else CellStatus.FAILED
        except BaseException as raised:
            self.failure = self._failure(raised, cell, index)
            if not isinstance(raised, CellExecutionError):
                self._tell(cell, self.failure)
            status, error = self.failure.cell_status, dict(self.failure.error)
            raise
        finally:
            duration_s = time.monotonic() - began_s
            usage = watch.cell_ended()
            self.listener.cell_ended(
                cell, status=status, duration_s=duration_s, error=error, usage=usage
            )

    def _allows(self, cell: Any, ename: str) -> bool:  # noqa: ANN401
        """Tell whether a cell may raise an exception of that name."""
        return not self.force_raise_errors and (
            self.allow_errors
            or ename in self.allow_error_names
            or "raises-exception" in cell.metadata.get("tags", [])
        )

    def _raise_for(
        self,
        content: Mapping[str, Any],
        cell: Any,  # noqa: ANN401
        told: Mapping[str, Any],
    ) -> None:
        if content["status"] != "error":
            return
        self.run_hook(self.on_cell_error, **told)
        if not self._allows(cell, content.get("ename", "")):
            raise CellExecutionError.from_cell_and_msg(cell, content)

    def _failure(self, raised: BaseException, cell: Any, index: int) -> Failure:  # noqa: ANN401
        """Tell what ended a cell."""
        circumstances = Circumstances(
            exit_code=self._exit_code(),
            cell_limit_s=self.timeout or 0.0,
            deadline_s=self._terms.deadline_s,
            is_overdue=self.is_overdue,
            has_gpus=self._terms.has_gpus,
            evidence=self._terms.watch.evidence(),
        )
        return failure_of(raised, cell, index, circumstances=circumstances)

    def _tell(self, cell: Any, failure: Failure) -> None:  # noqa: ANN401
        """Say in a cell's outputs what ended it."""
        cell.outputs.append(error_node(failure.error))
        self.listener.output({"output": {"output_type": "error", **failure.error}})

    def _exit_code(self) -> int | None:
        return self.talk.process.poll()

    @property
    def is_overdue(self) -> bool:
        """True where the limit of all cells together is passed."""
        return bool(self._terms.deadline_s) and self._remaining_s() <= 0

    def _remaining_s(self) -> float:
        return self._began_s + self._terms.deadline_s - time.monotonic()

    def _get_timeout(self, cell: Any) -> Any:  # noqa: ANN401
        own = super()._get_timeout(cell)
        if not self._terms.deadline_s:
            return own
        remaining_s = max(self._remaining_s(), 0.001)  # nbclient takes 0 for no limit
        return remaining_s if own is None else min(own, remaining_s)

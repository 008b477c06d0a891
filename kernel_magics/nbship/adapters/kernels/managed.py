"""Kernels that somebody else starts and reaches: managers and provisioners of other packages.

nbclient itself talks to them, as papermill's own engine does; what is told and kept is the same
as for every other kernel.
"""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from jupyter_core.utils import run_sync
from nbclient import (  # noqa: TID253  # loaded by papermill's engine only
    NotebookClient,
)

from nbship.adapters.kernels.client import NbshipClient
from nbship.adapters.kernels.listening import Reply, Unwatched
from nbship.adapters.kernels.starting import is_local, read_spec

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

#: the last question that a kernel is asked; papermill waits for ever
_KERNEL_INFO_TIMEOUT_S = 30.0


def client_class(kernel_name: str, options: Mapping[str, Any]) -> type[NbshipClient]:
    """Choose who talks to a kernel.

    Parameters
    ----------
    kernel_name
        The kernel.
    options
        nbclient's traits, and ``km``, as papermill's user gave them.

    """
    from jupyter_client.kernelspec import NoSuchKernel

    if not {"km", "kernel_manager_class"}.isdisjoint(options):
        return ManagedClient
    try:
        return NbshipClient if is_local(read_spec(kernel_name)) else ManagedClient
    except NoSuchKernel:  # which is told when it is started
        return NbshipClient


class ManagedClient(NbshipClient):
    """Executes the cells over nbclient's own transport."""

    def execute_cell(self, *words: Any, **options: Any) -> Any:  # noqa: ANN401
        """Execute one cell; nbclient's own documentation names the parameters."""
        try:
            return NotebookClient.execute_cell(self, *words, **options)
        finally:
            self.settle()

    def ask(self, code: str, *, timeout_s: float) -> Reply:
        """Run code in the kernel silently: no output, no history, no execution count.

        Raises
        ------
        DeadKernelError
            If the kernel is gone.
        """
        reply: Reply = run_sync(self._async_ask)(code, timeout_s)
        return reply

    @property
    def kernel_remark(self) -> str:
        """Who started the kernel."""
        return f"started by {type(self.km).__name__}"

    def process_message(self, msg: Any, cell: Any, cell_index: int) -> Any:  # noqa: ANN401
        """Take one message of the kernel, without the secrets in it."""
        output = None
        for passed in self._without_secrets("iopub", msg):
            output = super().process_message(passed, cell, cell_index)
        return output

    @contextmanager
    def _kernel(self, **kwargs: Any) -> Iterator[Mapping[str, Any]]:  # noqa: ANN401
        with self.setup_kernel(**kwargs):
            try:
                # who knows where it runs
                self._terms = replace(self._terms, watch=Unwatched())
                yield run_sync(self._async_info)()
            except BaseException:
                self.shutdown_kernel = "immediate"
                raise

    def _without_secrets(self, channel: str, message: Any) -> Any:  # noqa: ANN401
        redactor = self._terms.redactor
        return [message] if redactor is None else redactor.messages(channel, message)

    async def _check_raise_for_error(
        self,
        cell: Any,  # noqa: ANN401
        cell_index: int,
        exec_reply: Any,  # noqa: ANN401
    ) -> None:
        for passed in self._without_secrets("shell", exec_reply):
            await super()._check_raise_for_error(cell, cell_index, passed)

    def _exit_code(self) -> int | None:
        process = getattr(getattr(self.km, "provisioner", None), "process", None)
        return None if process is None else process.poll()

    def _get_timeout(self, cell: Any) -> Any:  # noqa: ANN401
        return None if cell is None else super()._get_timeout(cell)

    async def _async_info(self) -> Any:  # noqa: ANN401
        try:
            reply = await self._async_reply(
                self.kc.kernel_info(), timeout_s=_KERNEL_INFO_TIMEOUT_S
            )
        except TimeoutError:
            self.log.warning("The kernel does not say what it is.")
            return {}
        return reply["content"]

    async def _async_ask(self, code: str, timeout_s: float) -> Reply:
        message = self.kc.execute(code, silent=True, store_history=False)
        try:
            reply = await self._async_reply(message, timeout_s=timeout_s)
        except TimeoutError:
            await self.km.interrupt_kernel()
            evalue = f"it took longer than {timeout_s:g} s"
            return Reply(is_ok=False, ename="TimeoutError", evalue=evalue)
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

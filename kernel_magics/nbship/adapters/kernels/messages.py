"""What the messages of a kernel change in a notebook: nbclient's meaning, and who is told."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

from jupyter_core.utils import run_sync
from nbformat import (  # noqa: TID253  # loaded by papermill's engine only
    NotebookNode,
)
from papermill.clientwrap import (  # noqa: TID253  # loaded by papermill's engine only
    PapermillNotebookClient,
)

from nbship.adapters.kernels.streams import Streams

if TYPE_CHECKING:
    from collections.abc import Callable

    from nbship.adapters.kernels.listening import Listener

#: what an output keeps of its message
_KEPT = {
    "execute_result": ("data", "metadata", "execution_count"),
    "display_data": ("data", "metadata"),
    "error": ("ename", "evalue", "traceback"),
}


class MessageClient(PapermillNotebookClient):
    """Brings a notebook to the state after each message.

    Parameters
    ----------
    nb_man
        papermill's ``NotebookExecutionManager``.
    listener
        Who is told.
    options
        Traits of nbclient's ``NotebookClient``.
    """

    def __init__(
        self,
        nb_man: Any,  # noqa: ANN401  # papermill has no types
        *,
        listener: Listener,
        **options: Any,  # noqa: ANN401
    ) -> None:
        super().__init__(nb_man, **options)
        self.listener = listener
        self.clear_before_next_output = False
        self._streams = Streams()

    def will_run(self, cell: Any) -> bool:  # noqa: ANN401
        """Tell whether a cell is executed at all."""
        if cell.cell_type != "code" or not cell.source.strip():
            return False
        return self.skip_cells_with_tag not in cell.metadata.get("tags", [])

    def process_message(self, msg: Any, cell: Any, cell_index: int) -> Any:  # noqa: ANN401
        """Take one message of the kernel, and tell the listener what it changes."""
        was_clearing: bool = self.clear_before_next_output
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

    def output(
        self,
        outs: list[Any],
        msg: Any,  # noqa: ANN401
        display_id: str | None,
        cell_index: int,
    ) -> Any:  # noqa: ANN401
        """Add an output to a cell; streams are joined, and validity is checked at the end."""
        kind, content = msg["header"]["msg_type"], msg["content"]
        is_hooked = bool(self.output_hook_stack[msg["parent_header"].get("msg_id")])
        if is_hooked or (kind != "stream" and kind not in _KEPT):
            return super().output(outs, msg, display_id, cell_index)
        if self.clear_before_next_output:
            outs[:] = []
            self.clear_display_id_mapping(cell_index)
            self.clear_before_next_output = False
        if kind == "stream":
            self._streams.write(outs, content["name"], content["text"])
            return NotebookNode(
                output_type=kind, name=content["name"], text=content["text"]
            )
        kept = {name: content[name] for name in _KEPT[kind]}
        made = NotebookNode(output_type=kind, **kept)
        if display_id:
            places = self._display_id_map.setdefault(display_id, {})
            places.setdefault(cell_index, []).append(len(outs))
        outs.append(made)
        return made

    def _update_display_id(self, display_id: str, msg: Any) -> None:  # noqa: ANN401
        super()._update_display_id(display_id, msg)
        for cell_index in self._display_id_map.get(display_id, ()):
            self.nb_man.touch(cell_index)

    def settle(self) -> None:
        """Bring the outputs of the running cell up to the last message."""
        self._streams.settle()

    @staticmethod
    def run_hook(hook: Callable[..., Any] | None, **told: Any) -> None:  # noqa: ANN401
        """Call one of nbclient's hooks, where it is set."""
        if hook is None:
            return
        result = hook(**told)
        if inspect.isawaitable(result):
            run_sync(lambda: result)()

    def _tell_cleared(self, msg: Any) -> None:  # noqa: ANN401
        if not self.output_hook_stack[msg["parent_header"].get("msg_id")]:
            self.listener.output({"clear": True})

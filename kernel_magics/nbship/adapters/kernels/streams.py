"""Streams of the running cell: one output per run of a name, however often it is written to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nbship.capture.terminal import TerminalText

if TYPE_CHECKING:
    from nbformat import NotebookNode


class Streams:
    """Joins what is written to ``stdout`` and ``stderr``, at a cost linear in its length.

    The text of the last output is complete after :meth:`settle` only.
    """

    def __init__(self) -> None:
        self._node: Any = None
        self._text = TerminalText()
        self._is_settled = True

    def write(self, outputs: list[Any], name: str, text: str) -> None:
        """Take text; it goes to the last output where that is the same stream."""
        is_same = (
            bool(outputs) and outputs[-1] is self._node and (self._node["name"] == name)
        )
        if not is_same:
            self.settle()
            self._node, self._text = _stream(name), TerminalText()
            outputs.append(self._node)
        self._text.write(text)
        self._is_settled = False

    def settle(self) -> bool:
        """Put the text into its output; False where it was there already."""
        if self._is_settled:
            return False
        self._node["text"] = self._text.shown
        self._is_settled = True
        return True


def _stream(name: str) -> NotebookNode:
    from nbformat import NotebookNode

    return NotebookNode(output_type="stream", name=name, text="")

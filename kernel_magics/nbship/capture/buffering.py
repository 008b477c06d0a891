"""Outputs of the running cell on their way to the journal: at once, but not without measure.

A token bucket lets ordinary printing through as it happens, so that a killed kernel loses
nothing; a loop that prints without pause is joined to a few events a second.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nbship.capture.outputs import merge

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

#: events that may be written in one burst, and how many more each second
_BURST = 50.0
_EVENTS_PER_S = 10.0
#: text of one cell's streams that is kept; the rest is counted
STREAM_LIMIT_CHARS = 1_000_000


class OutputBuffer:
    """The outputs of one cell execution that are not written yet.

    Parameters
    ----------
    write
        Writes the data of one ``OUTPUT`` event, without ``execution_id``.
    """

    def __init__(self, write: Callable[[Mapping[str, Any]], None]) -> None:
        self._write = write
        self._pending: list[dict[str, Any]] = []
        self._tokens = _BURST
        self._filled_s = 0.0
        self._stream_chars = 0
        self._left_out_chars = 0

    def stream(self, name: str, text: str, *, now_s: float) -> None:
        """Take text written to ``stdout`` or ``stderr``."""
        room = STREAM_LIMIT_CHARS - self._stream_chars
        self._stream_chars += min(room, len(text))
        self._left_out_chars += max(0, len(text) - room)
        if text := text[:room]:
            output = {"output_type": "stream", "name": name, "text": text}
            self._add({"output": output})
            if text.endswith(("\n", "\r")) or "\r" in text:
                self._flush_in_measure(now_s)

    def display(
        self,
        output: Mapping[str, Any],
        *,
        now_s: float,
        display_id: str | None = None,
        is_update: bool = False,
    ) -> None:
        """Take a display or a result."""
        data: dict[str, Any] = {"output": dict(output)}
        if display_id is not None:
            data |= {"display_id": display_id, "is_update": is_update}
        self._add(data)
        self._flush_in_measure(now_s)

    def clear(self) -> None:
        """Take a ``clear_output``: what is pending is never written."""
        self._pending = [{"clear": True}]

    def flush(self) -> None:
        """Write what is pending; the cell has ended."""
        if self._left_out_chars:
            text = f"\n[nbship left out {self._left_out_chars} characters]\n"
            output = {"output_type": "stream", "name": "stderr", "text": text}
            self._pending.append({"output": output})
            self._left_out_chars = 0
        pending, self._pending = self._pending, []
        for data in pending:
            self._write(data)

    def _add(self, data: dict[str, Any]) -> None:
        last = self._pending[-1] if self._pending else {}
        if data.get("is_update") and last.get("display_id") == data["display_id"]:
            self._pending[-1] = {**last, "output": data["output"]}
        elif _is_stream(last, data):
            joined = [last["output"]]
            merge(joined, data)
            self._pending[-1] = {"output": joined[0]}
        else:
            self._pending.append(data)

    def _flush_in_measure(self, now_s: float) -> None:
        if self._filled_s:
            gained = (now_s - self._filled_s) * _EVENTS_PER_S
            self._tokens = min(_BURST, self._tokens + gained)
        self._filled_s = now_s
        if self._tokens >= len(self._pending):
            self._tokens -= len(self._pending)
            self.flush()


def _is_stream(last: Mapping[str, Any], data: Mapping[str, Any]) -> bool:
    kinds = [item.get("output", {}).get("output_type") for item in (last, data)]
    return (
        kinds == ["stream", "stream"]
        and last["output"]["name"] == data["output"]["name"]
    )

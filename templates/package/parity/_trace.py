"""What each line of ``model.py`` leaves behind, so that two runs of a call can be compared.

The first event that differs between two runs names the line that drew: a random number, the
time, the order of a set.
"""

from __future__ import annotations

import contextlib
import sys
from typing import TYPE_CHECKING, Any

from ._coverage import model_path
from ._fingerprint import digest_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

#: events kept of one run
MAX_EVENTS = 20_000
_MAX_NODES = 5_000


class _Recorder:
    def __init__(self) -> None:
        self.path = model_path()
        #: ``[what, depth, line, digest]``
        self.events: list[list[Any]] = []
        self._depth = 0
        self._known: set[str] = set()

    def begin(self, frame: FrameType, _event: str, _argument: Any) -> Any:
        if frame.f_code.co_filename != self.path or self._is_full():
            return None
        self._depth += 1
        self._add("call", frame, self._values(frame))
        return self.follow

    def follow(self, frame: FrameType, event: str, argument: Any) -> Any:
        if event == "return":
            self._add(event, frame, argument)
            self._depth -= 1
        elif event == "line" and not self._is_full():
            self._add(event, frame, self._values(frame))
        return self.follow

    def _add(self, what: str, frame: FrameType, value: Any) -> None:
        digest = digest_of(value, max_nodes=_MAX_NODES)
        self.events.append([what, self._depth, frame.f_lineno, digest])

    def _values(self, frame: FrameType) -> Any:
        """Return the local values; of the module itself only those bound since the last line."""
        if frame.f_code.co_name != "<module>":
            return dict(frame.f_locals)
        new = {k: v for k, v in frame.f_locals.items() if k not in self._known}
        self._known |= new.keys()
        return {k: v for k, v in new.items() if not k.startswith("__")}

    def _is_full(self) -> bool:
        return len(self.events) >= MAX_EVENTS


@contextlib.contextmanager
def traced() -> Iterator[list[list[Any]]]:
    """Record while the block runs; begin before ``model.py`` is imported."""
    recorder = _Recorder()
    before = sys.gettrace()
    sys.settrace(recorder.begin)
    try:
        yield recorder.events
    finally:
        sys.settrace(before)

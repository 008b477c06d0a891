"""Which lines of ``model.py`` run: by ``sys.monitoring`` where Python has it, else by tracing."""

from __future__ import annotations

import contextlib
import dis
import importlib.util
import sys
import threading
from pathlib import Path
from types import CodeType
from typing import TYPE_CHECKING, Any

from .. import _about

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

#: one line of one code object: its name, its first line, the line
Spot = tuple[str, int, int]
#: what the interpreter does before the first line of a body
_PRELUDE = {"RESUME", "COPY_FREE_VARS", "MAKE_CELL", "RETURN_GENERATOR", "NOP", "CACHE"}
_GENERATORS = 0x20 | 0x80 | 0x200  # generators, coroutines, and those that are both
#: identifiers of tools that nobody is registered for by convention, then any other
_TOOLS = (3, 4, 1, 2, 5, 0)


class Lines:
    """The lines of one file that were seen to run."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.seen: set[Spot] = set()

    def covered(self) -> tuple[int, list[int]]:
        """Count the lines that can run, and list those that did not."""
        source = Path(self.path).read_text("utf-8")
        spots = set(_spots(compile(source, self.path, "exec", dont_inherit=True)))
        missed = sorted({line for _, _, line in spots - self.seen})
        return len({line for _, _, line in spots}), missed

    def note(self, code: CodeType, line: int) -> None:
        """Take a line that runs, whatever file it is of."""
        if code.co_filename == self.path:
            self.seen.add((code.co_name, code.co_firstlineno, line))


def model_path() -> str:
    """Return the path under which the interpreter knows ``model.py``."""
    spec = importlib.util.find_spec(f"{_about.PACKAGE}.model")
    return str(spec.origin) if spec is not None else ""


@contextlib.contextmanager
def watched_lines() -> Iterator[Lines]:
    """Watch ``model.py`` while the block runs; begin before it is imported."""
    lines = Lines(model_path())
    monitoring: Any = getattr(sys, "monitoring", None)
    with _monitored(monitoring, lines) if monitoring else _traced(lines):
        yield lines


@contextlib.contextmanager
def _monitored(monitoring: Any, lines: Lines) -> Iterator[None]:
    tool = next(tool for tool in _TOOLS if monitoring.get_tool(tool) is None)
    events = monitoring.events
    monitoring.use_tool_id(tool, "nbship")

    def line(code: CodeType, number: int) -> Any:
        lines.note(code, number)
        return monitoring.DISABLE  # each place once is enough, and costs once

    def start(code: CodeType, _offset: int) -> Any:
        lines.note(code, code.co_firstlineno)
        return monitoring.DISABLE

    monitoring.register_callback(tool, events.LINE, line)
    monitoring.register_callback(tool, events.PY_START, start)
    monitoring.set_events(tool, events.LINE | events.PY_START)
    monitoring.restart_events()
    try:
        yield
    finally:
        monitoring.set_events(tool, 0)
        monitoring.register_callback(tool, events.LINE, None)
        monitoring.register_callback(tool, events.PY_START, None)
        monitoring.free_tool_id(tool)


@contextlib.contextmanager
def _traced(lines: Lines) -> Iterator[None]:
    def local(frame: FrameType, event: str, _argument: Any) -> Any:
        if event == "line":
            lines.note(frame.f_code, frame.f_lineno)
        return local

    def begin(frame: FrameType, _event: str, _argument: Any) -> Any:
        if frame.f_code.co_filename != lines.path:
            return None
        lines.note(frame.f_code, frame.f_code.co_firstlineno)
        return local

    before, before_threads = sys.gettrace(), threading.gettrace()
    threading.settrace(begin)
    sys.settrace(begin)
    try:
        yield
    finally:
        sys.settrace(before)
        threading.settrace(before_threads)


def _spots(code: CodeType) -> Iterator[Spot]:
    is_generator = code.co_flags & _GENERATORS
    for instruction in dis.get_instructions(code):
        place = instruction.positions
        line = place.lineno if place is not None else None
        is_head = is_generator and line == code.co_firstlineno
        if line and instruction.opname not in _PRELUDE and not is_head:
            yield code.co_name, code.co_firstlineno, line
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _spots(constant)

"""Output texts as lines of tokens: what a person sees, numbers apart from words."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property

_ANSI = re.compile(r"\x1b(?:\[[0-9;?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-_])")
_NUMPY_SCALAR = re.compile(r"\bnp\.(?:float|int|uint|bool|str)\d*_?\(([^()]*)\)")
_TOKEN = re.compile(
    r"(?P<id>[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}"
    r"|0x[0-9a-fA-F]+|\b(?=[0-9a-f]*[a-f])(?=[0-9a-f]*\d)[0-9a-f]{8,}\b)"
    r"|(?P<date>\b\d{4}-\d\d-\d\d\b)"
    r"|(?P<clock>\b\d{1,2}:\d\d(?::\d\d(?:\.\d+)?)?\b)"
    r"|(?P<word>[^\W\d]\w*)"
    r"|(?P<number>(?:(?<![\w.)\]])[-+])?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?)"
    r"|(?P<mark>\S)"
)


@dataclass(frozen=True, slots=True)
class Token:
    """One token of a line."""

    #: ``id``, ``date``, ``clock``, ``word``, ``number`` or ``mark``
    kind: str
    text: str


@dataclass(frozen=True)
class Line:
    """One line of an output, and its tokens; blanks between them do not count."""

    text: str

    @cached_property
    def tokens(self) -> tuple[Token, ...]:
        """The tokens, from the left."""
        text = _NUMPY_SCALAR.sub(r"\1", self.text)
        return tuple(
            Token(match.lastgroup or "mark", match.group())
            for match in _TOKEN.finditer(text)
        )

    @cached_property
    def skeleton(self) -> tuple[str, ...]:
        """The tokens with every number, date and id replaced by its kind."""
        return tuple(
            t.text if t.kind in {"word", "mark"} else f"<{t.kind}>" for t in self.tokens
        )


def lines_of(text: str) -> tuple[Line, ...]:
    """Split a text into the lines that a terminal would end up with.

    Colours are dropped; a carriage return begins the line anew, a backspace takes one
    character back, so that of a progress bar the last state is left.
    """
    plain = _ANSI.sub("", text).replace("\r\n", "\n")
    return tuple(Line(_overwritten(line).rstrip()) for line in plain.split("\n"))


def _overwritten(line: str) -> str:
    shown = ""
    for part in line.split("\r"):
        shown = part + shown[len(part) :]
    while (taken := re.sub(r"[^\x08]\x08", "", shown)) != shown:
        shown = taken
    return shown.replace("\x08", "")

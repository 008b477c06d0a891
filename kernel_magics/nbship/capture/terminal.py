r"""Text as a terminal shows it: ``\r`` and ``\b`` move the cursor, what follows overwrites.

A progress bar that is drawn ten thousand times leaves one line. The cost is linear in what is
written, and the text may be cut anywhere: showing a part, then the rest behind it, shows the
same as the whole.
"""

from __future__ import annotations

import re

_MOVES = re.compile(r"([\n\r\b])")
_ESCAPE = "\x1b"


class TerminalText:
    """What was written to one stream.

    Parameters
    ----------
    text
        What is there already.
    """

    def __init__(self, text: str = "") -> None:
        self._lines: list[str] = []
        #: the last line in pieces; one piece once the cursor was moved
        self._line: list[str] = []
        #: where the next character goes in the last line; None behind its end
        self._cursor: int | None = None
        self.write(text)

    @property
    def shown(self) -> str:
        """What a terminal shows."""
        lines, line = "".join(self._lines), self._joined()
        self._lines = [lines]
        return lines + line

    @property
    def text(self) -> str:
        """What a terminal shows, and the movements of a cursor that is not at the end."""
        if self._cursor is None:
            return self.shown
        back = len(self._joined()) - self._cursor
        return self.shown + ("\r" if self._cursor == 0 else "\b" * back)

    def write(self, text: str) -> None:
        """Take more text."""
        if not _moves(text):
            self._write_plain(text)
            return
        for part in _MOVES.split(text.replace("\r\n", "\n")):
            if part == "\r":
                self._cursor = 0 if self._joined() else None
            elif part == "\b":
                self._step_back()
            elif part:
                self._write_plain(part)

    def _write_plain(self, text: str) -> None:
        head, newline, last = text.rpartition("\n")
        if newline:
            first, newline, rest = head.partition("\n")
            self._put(first)
            self._lines += [*self._line, "\n", rest + newline]
            self._line, self._cursor = [], None
        self._put(last)

    def _put(self, text: str) -> None:
        """Write within the last line."""
        if not text:
            return
        if self._cursor is None:
            self._line.append(text)
            return
        line, at = self._joined(), self._cursor
        if at == 0 and _ESCAPE in line:
            line = ""  # colours have no width: such a line is replaced, not overwritten
        rest = "" if _ESCAPE in text else line[at + len(text) :]
        self._line = [line[:at] + text + rest]
        self._cursor = at + len(text) if rest else None

    def _step_back(self) -> None:
        end = len(self._joined())
        cursor = end if self._cursor is None else self._cursor
        self._cursor = max(0, cursor - 1) if end else None

    def _joined(self) -> str:
        if len(self._line) != 1:
            self._line = ["".join(self._line)]
        return self._line[0]


def collapse(text: str) -> str:
    r"""Shorten a text with ``\r`` and ``\b`` that more may follow."""
    return TerminalText(text).text if _moves(text) else text


def shown(text: str) -> str:
    r"""Return what a terminal shows of a whole text with ``\r`` and ``\b``."""
    return TerminalText(text).shown if _moves(text) else text


def _moves(text: str) -> bool:
    return "\r" in text or "\b" in text

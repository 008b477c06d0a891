"""Which lines of a source begin a statement, also where the source is not quite Python."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

_TOKEN = re.compile(r"\\.|'''|\"\"\"|['\"#()\[\]{}]", re.DOTALL)
_OPENING, _CLOSING = "([{", ")]}"


def statement_starts(
    lines: Sequence[str], *, is_escape: Callable[[str], bool]
) -> Iterator[bool]:
    r"""Tell of each line whether a statement begins there.

    A line begins none inside brackets, inside a string of several lines and behind a line that
    ends with ``\``. Only strings, comments, brackets and backslashes are looked at: what is
    between them need not be Python.

    Parameters
    ----------
    lines
        The source's lines, without their ends.
    is_escape
        Whether a line that begins a statement is a magic: its text is not looked into.
    """
    depth, quote, is_continued, in_escape = 0, "", False, False
    for line in lines:
        starts = not (depth or quote or is_continued)
        yield starts
        in_escape = is_escape(line) if starts else in_escape and is_continued
        if in_escape:
            is_continued = line.endswith("\\")
            continue
        depth, quote, has_comment = _after(line, depth=depth, quote=quote)
        is_continued = line.endswith("\\") and not has_comment
        if len(quote) == 1 and not is_continued:
            quote = ""  # a one-line string ends with its line, closed or not


def _after(line: str, *, depth: int, quote: str) -> tuple[int, str, bool]:
    """Return the depth of brackets and the quotation open at a line's end, and if it has a comment."""
    for match in _TOKEN.finditer(line):
        found = match.group()
        if quote:
            quote = "" if found == quote else quote
        elif found == "#":
            return depth, quote, True
        elif found[0] in "'\"":
            quote = found
        elif found in _OPENING:
            depth += 1
        elif found in _CLOSING:
            depth = max(depth - 1, 0)
    return depth, quote, False

"""The line of a magic as words, and ``name=value`` words as metrics and tags.

``%mlops log acc=model.score(X, y)`` holds Python, which a shell's rules would tear apart:
a blank inside brackets or quotes does not end an assignment, and its quotes stay.
"""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING, Any

from nbship.errors import UsageError
from nbship.verbs.parser import split_line

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_ASSIGNMENT = re.compile(r"(?P<name>[^\W\d][\w./:-]*)=(?P<text>[^=].*|)", re.DOTALL)
_OPENING, _CLOSING, _QUOTES = "([{", ")]}", "\"'"


def split_magic(line: str) -> list[str]:
    """Split the line of ``%mlops``; only ``log`` takes Python on its right sides.

    Raises
    ------
    UsageError
        If a quotation is not closed.
    """
    verb, _, rest = line.strip().partition(" ")
    if verb != "log":
        return split_line(line)
    words = [verb]
    for piece in _pieces(rest):
        words += [piece] if _ASSIGNMENT.fullmatch(piece) else split_line(piece)
    return words


def assignments(words: Iterable[str], *, verb: str) -> dict[str, str]:
    """Read words of the form ``name=text``.

    Raises
    ------
    UsageError
        If words have another form; all are named together.
    """
    found: dict[str, str] = {}
    mistakes = []
    for word in words:
        match = _ASSIGNMENT.fullmatch(word)
        if match is None:
            mistakes.append(f"{word!r}")
        else:
            found[match["name"]] = match["text"]
    if mistakes:
        raise UsageError(
            f"mlops {verb}: {', '.join(mistakes)} where name=value was expected",
            hint=f"Write `mlops {verb} name=value`, without blanks around the sign.",
        )
    return found


def evaluated(
    texts: Mapping[str, str], namespace: Mapping[str, Any] | None
) -> dict[str, Any]:
    """Evaluate Python expressions with the notebook's names; in a shell, literals.

    Raises
    ------
    UsageError
        If expressions fail; all are named together.
    """
    values: dict[str, Any] = {}
    mistakes = []
    for name, text in texts.items():
        try:
            values[name] = _value(text, namespace)
        except Exception as error:  # noqa: BLE001  # whatever the user's expression raises
            mistakes.append(f"{name}={text}: {type(error).__name__}: {error}")
    if mistakes:
        raise UsageError(
            "mlops log: " + "; ".join(mistakes),
            hint="Give a number, or an expression with the notebook's names.",
        )
    return values


def _value(text: str, namespace: Mapping[str, Any] | None) -> Any:  # noqa: ANN401  # Python's
    try:
        return float(text)
    except ValueError:
        pass
    if namespace is None:
        return ast.literal_eval(text)
    code = compile(text.strip(), "<%mlops log>", "eval")
    return eval(code, dict(namespace))  # noqa: S307  # the user's own line, as in a cell


def _pieces(text: str) -> list[str]:
    pieces, piece, depth, quote = [], "", 0, ""
    for char in text:
        if quote:
            quote = "" if char == quote and not piece.endswith("\\") else quote
        elif char in _QUOTES:
            quote = char
        elif char in _OPENING:
            depth += 1
        elif char in _CLOSING:
            depth -= 1
        if char.isspace() and not quote and depth <= 0:
            pieces.append(piece)
            piece = ""
        else:
            piece += char
    return [p for p in (*pieces, piece) if p]

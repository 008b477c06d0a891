"""A notebook as text: what nbformat would write, at the cost of what changed.

nbformat copies the whole notebook, splits its lines and hands it to the part of ``json`` that
is written in Python, each time. Here a cell's text is kept until the cell changes.
"""

from __future__ import annotations

import json
from json.encoder import encode_basestring
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

_TRANSIENT = ("orig_nbformat", "orig_nbformat_minor", "signature")
_SPLIT_TYPES = ("application/javascript", "image/svg+xml")
#: what ends a line beside "\\n", and what makes an escaped one ambiguous
_UNCOMMON = "\\\r\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029"
_CONSTANTS = {None: "null", True: "true", False: "false"}
#: how deep cells lie in a notebook's JSON
_CELL_DEPTH = 2


class NotebookText:
    """The text of one notebook, which is written again and again."""

    def __init__(self) -> None:
        #: each cell and its text, in the order of the notebook
        self._cells: list[tuple[Any, str | None]] = []

    def forget(self, cell_index: int) -> None:
        """Take note that a cell has changed."""
        if cell_index < len(self._cells):
            self._cells[cell_index] = (None, None)

    def forget_all(self) -> None:
        """Take note that anything may have changed."""
        self._cells.clear()

    def write(self, nb: Any) -> str:  # noqa: ANN401  # a NotebookNode
        """Return what ``nbformat.v4.writes`` returns."""
        whole = dict(nb)
        whole["metadata"] = {
            k: v for k, v in nb["metadata"].items() if k not in _TRANSIENT
        }
        parts = []
        for name in sorted(whole):
            is_cells = name == "cells" and whole[name]
            text = self._list(nb["cells"]) if is_cells else _dumped(whole[name], 1)
            parts.append(f" {encode_basestring(name)}: {text}")
        return "{\n" + ",\n".join(parts) + "\n}"

    def _list(self, cells: list[Any]) -> str:
        del self._cells[len(cells) :]
        texts = []
        for index, cell in enumerate(cells):
            known = self._cells[index] if index < len(self._cells) else (None, None)
            text = known[1] if known[0] is cell else None
            if text is None:
                text = "  " + _dumped(_split(cell), _CELL_DEPTH)
                self._cells[index : index + 1] = [(cell, text)]
            texts.append(text)
        return "[\n" + ",\n".join(texts) + "\n ]"


class _Lines(str):
    """A text that is written as a list of its lines."""

    __slots__ = ()


def _split(cell: Any) -> dict[str, Any]:  # noqa: ANN401
    """Return a cell with its texts marked as lines, and without transient metadata."""
    split = dict(cell)
    if isinstance(split.get("source"), str):
        split["source"] = _Lines(split["source"])
    split["metadata"] = {k: v for k, v in cell["metadata"].items() if k != "trusted"}
    if "attachments" in split:
        split["attachments"] = {
            name: _split_bundle(bundle) for name, bundle in split["attachments"].items()
        }
    if split["cell_type"] == "code":
        split["outputs"] = [_split_output(output) for output in split["outputs"]]
    return split


def _split_output(output: Any) -> Any:  # noqa: ANN401
    kind = output["output_type"]
    if kind in {"execute_result", "display_data"} and "data" in output:
        return {**output, "data": _split_bundle(output["data"])}
    if kind == "stream" and isinstance(output["text"], str):
        return {**output, "text": _Lines(output["text"])}
    return output


def _split_bundle(bundle: Any) -> dict[str, Any]:  # noqa: ANN401
    return {
        mime: _Lines(payload)
        if isinstance(payload, str)
        and (mime.startswith("text/") or mime in _SPLIT_TYPES)
        else payload
        for mime, payload in bundle.items()
    }


def _dumped(value: Any, depth: int) -> str:  # noqa: ANN401
    """Write a value as ``json.dumps`` does with an indent of one, at some depth."""
    if isinstance(value, str):
        is_lines = isinstance(value, _Lines)
        return _dumped_lines(value, depth) if is_lines else encode_basestring(value)
    if isinstance(value, dict) and value and all(type(key) is str for key in value):
        return _block("{}", _members(value, depth + 1), depth)
    if isinstance(value, list) and value:
        return _block("[]", (_dumped(item, depth + 1) for item in value), depth)
    if type(value) is int:
        return str(value)
    if value is None or value is True or value is False:
        return _CONSTANTS[value]
    return _dumped_by_json(value, depth)


def _dumped_by_json(value: Any, depth: int) -> str:  # noqa: ANN401
    text = json.dumps(
        value,
        ensure_ascii=False,
        indent=1,
        sort_keys=True,
        separators=(",", ": "),
        default=_as_text,
    )
    return text.replace("\n", "\n" + " " * depth)


def _dumped_lines(text: str, depth: int) -> str:
    if not text:
        return "[]"
    if any(mark in text for mark in _UNCOMMON):
        lines = text.splitlines(keepends=True)
        return _block("[]", map(encode_basestring, lines), depth)
    inner = ",\n" + " " * (depth + 1)
    last = encode_basestring(text)[1:]
    cut = last.replace("\\n", f'\\n"{inner}"').removesuffix(f'{inner}""')
    return _block("[]", ('"' + cut,), depth)


def _members(value: dict[str, Any], depth: int) -> Iterator[str]:
    for name in sorted(value):
        yield f"{encode_basestring(name)}: {_dumped(value[name], depth)}"


def _block(brackets: str, items: Any, depth: int) -> str:  # noqa: ANN401
    inner = ",\n" + " " * (depth + 1)
    outer = "\n" + " " * depth
    return f"{brackets[0]}{outer} {inner.join(items)}{outer}{brackets[1]}"


def _as_text(value: object) -> str:
    if isinstance(value, bytes):
        return value.decode("ascii")
    raise TypeError(f"Object of type {type(value).__name__} is not JSON serializable")

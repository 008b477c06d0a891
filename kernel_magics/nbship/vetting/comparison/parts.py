"""The outputs of a cell as parts that can be compared: texts and pictures, by their place."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from nbship.vetting.comparison.tables import html_text
from nbship.vetting.comparison.texts import lines_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from nbship.vetting.comparison.texts import Line

_IGNORED = (
    "application/vnd.jupyter.widget-view",
    "application/javascript",
    "text/javascript",
    "application/vnd.bokehjs",
    "application/vnd.holoviews",
)
_PICTURES = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"})
#: names that a drawing library makes up anew each time
_MADE_UP = frozenset({"uid", "uids", "uirevision"})


@dataclass(frozen=True)
class Part:
    """One thing that a cell gave."""

    #: such as ``printed`` or ``output 2, text/html``
    place: str
    #: ``text`` or ``picture``
    kind: str
    #: the text as it is compared, or the picture in base64
    content: str

    @cached_property
    def lines(self) -> tuple[Line, ...]:
        """The lines of a text."""
        return lines_of(self.content)


def parts_of(
    outputs: Sequence[Mapping[str, Any]], folders: Mapping[str, str] | None = None
) -> dict[str, Part]:
    """Take a cell's outputs apart, by their place.

    What is printed counts as one text, however it was cut into outputs; standard error,
    widgets and scripts do not count.

    Parameters
    ----------
    outputs
        As nbformat has them.
    folders
        Folders of this execution, with the word that stands for each, the longest first.
    """
    found = {}
    for part in _parts(outputs):
        content = part.content
        for folder, word in (folders or {}).items() if part.kind == "text" else ():
            content = content.replace(folder, word)
        found[part.place] = Part(part.place, part.kind, content)
    return found


def warning_classes(outputs: Sequence[Mapping[str, Any]]) -> frozenset[str]:
    """Name the classes of warnings that a cell wrote to standard error."""
    words = _stream(outputs, "stderr").replace(":", " ").split()
    return frozenset(
        name
        for word in words
        if (name := word.rpartition(".")[2]).endswith("Warning") and name.isidentifier()
    )


def _parts(outputs: Sequence[Mapping[str, Any]]) -> Iterator[Part]:
    if printed := _stream(outputs, "stdout").strip("\n"):
        yield Part("printed", "text", printed)
    number = 0
    for output in outputs:
        kind = output.get("output_type")
        if kind == "error":
            text = f"{output.get('ename', '')}: {output.get('evalue', '')}"
            yield Part("error", "text", text)
        elif kind in {"display_data", "execute_result"}:
            shown = list(_shown(output.get("data") or {}))
            number += bool(shown)
            for mime, part_kind, content in shown:
                yield Part(f"output {number}, {mime}", part_kind, content)


def _stream(outputs: Sequence[Mapping[str, Any]], name: str) -> str:
    return "".join(
        joined(output.get("text", ""))
        for output in outputs
        if output.get("output_type") == "stream" and output.get("name") == name
    )


def _shown(data: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    if any(mime.startswith(_IGNORED[0]) for mime in data):
        return  # a widget's text only names its model
    for mime in sorted(data):
        value = data[mime]
        if mime.startswith(_IGNORED):
            continue
        if mime in _PICTURES:
            yield mime, "picture", joined(value)
        elif mime == "text/html":
            if text := html_text(joined(value)):
                yield mime, "text", text
        elif mime.endswith("json") or not isinstance(value, (str, list)):
            yield mime, "text", "\n".join(_flat(value, ""))
        else:
            yield mime, "text", joined(value)


def _flat(value: Any, path: str) -> Iterator[str]:  # noqa: ANN401  # any JSON value
    if isinstance(value, dict):
        for key in sorted(value):
            if key not in _MADE_UP:
                yield from _flat(value[key], f"{path}.{key}")
    elif isinstance(value, list):
        for place, item in enumerate(value):
            yield from _flat(item, f"{path}.{place}")
    else:
        yield f"{path.removeprefix('.')} = {json.dumps(value, ensure_ascii=False)}"


def joined(text: Any) -> str:  # noqa: ANN401  # nbformat keeps texts whole or as lines
    """Return a text that nbformat may hold as a list of lines."""
    return text if isinstance(text, str) else "".join(text)

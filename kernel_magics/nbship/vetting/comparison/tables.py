"""Tables of HTML, as lines of text: one line a row, cells apart; styles and ids do not count."""

from __future__ import annotations

from html.parser import HTMLParser

_SILENT = frozenset({"style", "script", "head", "template"})
_BREAKS = frozenset(
    [
        "p",
        "div",
        "br",
        "li",
        "ul",
        "ol",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "pre",
        "table",
        "caption",
        "section",
        "details",
        "summary",
    ]
)


def html_text(source: str) -> str:
    """Return the text of HTML: a line a row of a table, cells parted by bars."""
    reader = _Reader()
    reader.feed(source)
    reader.close()
    return reader.text


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._lines: list[str] = [""]
        self._silent = 0
        self._row = 0

    @property
    def text(self) -> str:
        """What was read."""
        lines = (" ".join(line.split()) for line in self._lines)
        return "\n".join(line for line in lines if line)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Begin a line, a cell, or what is not shown."""
        if tag in _SILENT:
            self._silent += 1
        elif tag == "tr":
            self._row += 1
            self._lines.append("")
        elif tag in _BREAKS and not self._row:
            self._lines.append("")
        elif tag == "img":
            self._lines[-1] += f" [image {dict(attrs).get('src') or ''}] "

    def handle_endtag(self, tag: str) -> None:
        """End it."""
        if tag in _SILENT:
            self._silent = max(0, self._silent - 1)
        elif tag == "tr":
            self._row = max(0, self._row - 1)
            self._lines.append("")
        elif tag in {"td", "th"}:
            self._lines[-1] += " | "
        elif tag in _BREAKS and not self._row:
            self._lines.append("")

    def handle_data(self, data: str) -> None:
        """Take a text."""
        if not self._silent:
            self._lines[-1] += data

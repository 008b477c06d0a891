"""Untrusted HTML made inert, for reports.

nh3 takes away whatever is not on the lists below. One pass over its well-formed result then
moves headings below the report's own, gives tables a scroll container and their header
cells a scope, and names the images that were left out.
"""

from __future__ import annotations

import html
import re

import nh3
from markupsafe import Markup
from pygments.token import STANDARD_TYPES

_TAGS_TEXT = """
a abbr b bdi bdo blockquote br caption cite code col colgroup dd del details dfn div dl dt em
figcaption figure h1 h2 h3 h4 h5 h6 hr i img ins kbd li mark ol p pre q rp rt ruby s samp small
span strong sub summary sup table tbody td tfoot th thead time tr u ul var wbr
"""
_TAGS = set(_TAGS_TEXT.split())
_NOISE_TEXT = """
applet audio canvas embed frame frameset head iframe math noembed noframes noscript object
script select style svg template textarea title video
"""
#: what stands inside them would be noise
_DROPPED_WITH_CONTENT = set(_NOISE_TEXT.split())
_ATTRIBUTES = {
    "*": {"id", "title", "lang", "dir", "style"},
    "a": {"href"},
    "img": {"src", "alt", "width", "height"},
    "ol": {"start", "type", "reversed"},
    "td": {"colspan", "rowspan"},
    "th": {"colspan", "rowspan", "scope"},
    "col": {"span"},
    "colgroup": {"span"},
    "time": {"datetime"},
}
_CLASSES = {
    "div": {"highlight"},
    "span": {name for name in STANDARD_TYPES.values() if name},
    "table": {"dataframe"},
}
_STYLES = {"text-align", "font-weight", "font-style", "white-space", "vertical-align"}
_LINK = re.compile(r"(?:https?://|mailto:)", re.IGNORECASE)
_IMAGE = re.compile(r"data:image/(?:png|jpeg|gif|webp|svg\+xml)[;,]", re.IGNORECASE)
#: one whole tag as nh3 writes it, so that nothing inside an attribute is taken for a tag
_TAG = re.compile(r'<(/?)([a-z][a-z0-9]*)((?:\s+[\w:-]+(?:="[^"]*")?)*)\s*/?>')
_MARKER = re.compile(r'\ssrc="data:,(\d+)"')
_TAKEN_AWAY = re.compile(
    r"<(?:script|iframe|object|embed|video|audio|canvas|svg|form)\b", re.IGNORECASE
)
_HEADING_SHIFT = 2
_LOWEST_HEADING = 6


def clean_html(text: str, *, label: str) -> Markup:
    """Return untrusted HTML without anything that acts, loads or covers the page.

    Parameters
    ----------
    text
        HTML of an output, or rendered Markdown.
    label
        What the HTML is, such as ``output of cell 3``, for the names of tables and images.
    """
    left_out: list[str] = []

    def attribute(tag: str, name: str, value: str) -> str | None:
        if name == "id":
            return f"nb-{value}"
        if name == "href":
            return _href(value)
        if (tag, name) == ("img", "src") and not _IMAGE.match(value):
            left_out.append(value)
            return f"data:,{len(left_out) - 1}"
        return value

    cleaned = nh3.clean(
        text,
        tags=_TAGS,
        clean_content_tags=_DROPPED_WITH_CONTENT,
        attributes=_ATTRIBUTES,
        attribute_filter=attribute,
        allowed_classes=_CLASSES,
        filter_style_properties=_STYLES,
        url_schemes={"http", "https", "mailto", "data"},
        link_rel="noopener noreferrer",
    )
    return Markup(_Finisher(label, left_out).finish(cleaned))  # noqa: S704  # cleaned above


def is_empty(cleaned: str) -> bool:
    """Tell whether cleaned HTML shows nothing: no text and no picture."""
    return "<img" not in cleaned and not _TAG.sub("", cleaned).strip()


def is_active(text: str) -> bool:
    """Tell whether HTML holds elements that a report takes away."""
    return _TAKEN_AWAY.search(text) is not None


def _href(value: str) -> str | None:
    if value.startswith("#"):
        return f"#nb-{value[1:]}"
    return value if _LINK.match(value.strip()) else None


class _Finisher:
    """One pass over cleaned HTML."""

    def __init__(self, label: str, left_out: list[str]) -> None:
        self.label = html.escape(label, quote=True)
        self.left_out = left_out
        self.is_in_head = False

    def finish(self, cleaned: str) -> str:
        return _TAG.sub(self._tag, cleaned)

    def _tag(self, found: re.Match[str]) -> str:
        closing, name, attributes = found.groups()
        if name == "img":
            return self._image(attributes)
        if name == "table":
            return self._table(found[0], is_closing=bool(closing))
        if name in {"thead", "tbody", "tfoot"}:
            self.is_in_head = name == "thead" and not closing
        elif name == "th" and not closing and " scope=" not in attributes:
            scope = "col" if self.is_in_head else "row"
            return f'<th{attributes} scope="{scope}">'
        elif name[0] == "h" and name[1:].isdigit():
            level = min(int(name[1:]) + _HEADING_SHIFT, _LOWEST_HEADING)
            return f"<{closing}h{level}{attributes}>"
        return found[0]

    def _table(self, tag: str, *, is_closing: bool) -> str:
        self.is_in_head = False
        if is_closing:
            return f"{tag}</div>"
        return (
            '<div class="scroll" role="group" tabindex="0"'
            f' aria-label="Table, {self.label}">{tag}'
        )

    def _image(self, attributes: str) -> str:
        marker = _MARKER.search(attributes)
        if marker:
            address = html.escape(self.left_out[int(marker[1])][:200])
            return (
                f'<span class="left-out">Image left out: <code>{address}</code></span>'
            )
        if " alt=" not in attributes:
            attributes += f' alt="Image, {self.label}"'
        return f"<img{attributes}>"

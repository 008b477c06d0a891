"""Outputs and code of cells as safe HTML, for reports."""

from __future__ import annotations

import base64
import binascii
import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from markupsafe import Markup, escape

from nbship.faces.report_clean import clean_html, is_active, is_empty
from nbship.faces.report_markdown import clean_markdown

if TYPE_CHECKING:
    from collections.abc import Mapping

#: what is shown of an output that comes in several forms: the first that shows something
_FORMS = (
    "image/png",
    "image/jpeg",
    "image/gif",
    "image/webp",
    "image/svg+xml",
    "text/html",
    "text/markdown",
    "text/latex",
    "text/plain",
    "application/json",
)
_WIDGET = "application/vnd.jupyter.widget-view+json"
_SHOWN_LINES = 60
_KEPT_LINES = 5000
_INLINE_STYLE = re.compile(r'(<span)(?: class="([\w -]*)")? style="[^"]*"')
#: scikit-learn's diagrams live on style sheets and check boxes; their text says the same
_DIAGRAM = "sk-top-container"
_SIGNATURES = {
    "image/png": b"\x89PNG",
    "image/jpeg": b"\xff\xd8",
    "image/gif": b"GIF8",
    "image/webp": b"RIFF",
}


@dataclass(kw_only=True)
class OutputRenderer:
    """Renders the outputs of one notebook; counts its figures."""

    figures: int = field(default=0)

    def render(
        self, output: Mapping[str, Any], *, cell: int, cell_alt: str = ""
    ) -> Markup:
        """Return one output as safe HTML.

        Parameters
        ----------
        output
            As nbformat has it.
        cell
            Number of the cell, from 1, for names.
        cell_alt
            The author's text for the cell's pictures; "" where there is none.
        """
        kind = output.get("output_type")
        if kind == "stream":
            name = "stderr" if output.get("name") == "stderr" else "stdout"
            return _text(_joined(output.get("text")), label=name, cell=cell)
        if kind == "error":
            return _error(output, cell)
        data = output.get("data") or {}
        alt = _author_alt(output.get("metadata") or {}) or cell_alt
        blocks = (self._form(form, data, cell, alt) for form in _FORMS if form in data)
        shown = next((block for block in blocks if block), None)
        return (shown or Markup()) + _remark(data, is_shown=shown is not None)

    def _form(self, form: str, data: Mapping[str, Any], cell: int, alt: str) -> Markup:
        if form.startswith("image/"):
            return self._figure(form, _joined(data[form]), cell=cell, alt=alt)
        if form == "application/json":
            text = json.dumps(data[form], indent=1, ensure_ascii=False, default=str)
            return _text(text, label="JSON", cell=cell)
        text = _joined(data[form])
        label = f"output of cell {cell}"
        if form == "text/html":
            if _DIAGRAM in text and "text/plain" in data:
                return Markup()
            cleaned = clean_html(text, label=label)
            return Markup() if is_empty(cleaned) else _rich(cleaned)
        if form == "text/markdown":
            return _rich(clean_markdown(text, attachments={}, label=label))
        return _text(text, label="result", cell=cell)

    def _figure(self, form: str, payload: str, *, cell: int, alt: str) -> Markup:
        encoded = _encoded_image(form, payload)
        if not encoded:
            return Markup()
        self.figures += 1
        name = f"Figure {self.figures}"
        return Markup(
            '<figure><img src="data:{};base64,{}" alt="{}">'
            "<figcaption>{}, cell {}{}</figcaption></figure>"
        ).format(
            form,
            encoded,
            alt or f"{name}, output of cell {cell}",
            name,
            cell,
            f": {alt}" if alt else "",
        )


def highlighted(source: str, language: str) -> Markup:
    """Return code as coloured HTML; plain text where the language is not known."""
    from pygments import highlight
    from pygments.formatters import HtmlFormatter
    from pygments.lexers import get_lexer_by_name
    from pygments.util import ClassNotFound

    try:
        lexer = get_lexer_by_name(language, stripnl=False)
    except ClassNotFound:
        return escape(source)
    return Markup(highlight(source, lexer, HtmlFormatter(nowrap=True)).rstrip("\n"))  # noqa: S704  # pygments escapes


def coloured(text: str) -> Markup:
    """Return terminal text as HTML: the 16 colours as classes, finer ones dropped."""
    from nbconvert.filters.ansi import ansi2html

    styled = str(ansi2html(text))
    return Markup(_INLINE_STYLE.sub(r'\1 class="\2"', styled))  # noqa: S704  # ansi2html escapes


def _encoded_image(form: str, payload: str) -> str:
    if form == "image/svg+xml":
        return base64.b64encode(payload.encode("utf-8", "replace")).decode()
    try:
        content = base64.b64decode(payload)
    except (binascii.Error, ValueError):
        return ""
    if not content.startswith(_SIGNATURES[form]):
        return ""
    return base64.b64encode(content).decode()


def _text(text: str, *, label: str, cell: int) -> Markup:
    lines = text.rstrip("\n").split("\n")
    block = Markup(
        '<div class="scroll {}" role="group" tabindex="0" aria-label="{}"><pre>{}</pre></div>'
    )
    name = f"{label} of cell {cell}"
    shown = block.format(label, name, coloured("\n".join(lines[:_SHOWN_LINES])))
    rest = lines[_SHOWN_LINES:_KEPT_LINES]
    if not rest:
        return shown
    left_out = len(lines) - _SHOWN_LINES - len(rest)
    note = f"; {left_out} more are in the notebook only" if left_out else ""
    folded = block.format(label, f"more {name}", coloured("\n".join(rest)))
    return shown + Markup(
        "<details><summary>{} more lines{}</summary>{}</details>"
    ).format(len(rest), note, folded)


def _error(output: Mapping[str, Any], cell: int) -> Markup:
    headline = Markup('<p class="error-line"><strong>{}</strong>: {}</p>').format(
        output.get("ename", "Error"), output.get("evalue", "")
    )
    trace = "\n".join(output.get("traceback") or ())
    return headline + (_text(trace, label="traceback", cell=cell) if trace else "")


def _rich(cleaned: Markup) -> Markup:
    return Markup('<div class="rich">{}</div>').format(cleaned)


def _remark(data: Mapping[str, Any], *, is_shown: bool) -> Markup:
    html = _joined(data.get("text/html"))
    what = ""
    if _WIDGET in data:
        what = "Widget, shown as it reads without a live kernel."
    elif "application/javascript" in data:
        what = "JavaScript output left out: a report runs no scripts."
    elif not is_shown and data:
        what = f"Output left out; it comes only as {', '.join(sorted(data))}."
    elif _DIAGRAM in html:
        what = "Diagram, shown as text."
    elif is_active(html) and "image/png" not in data:
        what = "Active parts of this output (scripts, frames, forms, drawings) were left out."
    return Markup('<p class="remark">{}</p>').format(what) if what else Markup()


def _author_alt(metadata: Mapping[str, Any]) -> str:
    """Return the text that the author gave, from ``metadata.alt`` or ``metadata[mime].alt``."""
    places = [metadata, *(metadata.get(f) for f in _FORMS if f.startswith("image/"))]
    found = (p.get("alt") for p in places if isinstance(p, dict))
    return next((str(alt) for alt in found if alt), "")


def _joined(value: object) -> str:
    if isinstance(value, (list, tuple)):
        return "".join(map(str, value))
    return "" if value is None else str(value)

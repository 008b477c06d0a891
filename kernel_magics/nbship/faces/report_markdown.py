"""Markdown of notebooks as safe HTML, for reports."""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING

from nbconvert.filters.markdown_mistune import (  # noqa: TID253  # the class to derive from
    InvalidNotebook,
    IPythonRenderer,
    MarkdownWithMath,
)

from nbship.faces.report_clean import clean_html

if TYPE_CHECKING:
    from collections.abc import Mapping

    from markupsafe import Markup

_ELEMENT = re.compile(r"<[^>]*>")


def clean_markdown(
    text: str, *, attachments: Mapping[str, object], label: str
) -> Markup:
    """Render Markdown, formulas kept as text, and clean what comes out.

    Parameters
    ----------
    text
        The source.
    attachments
        The cell's attachments, as nbformat has them.
    label
        What the text is, such as ``text of cell 3``.
    """
    renderer = _Renderer(
        escape=False,
        attachments={n: a for n, a in attachments.items() if a and isinstance(a, dict)},
        exclude_anchor_links=True,
    )
    return clean_html(MarkdownWithMath(renderer=renderer).render(text), label=label)


class _Renderer(IPythonRenderer):
    """nbconvert's renderer, with headings to link to and forgiving of lost attachments."""

    def image(self, text: str, url: str, title: str | None = None) -> str:
        try:
            return str(super().image(text, url, title))
        except InvalidNotebook:
            return f'<img src="{html.escape(url)}" alt="">'

    def heading(self, text: str, level: int, **attrs: object) -> str:
        name = html.escape(_ELEMENT.sub("", html.unescape(text)).replace(" ", "-"))
        del attrs  # mistune's own ids
        return f'<h{level} id="{name}">{text}</h{level}>\n'

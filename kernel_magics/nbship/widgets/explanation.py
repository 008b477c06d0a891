"""Why lines are in and cells are out, as tables that notebooks and reports show."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

_STYLE = "font-family:var(--jp-ui-font-family,sans-serif);font-size:var(--jp-ui-font-size1,13px)"
_LEFT = "text-align:left;vertical-align:top"


def tables_html(
    summary: str,
    tables: Sequence[tuple[str, Sequence[str], Sequence[Sequence[str]]]],
    notes: Sequence[str] = (),
) -> str:
    """Write a summary and tables as HTML; every text is escaped.

    Parameters
    ----------
    summary
        One line, always shown.
    tables
        Caption, heads and rows of each; the first is open.
    notes
        Lines below them.
    """
    parts = [
        _table(caption, heads, rows, is_open=number == 0)
        for number, (caption, heads, rows) in enumerate(tables)
        if rows
    ]
    below = "".join(f"<p>{escape(note)}</p>" for note in notes)
    return (
        f"<div class='nbship-explanation' style='{_STYLE}'><p>{escape(summary)}</p>"
        f"{''.join(parts)}{below}</div>"
    )


def text_html(caption: str, text: str) -> str:
    """Write a text with its line breaks, closed until it is asked for; "" for no text."""
    if not text:
        return ""
    return (
        f"<details style='{_STYLE}'><summary>{escape(caption)}</summary>"
        f"<pre>{escape(text)}</pre></details>"
    )


def _table(
    caption: str, heads: Sequence[str], rows: Sequence[Sequence[str]], *, is_open: bool
) -> str:
    head = "".join(
        f"<th scope='col' style='{_LEFT}'>{escape(text)}</th>" for text in heads
    )
    body = "".join(f"<tr>{_cells(row)}</tr>" for row in rows)
    return (
        f"<details{' open' if is_open else ''}><summary>{escape(caption)}</summary>"
        f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></details>"
    )


def _cells(row: Sequence[str]) -> str:
    first, *rest = row
    cells = [f"<th scope='row' style='{_LEFT}'>{escape(first)}</th>"]
    cells += [f"<td style='{_LEFT}'>{escape(text)}</td>" for text in rest]
    return "".join(cells)

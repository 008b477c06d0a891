"""Words that are safe to show: no secret, no control character, no end in sight."""

from __future__ import annotations

import re

from nbship.vetting.secrets import redact

_ANSI = re.compile(r"\x1b(?:\[[0-9;?]*[A-Za-z]|\][^\x07]*\x07)")
_LONGEST = 400


def safe_words(text: str) -> str:
    """Return ``text`` on one line, 400 characters at most, fit for terminal, XML and HTML."""
    text = redact(_ANSI.sub("", text))
    text = printable(text)
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def printable(text: str) -> str:
    """Put a blank in the place of every run of blanks and of characters that cannot be shown.

    Those are controls, surrogates, and marks that hide text or turn its direction.
    """
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def clean_text(text: str) -> str:
    """Return lines fit for XML and pages: without secrets, colours and controls."""
    lines = redact(_ANSI.sub("", text)).splitlines()
    return "\n".join(
        "".join(c if c.isprintable() else " " for c in line) for line in lines
    )

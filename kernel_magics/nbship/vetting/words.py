"""Words that are safe to show: no secret, no control character, no end in sight."""

from __future__ import annotations

import re

from nbship.vetting.secrets import redact

_ANSI = re.compile(r"\x1b(?:\[[0-9;?]*[A-Za-z]|\][^\x07]*\x07)")
#: C0 and C1 controls, surrogates, non-characters, and marks that hide or turn text
_UNPRINTABLE = re.compile(
    r"[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]"
)
_LONGEST = 400


def safe_words(text: str) -> str:
    """Return ``text`` on one line, 400 characters at most, fit for terminal, XML and HTML."""
    text = redact(_ANSI.sub("", text))
    text = printable(text)
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def printable(text: str) -> str:
    """Put a blank in the place of every run of blanks and characters that cannot be shown."""
    return " ".join(_UNPRINTABLE.sub(" ", text).split())

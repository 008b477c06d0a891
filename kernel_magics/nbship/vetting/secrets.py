r"""Secrets in text: found by their form, or by a telling name and an untypical value.

Text is what a person would read: decoded sources and outputs, never the JSON of a notebook,
in which ``password = \"...\"`` hides and every image looks like a key.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

#: kind -> its form; group 1, where there is one, is the secret itself
_FORMS: dict[str, re.Pattern[str]] = {
    "AWS access key": re.compile(r"\b(?:AKIA|ASIA|ABIA|ACCA)[A-Z2-7]{16}\b"),
    "GitHub token": re.compile(
        r"\b(?:gh[pousr]_[A-Za-z0-9]{36,255}|github_pat_[A-Za-z0-9_]{22,255})\b"
    ),
    "GitLab token": re.compile(r"\bglpat-[\w-]{20,64}"),
    "Slack token": re.compile(
        r"\bxox[abeoprs]-[\w-]{10,250}|hooks\.slack\.com/services/T\w+/B\w+/\w{16,64}"
    ),
    "JSON web token": re.compile(
        r"\beyJ[\w-]{8,2000}\.eyJ[\w-]{8,4000}\.[\w-]{8,2000}"
    ),
    "private key": re.compile(r"-----BEGIN (?:[A-Z]{2,10} ){0,3}PRIVATE KEY-----"),
    "Google key": re.compile(r"\bAIza[\w-]{35}(?![\w-])"),
    "Stripe key": re.compile(r"\b[rs]k_live_[A-Za-z0-9]{16,128}\b"),
    "Hugging Face token": re.compile(r"\bhf_[A-Za-z0-9]{30,64}\b"),
    "PyPI token": re.compile(r"\bpypi-AgE[\w-]{50,250}"),
    "model provider's key": re.compile(
        r"\bsk-(?:[a-z]{2,8}-)?(?=[\w-]*\d)[\w-]{32,200}"
    ),
    "Azure storage key": re.compile(r"AccountKey=([A-Za-z0-9+/]{60,100}={0,2})"),
    "password in an address": re.compile(
        r"\b[a-zA-Z][a-zA-Z0-9+.-]{1,20}://[^\s:/@'\"{}<>$]{0,64}:([^\s/@'\"{}<>$]{3,128})@[\w.-]"
    ),
}
_NAMED = re.compile(
    r"""(?ix)
    (?P<name>(?:passw(?:or)?d|passphrase|pwd|secret|token|api_?key|access_?key
        |auth_?key|private_?key|credential)s?[\w\-]{0,20})
    ["']?\s{0,4}\]?\s{0,4}(?::\s{0,4}\w{1,20}\s{0,4}=|[:=]|,)\s{0,4}
    [rbuf]{0,2}(?P<quote>["'])(?P<value>[^"'\n]{6,200})(?P=quote)
    """
)
#: what stands before the telling word in one name; looked for backwards, which is fast
_NAME_END = re.compile(r"[^\W\d]\w*$")
_PASSWORD_NAME = re.compile(r"(?i)passw(?:or)?d|passphrase|pwd")
_PLACEHOLDER = re.compile(
    r"(?i)^(?:.*\b(?:your|my|the|some|an?)[-_ ].*|.*(?:example|placeholder|changeme|change[-_ ]me|redacted|dummy|"
    r"insert|todo|fixme|secret[-_]?name|token[-_]?name).*|x{3,}.*|\*{3,}.*|\.{3,}|<.*>|\{.*\}|\$.*|%\(.*|none|null)$"
)
#: bits per character of the value of a name such as ``token``; English words lie near 2.5
_LEAST_ENTROPY_BITS = 3.0
_LEAST_TOKEN_LENGTH = 12
_DATA_ADDRESS = re.compile(r"data:[\w/+.-]{1,60};base64,[A-Za-z0-9+/=\s]+")
HIDDEN = "[secret]"


@dataclass(frozen=True, kw_only=True, slots=True)
class Secret:
    """Where a secret stands; never the secret itself in words that are shown."""

    #: such as ``GitHub token``
    kind: str
    #: 1-based line of the text
    line: int
    #: offsets of the secret in the text
    start: int
    end: int


def find_secrets(text: str) -> tuple[Secret, ...]:
    """Find the secrets of a text, in its order; overlapping ones are reported once."""
    text = _DATA_ADDRESS.sub(lambda m: " " * len(m.group()), text)
    found = sorted((*_by_form(text), *_by_name(text)), key=lambda s: (s.start, -s.end))
    kept: list[Secret] = []
    for secret in found:
        if not kept or secret.start >= kept[-1].end:
            kept.append(secret)
    return tuple(kept)


def redact(text: str) -> str:
    """Put ``[secret]`` in the place of every secret."""
    for secret in reversed(find_secrets(text)):
        text = text[: secret.start] + HIDDEN + text[secret.end :]
    return text


def _by_form(text: str) -> Iterator[Secret]:
    for kind, form in _FORMS.items():
        for match in form.finditer(text):
            group = 1 if form.groups else 0
            if not _is_placeholder(match[group]) and "EXAMPLE" not in match.group():
                yield _secret(kind, text, match.start(group), match.end(group))


def _by_name(text: str) -> Iterator[Secret]:
    for match in _NAMED.finditer(text):
        before = _NAME_END.search(text[max(match.start() - 40, 0) : match.start()])
        name = (before[0] if before else "") + match["name"]
        if _is_telling(name, match["value"]):
            kind = f"value of `{name}`"
            yield _secret(kind, text, match.start("value"), match.end("value"))


def _secret(kind: str, text: str, start: int, end: int) -> Secret:
    line = text.count("\n", 0, start) + 1
    return Secret(kind=kind, line=line, start=start, end=end)


def _is_telling(name: str, value: str) -> bool:
    """Tell whether a value beside a telling name looks like a secret, not like a word."""
    if _is_placeholder(value) or " " in value.strip():
        return False
    if _PASSWORD_NAME.search(name):
        return not value.isalpha() or len(value) >= _LEAST_TOKEN_LENGTH
    has_digit = any(c.isdigit() for c in value)
    return (
        len(value) >= _LEAST_TOKEN_LENGTH
        and has_digit
        and _entropy_bits(value) >= _LEAST_ENTROPY_BITS
        and "/" not in value[:2]
    )


def _is_placeholder(value: str) -> bool:
    return (
        _PLACEHOLDER.fullmatch(value) is not None
        or len(set(value)) <= 2  # noqa: PLR2004  # xxxxxx, 000000, ------
        or value.lower().strip("_-") in {"password", "passwd", "secret", "token"}
    )


def _entropy_bits(value: str) -> float:
    """Shannon's entropy of the characters, in bits per character: -sum(p log2 p)."""
    shares = [count / len(value) for count in Counter(value).values()]
    return -sum(p * math.log2(p) for p in shares)

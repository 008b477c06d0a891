"""Secret values are taken out of what is recorded: as they are, and in their usual encodings.

Base64 is found wherever it begins: a value inside ``user:value`` has one of three spellings,
by its distance from the start, and each has a part that the value alone determines.
"""

from __future__ import annotations

import base64
import copy
import html
import json
import re
import string
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

#: shorter values are found in too much that is no secret; they are refused
LEAST_LENGTH = 6
#: lines of a longer secret, such as a private key, are secrets too from this length on
_LEAST_LINE = 16
_BITS_PER_CHARACTER = 6
#: RFC 3986, 2.3
_UNRESERVED = frozenset(string.ascii_letters + string.digits + "-._~")
_BITS_PER_BYTE = 8


class Redactor:
    """Knows secret values, and puts ``[secret NAME]`` in their place.

    Parameters
    ----------
    secrets
        Values by name.
    """

    def __init__(self, secrets: Mapping[str, str]) -> None:
        self._names: dict[str, str] = {}
        for name, value in secrets.items():
            for form in forms_of(value):
                self._names.setdefault(form, name)
        self._forms = sorted(self._names, key=len, reverse=True)
        self._pattern = re.compile("|".join(map(re.escape, self._forms)) or r"(?!)")
        self._binary = {form.encode("utf-8", "surrogatepass") for form in self._forms}
        self._held: dict[str, tuple[str, Mapping[str, Any]]] = {}

    def anew(self) -> Redactor:
        """Return one with the same secrets for another conversation."""
        other = copy.copy(self)
        other._held = {}  # noqa: SLF001  # one of ours
        return other

    def text(self, text: str) -> str:
        """Take the secrets out of a text."""
        return self._pattern.sub(lambda m: f"[secret {self._names[m[0]]}]", text)

    def value(self, value: Any) -> Any:  # noqa: ANN401  # a JSON value
        """Take the secrets out of every text in a JSON value, names of fields included."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, dict):
            return {self.value(k): self.value(item) for k, item in value.items()}
        if isinstance(value, (list, tuple)):
            return [self.value(item) for item in value]
        return value

    def masked(self, data: bytes) -> bytes:
        """Write asterisks over the secrets in bytes, so that their length stays."""
        for form in sorted(self._binary, key=len, reverse=True):
            if form in data:
                data = data.replace(form, b"*" * len(form))
        return data

    def names_in(self, data: str | bytes) -> tuple[str, ...]:
        """Name the secrets that a text or bytes hold."""
        if isinstance(data, bytes):
            data = data.decode("utf-8", "replace")
        return tuple(sorted({self._names[m[0]] for m in self._pattern.finditer(data)}))

    def messages(self, channel: str, message: Any) -> Iterator[Any]:  # noqa: ANN401
        """Take the secrets out of a kernel's message.

        The end of a stream's text is kept back while it may be the beginning of a secret,
        until the kernel says anything else.

        Parameters
        ----------
        channel
            ``iopub`` or ``shell``.
        message
            As the protocol has it: ``msg_type``, ``content``, ``metadata``, ``buffers``.
        """
        content = message["content"]
        if channel == "iopub" and message["msg_type"] == "stream":
            yield from self._stream(message, content["name"], content["text"])
            return
        if channel == "iopub":
            yield from self._let_go()
        yield {
            **message,
            "content": self.value(content),
            "metadata": self.value(message["metadata"]),
            "buffers": [self.masked(bytes(b)) for b in message.get("buffers", ())],
        }

    def _stream(self, message: Any, name: str, text: str) -> Iterator[Any]:  # noqa: ANN401
        text = self._held.pop(name, ("", {}))[0] + text
        keep = self._beginning_at_end(text)
        if keep:
            self._held[name] = text[-keep:], message
        told = self.text(text[: len(text) - keep])
        if told:
            yield {**message, "content": {"name": name, "text": told}}

    def _let_go(self) -> Iterator[Any]:
        for name, (text, message) in self._held.items():
            yield {**message, "content": {"name": name, "text": text}}
        self._held.clear()

    def _beginning_at_end(self, text: str) -> int:
        """Return how many characters at the end may begin a secret."""
        last = 0
        for match in self._pattern.finditer(text):
            last = match.end()
        longest = 0
        for form in self._forms:
            start = max(last, len(text) - len(form) + 1)
            while (start := text.find(form[0], start)) != -1:
                if form.startswith(text[start:]):
                    longest = max(longest, len(text) - start)
                    break
                start += 1
        return longest


def forms_of(value: str) -> set[str]:
    """Return a secret value and its usual encodings."""
    data = value.encode("utf-8", "surrogatepass")
    lines = [line.strip() for line in value.splitlines()]
    forms = {value, *(line for line in lines if len(line) >= _LEAST_LINE)}
    for text in tuple(forms):
        forms |= {json.dumps(text)[1:-1], json.dumps(text, ensure_ascii=False)[1:-1]}
        forms |= {repr(text)[1:-1], html.escape(text), html.escape(text, quote=False)}
        for coded in _percent_codes(text):
            lower = re.sub(r"%[0-9A-F]{2}", lambda m: m[0].lower(), coded)
            forms |= {coded, lower}
    forms |= {data.hex(), data.hex().upper()}
    for offset in range(3):
        core = _base64_core(data, offset)
        forms |= {core, core.replace("+", "-").replace("/", "_")}
    return {form for form in forms if len(form) >= LEAST_LENGTH}


def _percent_codes(text: str) -> tuple[str, ...]:
    """Write a text as addresses have it: with and without its slashes, and as forms do."""
    data = text.encode("utf-8", "surrogatepass")
    whole = "".join(chr(b) if chr(b) in _UNRESERVED else f"%{b:02X}" for b in data)
    return whole, whole.replace("%2F", "/"), whole.replace("%20", "+")


def _base64_core(data: bytes, offset: int) -> str:
    """Return the base64 that ``data`` alone determines where it begins ``offset`` bytes in."""
    coded = base64.b64encode(bytes(offset) + data).decode()
    first = -(-offset * _BITS_PER_BYTE // _BITS_PER_CHARACTER)
    last = (offset + len(data)) * _BITS_PER_BYTE // _BITS_PER_CHARACTER
    return coded[first:last]

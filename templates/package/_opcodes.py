"""Follow bytes as the unpickler would, calling nothing: whether they are a pickle, of what names.

Ships verbatim inside every exported package: plain Python 3.11, standard library only. The
reading is more lenient than the unpickler's own, so that what the one takes the other sees.
Opcodes after ``Lib/pickletools.py``, protocols 0 to 5.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

#: how every pickle of protocol 2 and later begins
HEADER = re.compile(rb"\x80[\x02-\x05]")
_PROTOCOLS = 6
_STOP = ord(".")
_MARK = object()
#: opcode -> bytes of its argument
_FIXED = {
    **dict.fromkeys(b"Khq\x80\x82", 1),
    **dict.fromkeys(b"M\x83", 2),
    **dict.fromkeys(b"Jjr\x84", 4),
    **dict.fromkeys(b"G\x95", 8),
}
#: opcode -> bytes of the count that stands before its argument
_COUNTED = {
    **dict.fromkeys(b"U\x8aC\x8c", 1),
    **dict.fromkeys(b"TX\x8bB", 4),
    **dict.fromkeys(b"\x8d\x8e\x96", 8),
}
#: opcode -> what its line may hold
_LINES = {
    ord("F"): re.compile(rb"\s*[-+0-9.eEinfatyINFATY_]+\s*"),
    ord("I"): re.compile(rb"\s*[-+0-9a-fA-FxXoO_]+\s*"),
    ord("L"): re.compile(rb"\s*[-+0-9a-fA-FxXoO_]+L?\s*"),
    ord("S"): re.compile(rb"\s*(?:'.*'|\".*\")\s*", re.DOTALL),
    ord("V"): re.compile(rb".*", re.DOTALL),
    ord("P"): re.compile(rb".*", re.DOTALL),
    ord("g"): re.compile(rb"\s*[-+0-9_]+\s*"),
    ord("p"): re.compile(rb"\s*[-+0-9_]+\s*"),
}
_TEXTS = frozenset(b"SVTUX\x8c\x8d")
_NAME = re.compile(r"[^\s\x00-\x1f\x7f()\[\]{},;:=/\\'\"<>#!?*]+")
#: opcode -> how many items it takes from the stack; it leaves one
_TAKES = {
    **dict.fromkeys(b"Q\x85\x98", 1),
    **dict.fromkeys(b"aRb\x81\x86", 2),
    **dict.fromkeys(b"s\x87\x92", 3),
}
#: opcodes that take all down to the mark, and leave one
_TO_MARK = frozenset(b"dlt\x91")
#: opcodes that take all down to the mark, and need one item below it
_TO_ITEM = frozenset(b"eu\x90")
_PUSHES = frozenset(b"NKMJG]})\x88\x89\x8f\x97")
_CALLS = frozenset(b"Rb\x81\x92oi")
_EXTENSIONS = frozenset(b"\x82\x83\x84")
_FRAME_OR_PROTOCOL = frozenset(b"\x80\x95")


class NotAPickleError(ValueError):
    """The bytes are no opcodes, or do not fit together."""


@dataclass(slots=True)
class Stream:
    """One stream of opcodes, followed from an offset on."""

    data: bytes
    position: int = 0
    #: opcodes that were understood
    count: int = 0
    #: ``module.name`` of everything that it would import
    imports: list[str] = field(default_factory=list)
    #: whether it would call something that it imports
    has_calls: bool = False
    #: whether it ends with STOP
    is_complete: bool = False
    _stack: list[object] = field(default_factory=list)
    _memo: dict[int, object] = field(default_factory=dict)

    @property
    def is_harmful(self) -> bool:
        """Whether what was read imports something, and calls or returns it."""
        return bool(self.imports) and (self.has_calls or self.is_complete)

    def follow(self, until: Callable[[Stream], bool]) -> None:
        """Read opcodes up to STOP, to the first that is none, or until enough is known."""
        try:
            while not self.is_complete and not until(self):
                self._step()
        except NotAPickleError:
            return

    def _step(self) -> None:
        code = self._take(1)[0]
        if code in _LINES:
            self._push_line(code)
        elif code in (ord("c"), ord("i")):
            self._import_lines(is_call=code == ord("i"))
        elif code in _COUNTED:
            size = int.from_bytes(self._take(_COUNTED[code]), "little")
            text = self._take(size)
            self._stack.append(text if code in _TEXTS else None)
        else:
            argument = self._take(_FIXED.get(code, 0))
            self._act(code, int.from_bytes(argument, "little"))
        self.count += 1
        self.has_calls = self.has_calls or (code in _CALLS and bool(self.imports))

    def _act(self, code: int, argument: int) -> None:
        if code == _STOP:
            self._items(1)
            self.is_complete = True
        elif code in _FRAME_OR_PROTOCOL:
            self._demand(code != ord("\x80") or argument < _PROTOCOLS)
        elif code in _PUSHES:
            self._stack.append(None)
        elif code in _TAKES:
            self._items(_TAKES[code])
            self._stack[-_TAKES[code] :] = [None]
        elif code in _TO_MARK or code in _TO_ITEM:
            self._to_mark()
            self._stack += [None] if code in _TO_MARK else []
            self._items(1)
        elif code in b"qr\x94":
            self._remember(len(self._memo) if code == ord("\x94") else argument)
        elif code in b"hj":
            self._recall(argument)
        else:
            self._act_rarely(code)

    def _act_rarely(self, code: int) -> None:
        if code == ord("("):
            self._stack.append(_MARK)
        elif code == ord("\x93"):
            module, name = self._items(2)
            del self._stack[-2:]
            self._note(module, name)
        elif code in _EXTENSIONS:
            self._note(b"copyreg", b"extension")
        elif code == ord("o"):
            self._demand(bool(self._to_mark()))
            self._stack.append(None)
        elif code == ord("0"):
            self._demand(bool(self._stack))
            self._stack.pop()
        elif code == ord("1"):
            self._to_mark()
        elif code == ord("2"):
            self._stack += self._items(1)
        else:
            raise NotAPickleError("no opcode")

    def _push_line(self, code: int) -> None:
        line = self._line()
        self._demand(_LINES[code].fullmatch(line) is not None)
        self._demand(code != ord("P") or self.count > 0)
        if code == ord("g"):
            self._recall(_number(line))
        elif code == ord("p"):
            self._remember(_number(line))
        else:
            self._stack.append(line.strip(b"'\"") if code in _TEXTS else None)

    def _import_lines(self, *, is_call: bool) -> None:
        module, name = self._line(), self._line()
        if is_call:
            self._to_mark()
        self._note(module, name)

    def _note(self, module: object, name: object) -> None:
        """Push what an import gives; anything but two names is no pickle."""
        words = [
            word.decode("utf-8", "replace") if isinstance(word, bytes) else ""
            for word in (module, name)
        ]
        self._demand(all(_NAME.fullmatch(word) for word in words))
        self.imports.append(".".join(words))
        self._stack.append(None)

    def _items(self, count: int) -> list[object]:
        top = self._stack[-count:]
        self._demand(len(top) == count and _MARK not in top)
        return top

    def _to_mark(self) -> list[object]:
        self._demand(_MARK in self._stack)
        above: list[object] = []
        while (item := self._stack.pop()) is not _MARK:
            above.append(item)
        return above

    def _remember(self, place: int) -> None:
        self._memo[place] = self._items(1)[0]

    def _recall(self, place: int) -> None:
        self._demand(place in self._memo)
        self._stack.append(self._memo[place])

    def _take(self, size: int) -> bytes:
        end = self.position + size
        self._demand(end <= len(self.data))
        taken = self.data[self.position : end]
        self.position = end
        return taken

    def _line(self) -> bytes:
        end = self.data.find(b"\n", self.position)
        self._demand(end >= 0)
        return self._take(end + 1 - self.position)[:-1]

    def _demand(self, is_so: bool) -> None:  # noqa: FBT001  # a private word, read aloud
        if not is_so:
            raise NotAPickleError("these opcodes do not fit together")


def _number(line: bytes) -> int:
    try:
        return int(line)
    except ValueError as error:
        raise NotAPickleError("no number") from error

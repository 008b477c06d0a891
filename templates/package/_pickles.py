"""Find pickles by what files hold, whatever they are called; nothing is ever unpickled.

Ships verbatim inside every exported package: plain Python 3.11, standard library only. Looks
into zip and tar archives, compressed files, arrays of objects, and bytes written as text; files
inside of files are followed a bounded way down.
"""

from __future__ import annotations

import ast
import base64
import binascii
import bz2
import io
import lzma
import re
import tarfile
import warnings
import zipfile
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ._opcodes import HEADER, Stream

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

#: how deep archives may lie inside of each other
MAX_DEPTH = 8
#: how much more than its own size a file may unpack to
MAX_RATIO = 100
_ALLOWANCE_BYTES = 256 << 20
#: small, so that what one chunk unpacks to is bounded
_CHUNK_BYTES = 1 << 12
#: a header and what stands behind it: a pickle that breaks off later is one too
_OPCODES_ENOUGH = 3
#: how far it is followed for the names in it
_OPCODES_NAMED = 10_000
_TAR_MAGIC = slice(257, 262)
_NUMPY = b"\x93NUMPY"
_ZIP = b"PK\x03\x04"
#: joblib's oldest compressed form: two letters, a length of 19 characters, zlib
_ZFILE_BYTES = (21, 22)
_OPAQUE = {b"\x28\xb5\x2f\xfd": "zstandard", b"\x04\x22\x4d\x18": "lz4"}
_BYTES_IN_JSON = re.compile(rb'"\$byte(?:s|array)": ?"([A-Za-z0-9+/=]*)"')
#: base64 of the header of a pickle
_BASE64 = re.compile(rb"gA[I-X][A-Za-z0-9+/]{9,}={0,2}")
_HEADER_IN_PYTHON = re.compile(rb"\\x80\\x0[2-5]")
_PLAIN_DTYPE = re.compile(r"[<>|=]?[biufcmMSUV?]\d*(?:\[[^\]]*\])?")
_BROKEN = (
    zipfile.BadZipFile,
    tarfile.TarError,
    zlib.error,
    lzma.LZMAError,
    OSError,
    EOFError,
    RuntimeError,
    NotImplementedError,
    ValueError,
)


@dataclass(slots=True)
class _Look:
    """How far a file has been unpacked."""

    left_bytes: int
    depth: int = 0

    def spend(self, size_bytes: int) -> None:
        """Count bytes against the allowance.

        Raises
        ------
        _TooLargeError
            If it is used up.
        """
        self.left_bytes -= size_bytes
        if self.left_bytes < 0:
            raise _TooLargeError


class _TooLargeError(Exception):
    """The allowance for unpacking is used up."""


def pickles_in(name: str, data: bytes) -> list[str]:
    """Say what in a file is a pickle, or cannot be told from one.

    Parameters
    ----------
    name
        What to call the file.
    data
        Its bytes.

    Returns
    -------
    list of str
        Such as ``state/a.npz: a0.npy: an array of objects, which NumPy pickles``; empty where
        it holds no pickle.
    """
    look = _Look(left_bytes=MAX_RATIO * len(data) + _ALLOWANCE_BYTES)
    try:
        return list(_look(name, data, look))
    except _TooLargeError:
        return [f"{name}: unpacks to more than {MAX_RATIO} times its size"]


def pickles_below(folder: Path) -> list[str]:
    """Say what in the files of a folder is a pickle; caches of compiled code are left out."""
    return [
        finding
        for path in sorted(folder.rglob("*"))
        if path.is_file() and "__pycache__" not in path.parts
        for finding in pickles_in(
            path.relative_to(folder).as_posix(), path.read_bytes()
        )
    ]


def _look(where: str, data: bytes, look: _Look) -> Iterator[str]:
    found = _pickle_at_start(data)
    if found:
        yield f"{where}: {found}"
        return
    inside = list(_look_inside(where, data, look))
    yield from inside
    hidden = "" if inside else _pickle_behind(data)
    if hidden:
        yield f"{where}: {hidden}"


def _look_inside(where: str, data: bytes, look: _Look) -> Iterator[str]:
    if data.startswith(_NUMPY):
        if _holds_objects(data):
            yield f"{where}: an array of objects, which NumPy pickles"
        return
    yield from _texts(where, data, look)
    for magic, name in _OPAQUE.items():
        if data.startswith(magic):
            yield f"{where}: compressed by {name}, which this check cannot unpack"
    if look.depth >= MAX_DEPTH:
        if _is_archive(data):
            yield f"{where}: archives inside of each other, more than {MAX_DEPTH} deep"
        return
    look.depth += 1
    yield from _unpacked(where, data, look)
    look.depth -= 1


def _pickle_of(data: bytes) -> str:
    """Say how bytes are a pickle, or hold one; "" where they do not."""
    return _pickle_at_start(data) or _pickle_behind(data)


def _pickle_at_start(data: bytes) -> str:
    position = 0
    while position < len(data):  # files may hold several, one behind the other
        stream = Stream(data, position)
        stream.follow(lambda seen: seen.is_harmful or _begins_as_one(seen))
        if stream.is_harmful or _begins_as_one(stream):
            return _named(stream)
        if not stream.is_complete:
            break
        position = stream.position
    if position and position == len(data):
        return "a pickle"
    return ""


def _pickle_behind(data: bytes) -> str:
    """Look behind other bytes, where only a header tells that a pickle begins."""
    for start in HEADER.finditer(data, 1):
        stream = Stream(data, start.start())
        stream.follow(lambda seen: seen.is_harmful)
        if stream.is_harmful:
            return f"{_named(stream)} from byte {start.start()} on"
    return ""


def _begins_as_one(seen: Stream) -> bool:
    """Tell whether a header and opcodes behind it were read from the start of the file."""
    return seen.data[:1] == b"\x80" and seen.count >= _OPCODES_ENOUGH


def _named(stream: Stream) -> str:
    stream.follow(lambda seen: seen.is_harmful or seen.count > _OPCODES_NAMED)
    names = ", ".join(dict.fromkeys(stream.imports))
    return f"a pickle that names {names}" if names else "a pickle"


def _holds_objects(data: bytes) -> bool:
    """Tell whether the header of an npy file names objects; a broken header counts as one."""
    start = 10 if data[6:7] == b"\x01" else 12
    size = int.from_bytes(data[8:start], "little")
    try:
        header = ast.literal_eval(data[start : start + size].decode("latin-1").strip())
        return _names_objects(header["descr"])
    except (ValueError, SyntaxError, LookupError, TypeError, MemoryError):
        return True
    except RecursionError:
        return True


def _names_objects(descr: Any) -> bool:
    if isinstance(descr, list):  # fields: name, type and perhaps shape
        return any(_names_objects(field[1]) for field in descr)
    if isinstance(descr, tuple):  # type and shape
        return _names_objects(descr[0])
    return _PLAIN_DTYPE.fullmatch(descr) is None


def _texts(where: str, data: bytes, look: _Look) -> Iterator[str]:
    """Look at bytes that a text file spells out: in JSON, as base64, in Python."""
    for match in _BYTES_IN_JSON.finditer(data):
        yield from _look(f"{where}: bytes in JSON", _from_base64(match[1]), look)
    for match in _BASE64.finditer(data):
        stream = Stream(_from_base64(match[0]))
        stream.follow(lambda seen: seen.is_harmful)
        if stream.is_harmful:
            yield f"{where}: {_named(stream)}, as base64"
    if _HEADER_IN_PYTHON.search(data):
        for constant in _constants_of(data):
            found = _pickle_of(constant)
            if found:
                yield f"{where}: {found}, as a literal"


def _from_base64(text: bytes) -> bytes:
    try:
        return base64.b64decode(text[: len(text) // 4 * 4])
    except binascii.Error:
        return b""


def _constants_of(data: bytes) -> list[bytes]:
    """List what a Python text holds as bytes, or as text that stands for bytes."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of escapes that the author wrote
            tree = ast.parse(data.decode())
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return []
    values = [node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)]
    texts = [value for value in values if isinstance(value, str)]
    written = [value for value in values if isinstance(value, bytes)]
    return [*written, *(text.encode("latin-1", "ignore") for text in texts)]


def _is_archive(data: bytes) -> bool:
    return (
        data.startswith((_ZIP, *_COMPRESSED))
        or zipfile.is_zipfile(io.BytesIO(data))
        or data[_TAR_MAGIC] == b"ustar"
    )


def _unpacked(where: str, data: bytes, look: _Look) -> Iterator[str]:
    if data.startswith(_ZIP) or zipfile.is_zipfile(io.BytesIO(data)):
        yield from _zip(where, data, look)
    if data[_TAR_MAGIC] == b"ustar":
        yield from _tar(where, data, look)
    for magic, make in _COMPRESSED.items():
        if data.startswith(magic):
            yield from _look(f"{where}: unpacked", _inflated(data, make, look), look)
    if data.startswith(b"ZF"):
        for start in _ZFILE_BYTES:
            content = _inflated(data[start:], zlib.decompressobj, look)
            yield from _look(f"{where}: unpacked", content, look)


def _zip(where: str, data: bytes, look: _Look) -> Iterator[str]:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            for entry in archive.infolist():
                with archive.open(entry) as file:
                    content = file.read(look.left_bytes + 1)
                look.spend(len(content))
                yield from _look(f"{where}: {entry.filename}", content, look)
    except _BROKEN as error:
        if data.startswith(_ZIP):
            yield f"{where}: an archive that cannot be read: {error}"


def _tar(where: str, data: bytes, look: _Look) -> Iterator[str]:
    try:
        with tarfile.open(fileobj=io.BytesIO(data), mode="r:") as archive:
            for entry in archive:
                file = archive.extractfile(entry) if entry.isfile() else None
                if file is not None:
                    content = file.read(look.left_bytes + 1)
                    look.spend(len(content))
                    yield from _look(f"{where}: {entry.name}", content, look)
    except _BROKEN as error:
        yield f"{where}: an archive that cannot be read: {error}"


def _inflated(data: bytes, make: Callable[[], Any], look: _Look) -> bytes:
    """Unpack as far as it goes: a reader would see what stands before an error."""
    content, end = _unpacked_until(len(data), data, make, look)
    if end < len(data):
        look.left_bytes += len(content)
        content, _ = _unpacked_until(end, data, make, look)
    return content


def _unpacked_until(
    exact_from: int, data: bytes, make: Callable[[], Any], look: _Look
) -> tuple[bytes, int]:
    """Unpack, byte by byte from an offset on; return where it ended too."""
    parts: list[bytes] = []
    unpacker = make()
    position = 0
    try:
        while position < len(data):
            is_exact = position >= exact_from
            end = position + 1 if is_exact else min(position + _CHUNK_BYTES, exact_from)
            parts.append(unpacker.decompress(data[position:end]))
            look.spend(len(parts[-1]))
            position = end
            if unpacker.eof:  # another one may follow
                position -= len(unpacker.unused_data)
                unpacker = make()
    except _BROKEN:
        pass
    return b"".join(parts), position


def _gzip() -> Any:
    return zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)


def _lzma() -> Any:
    return lzma.LZMADecompressor()


#: first bytes -> what unpacks it
_COMPRESSED: dict[bytes, Callable[[], Any]] = {
    b"\x1f\x8b": _gzip,
    b"BZh": bz2.BZ2Decompressor,
    b"\xfd7zXZ\x00": _lzma,
    b"\x5d\x00\x00": _lzma,
    **{bytes((0x78, flags)): zlib.decompressobj for flags in (0x01, 0x5E, 0x9C, 0xDA)},
}

"""What one check of a root leaves for the next: values written, and values read back.

A front end checks while one types, and what changes between two checks is mostly text. A value
is written again only where its digest is another one than it was; a value that was read back is
used again only where its own digest is still the one that it had when it was fresh.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from nbship.ports_shipping import GroupCodec
from nbship.release.unchanged import Fingerprints

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from nbship.ports_shipping import Codec
    from nbship.records.state import EncodedState

#: seconds of reading below which a value is not kept
_WORTHWHILE_S = 0.02
#: bytes of files that are kept between two checks, and of files whose values are
_MAX_WRITTEN_BYTES = 256_000_000
_MAX_BYTES = 64_000_000


@dataclass(slots=True)
class _Loaded:
    value: Any
    digest: str
    size_bytes: int


@dataclass(slots=True)
class CheckMemory:
    """Values of earlier checks in one kernel."""

    _fingerprints: Fingerprints = field(default_factory=Fingerprints)
    _written: dict[tuple[str, str], EncodedState | None] = field(default_factory=dict)
    _loaded: dict[tuple[Any, ...], _Loaded] = field(default_factory=dict)
    #: root -> what its last check asked for
    _asked: dict[str, set[tuple[Any, ...]]] = field(default_factory=dict)
    _used: set[tuple[Any, ...]] = field(default_factory=set)

    def codecs(self, codecs: Sequence[Codec], *, root: str = "") -> tuple[Codec, ...]:
        """Begin the check of a root: return codecs that write no value twice.

        Those of plug-ins are asked every time: nobody knows what they look at.
        """
        self._used = self._asked[root] = set()
        digests = _Digests(self._fingerprints)
        return tuple(
            codec
            if ":" in codec.name
            else _RememberingGroup(codec, self, digests)
            if isinstance(codec, GroupCodec)
            else _Remembering(codec, self, digests)
            for codec in codecs
        )

    def forget(self) -> None:
        """End a check: drop what the last checks of all roots did not ask for."""
        asked = set().union(*self._asked.values())
        self._written = {k: v for k, v in self._written.items() if k in asked}
        self._loaded = {k: v for k, v in self._loaded.items() if k in asked}

    def written(
        self, codec: str, digest: str, write: Callable[[], EncodedState | None]
    ) -> EncodedState | None:
        """Return what a codec writes of the value with that digest."""
        if not digest:
            return write()
        key = (codec, digest)
        self._used.add(key)
        if key in self._written:
            return self._written[key]
        found = write()
        held = sum(len(other.data) for other in self._written.values() if other)
        if found is None or held + len(found.data) <= _MAX_WRITTEN_BYTES:
            self._written[key] = found
        return found

    def loaded(self, entry: Mapping[str, Any], read: Callable[[], Any]) -> Any:  # noqa: ANN401
        """Return the value of a file of a capture, fresh, or as good as fresh.

        Parameters
        ----------
        entry
            What ``capture.json`` says of the file.
        read
            Reads it.
        """
        key = (entry["codec"], entry["digest"], *entry["trusted_types"])
        self._used.add(key)
        kept = self._loaded.pop(key, None)
        if kept is None or self._fingerprints.of(kept.value) != kept.digest:
            kept = self._read(entry, read)
        if kept.digest:
            self._loaded[key] = kept
        return kept.value

    def _read(self, entry: Mapping[str, Any], read: Callable[[], Any]) -> _Loaded:
        started = time.perf_counter()
        value = read()
        room = _MAX_BYTES - sum(other.size_bytes for other in self._loaded.values())
        is_kept = (
            time.perf_counter() - started >= _WORTHWHILE_S
            and entry["size_bytes"] <= room
            and ":" not in entry["codec"]
        )
        digest = self._fingerprints.of(value) if is_kept else ""
        return _Loaded(value=value, digest=digest, size_bytes=entry["size_bytes"])


class _Digests:
    """Digests of one check: several codecs are asked for one value after the other."""

    def __init__(self, fingerprints: Fingerprints) -> None:
        self._fingerprints = fingerprints
        self._last: tuple[object, str] = (self, "")

    def of(self, value: object) -> str:
        if self._last[0] is not value:
            self._last = (value, self._fingerprints.of(value))
        return self._last[1]


class _Remembering:
    def __init__(self, codec: Codec, memory: CheckMemory, digests: _Digests) -> None:
        self._codec, self._memory, self._digests = codec, memory, digests
        self.name, self.suffix = codec.name, codec.suffix

    def encode(self, value: object) -> EncodedState | None:
        return self._memory.written(
            self.name, self._digests.of(value), lambda: self._codec.encode(value)
        )


class _RememberingGroup(_Remembering):
    def __init__(
        self, codec: GroupCodec, memory: CheckMemory, digests: _Digests
    ) -> None:
        super().__init__(codec, memory, digests)
        self._group = codec

    def groups(self, values: Mapping[str, object]) -> Sequence[tuple[str, ...]]:
        return self._group.groups(values)

    def encode_together(self, values: Mapping[str, object]) -> EncodedState:
        return self._group.encode_together(values)

"""Whether a live value is what it was: a digest that any change inside it changes.

A digest is made from the stream by which pickle would write the value, which is hashed as it
comes and kept nowhere; nothing is ever read back. The stream is all that is needed to make the
value again, so that equal streams mean equal values. Where that may not hold, because a class
says itself what to leave out, there is no digest, and who asks takes the value for changed.
"""

from __future__ import annotations

import copyreg
import hashlib
import pickle  # written into a hash, never read
import struct
import sys
import weakref
from types import FunctionType
from typing import Any

#: libraries whose classes write all of their state
_TRUSTED = frozenset(
    {"builtins", "lightgbm", "numpy", "pandas", "pyarrow", "scipy", "sklearn", "torch", "xgboost"}
)  # fmt: skip
#: methods by which a class says what its state is
_OWN_STATE = (
    "__reduce_ex__", "__reduce__", "__getstate__", "__getnewargs_ex__", "__getnewargs__",
    "__mlops_save__",
)  # fmt: skip


class _UnsureError(Exception):
    """What the stream says of the value may be but a part of it."""


class Fingerprints:
    """Makes digests that can be compared with each other, in this process only."""

    def __init__(self) -> None:
        self._serials = _Serials()

    def of(self, value: object) -> str:
        """Return the digest of a live value; "" where there is none.

        Parameters
        ----------
        value
            Anything that a notebook holds; it is not changed.
        """
        sink = _Sink()
        reader = _Reader(sink, protocol=5, buffer_callback=sink.take)
        reader.serials = self._serials
        try:
            reader.dump(value)
        except Exception:  # noqa: BLE001  # whatever the value's own methods raise
            return ""
        return sink.hash.hexdigest()


class _Serials:
    """Numbers for classes and functions of the notebook, none given twice."""

    def __init__(self) -> None:
        self._given: dict[int, tuple[weakref.ref[Any], int]] = {}
        self._count = 0

    def of(self, value: type | FunctionType) -> int:
        known = self._given.get(id(value))
        if known is None or known[0]() is not value:
            self._count += 1
            known = self._given[id(value)] = (weakref.ref(value), self._count)
        return known[1]


class _Sink:
    """A file that keeps nothing but a digest of what was written."""

    def __init__(self) -> None:
        self.hash = hashlib.blake2b(digest_size=20)

    def write(self, data: Any) -> int:  # noqa: ANN401  # bytes, or a view of memory
        self.hash.update(data)
        return len(data)

    def take(self, buffer: pickle.PickleBuffer) -> None:
        """Hash an array's memory where it lies, instead of a copy in the stream."""
        raw = buffer.raw()
        self.hash.update(b"buffer" + struct.pack("<q", raw.nbytes))
        self.hash.update(raw)


class _Reader(pickle.Pickler):
    serials: _Serials

    def reducer_override(self, obj: Any) -> Any:  # noqa: ANN401  # pickle's own contract
        """Let a class or function of the notebook count by its number; refuse what is unsure.

        Raises
        ------
        _UnsureError
            If the object's class may leave something out.
        """
        if isinstance(obj, (type, FunctionType)):
            if getattr(obj, "__closure__", None):
                raise _UnsureError
            if obj.__module__ != "__main__":
                return NotImplemented
            return _Notebook, (self.serials.of(obj),)
        if not _says_all(type(obj)):
            raise _UnsureError
        return NotImplemented


class _Notebook:
    """Stands in the stream for a class or function of the notebook."""


def _says_all(kind: type) -> bool:
    """Tell whether the classes that shape an object's stream belong to a trusted library."""
    if kind in copyreg.dispatch_table and not _is_trusted(kind):
        return False
    return all(
        _is_trusted(owner)
        for name in _OWN_STATE
        if (owner := next((c for c in kind.__mro__ if name in vars(c)), None))
    )


def _is_trusted(kind: type) -> bool:
    root = kind.__module__.partition(".")[0]
    is_compiled = root.startswith("_cython_")  # a function that Cython made
    return root in _TRUSTED or root in sys.stdlib_module_names or is_compiled

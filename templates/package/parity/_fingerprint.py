"""A digest of a live value: the same in every process, another one after any change inside."""

from __future__ import annotations

import hashlib
import struct
import sys
from types import BuiltinFunctionType, FunctionType, MethodType, ModuleType
from typing import Any

#: values looked at before a digest is given up
MAX_NODES = 200_000
_PLAIN = (bool, int, float, complex, str, bytes, bytearray)


class _TooLargeError(Exception):
    """The value holds more than is worth a digest."""


def digest_of(value: Any, *, max_nodes: int = MAX_NODES) -> str:
    """Return the digest of a value and of all that it holds; "" where it is too large.

    Parameters
    ----------
    value
        Anything; what cannot be looked into counts by its type.
    max_nodes
        Values that are looked at before it is given up.
    """
    walk = _Walk(max_nodes)
    try:
        walk.feed(value)
    except (_TooLargeError, RecursionError):
        return ""
    return walk.hash.hexdigest()


def state_digests(module: ModuleType) -> dict[str, str]:
    """Return the digest of every value that a module holds, imported ones left out."""
    return {
        name: digest_of(value)
        for name, value in vars(module).items()
        if not name.startswith("__") and _is_state(value, module.__name__)
    }


def _is_state(value: Any, module: str) -> bool:
    if isinstance(value, (ModuleType, BuiltinFunctionType)):
        return False
    if isinstance(value, (type, FunctionType)):
        return value.__module__ == module
    return not hasattr(value, "cache_parameters")  # a cache that answers the same


class _Walk:
    def __init__(self, max_nodes: int) -> None:
        self.hash = hashlib.blake2b(digest_size=16)
        self._left = max_nodes
        self._seen: dict[int, int] = {}
        #: keeps what was made on the way alive, so that no identity is used twice
        self._kept: list[Any] = []

    def feed(self, value: Any) -> None:
        self._left -= 1
        if self._left < 0:
            raise _TooLargeError
        kind = type(value)
        self._text(f"{kind.__module__}.{kind.__qualname__}")
        if value is None or kind in _PLAIN:
            self._bytes(_plain_bytes(value))
            return
        if id(value) in self._seen:
            self._text(f"again {self._seen[id(value)]}")
            return
        self._seen[id(value)] = len(self._seen)
        self._kept.append(value)
        self._feed_held(value)

    def _feed_held(self, value: Any) -> None:
        if isinstance(value, (list, tuple)) and type(value) in {list, tuple}:
            self._all(value)
        elif type(value) is dict:
            for key, item in value.items():
                self.feed(key)
                self.feed(item)
        elif isinstance(value, (set, frozenset)):
            self._all(sorted(digest_of(item) for item in value))
        elif isinstance(value, (type, FunctionType, MethodType, BuiltinFunctionType)):
            self._feed_code(value)
        elif isinstance(value, ModuleType):
            self._text(value.__name__)
        elif not self._feed_table(value):
            self._feed_object(value)

    def _feed_code(self, value: Any) -> None:
        self._text(str(getattr(value, "__qualname__", "")))
        if isinstance(value, MethodType):
            self.feed(value.__self__)
        elif isinstance(value, FunctionType):
            self._bytes(value.__code__.co_code)
            self._all([value.__defaults__, value.__kwdefaults__, vars(value)])
            for cell in value.__closure__ or ():
                try:
                    self.feed(cell.cell_contents)
                except ValueError:  # never filled
                    continue
        elif isinstance(value, type) and value.__module__.endswith(".model"):
            for name, item in vars(value).items():
                if not name.startswith("__") and not callable(item):
                    self._text(name)
                    self.feed(item)

    def _feed_table(self, value: Any) -> bool:
        """Look into arrays, tensors and frames; False for anything else."""
        np, pd = sys.modules.get("numpy"), sys.modules.get("pandas")
        if np is not None and isinstance(value, (np.ndarray, np.generic)):
            if value.dtype.hasobject:
                self._all(value.reshape(-1).tolist())
            else:
                self._text(f"{value.dtype.str} {value.shape}")
                self._bytes(np.ascontiguousarray(value).tobytes())
            return True
        if pd is not None and isinstance(value, (pd.DataFrame, pd.Series, pd.Index)):
            hashes = pd.util.hash_pandas_object(value).to_numpy()
            self._text(str(getattr(value, "dtypes", "")))
            self._all([str(getattr(value, "columns", "")), hashes])
            return True
        if hasattr(value, "reset_n_calls") and hasattr(value, "get_arrays"):
            self._all(value.get_arrays())  # a tree of scikit-learn counts its calls
            return True
        torch = sys.modules.get("torch")
        if torch is not None and isinstance(value, torch.Tensor):
            found = value.detach().cpu()
            try:
                self.feed(found.numpy())
            except TypeError:  # a dtype that NumPy lacks
                self.feed(found.tolist())
            return True
        return False

    def _feed_object(self, value: Any) -> None:
        state = getattr(value, "__dict__", None)
        if state and not _has_own_state(type(value)):
            self.feed(dict(state))
            return
        try:
            reduced = value.__reduce_ex__(4)
        except Exception:  # noqa: BLE001  # locks, handles and the like count by their type
            return
        if isinstance(reduced, str):
            self._text(reduced)
            return
        for part in reduced[1:]:
            is_iterator = hasattr(part, "__next__")
            self.feed(list(part) if is_iterator else part)

    def _all(self, values: Any) -> None:
        self._text(str(len(values)))
        for item in values:
            self.feed(item)

    def _text(self, text: str) -> None:
        self._bytes(text.encode("utf-8", "surrogatepass"))

    def _bytes(self, data: bytes) -> None:
        self.hash.update(struct.pack("<q", len(data)))
        self.hash.update(data)


def _has_own_state(kind: type) -> bool:
    """Tell whether a class says itself what its state is: its ``__dict__`` may be but a part."""
    names = ("__reduce__", "__reduce_ex__", "__getstate__")
    return any(getattr(kind, n, None) is not getattr(object, n, None) for n in names)


def _plain_bytes(value: Any) -> bytes:
    if isinstance(value, (bytes, bytearray)):
        return bytes(value)
    return repr(value).encode("utf-8", "surrogatepass")

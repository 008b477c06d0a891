"""Load the captured values of this package from ``state/``.

Ships verbatim inside every exported package: plain Python 3.11. Nothing is unpickled: JSON,
NumPy archives without objects, Arrow, safetensors, the own formats of boosters, and skops and
composite values with the types that ``capture.json`` lists.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib
import json
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

_FOLDER = Path(__file__).resolve().parent
#: the name under which captured objects know the classes of the notebook
NOTEBOOK_MODULE = "__notebook__"
_lock = threading.RLock()
#: values of files that hold several, until each is taken
_together: dict[str, dict[str, Any]] = {}


class StateError(RuntimeError):
    """A captured value is missing, was altered, or is of an unknown kind."""


def load(name: str) -> Any:
    """Return the captured value of a global name of ``model.py``.

    Raises
    ------
    StateError
        If ``capture.json`` knows no such name, or the file is missing or not the one that
        was captured.
    """
    entry = _entries().get(name)
    if entry is None:
        raise StateError(f"capture.json lists no captured value {name!r}")
    if not entry.get("is_shared"):
        return _read_entry(entry)
    if name not in _together.get(entry["file"], {}):
        _together[entry["file"]] = _read_entry(entry)
    return _together[entry["file"]].pop(name)


def _read_entry(entry: dict[str, Any]) -> Any:
    path = _FOLDER / "state" / entry["file"]
    try:
        data = path.read_bytes()
    except OSError as error:
        raise StateError(f"state/{entry['file']}: cannot be read: {error}") from error
    found = hashlib.sha256(data).hexdigest()
    if found != entry["digest"]:
        raise StateError(
            f"state/{entry['file']}: sha256 {found} where {entry['digest']} was captured"
        )
    return read(entry["codec"], data, trusted_types=entry["trusted_types"])


def read(codec: str, data: bytes, *, trusted_types: Sequence[str] = ()) -> Any:
    """Read the bytes that a codec wrote.

    Parameters
    ----------
    codec
        ``json``, ``npz``, ``arrow``, ``safetensors``, ``xgboost``, ``lightgbm``, ``skops``,
        ``tree``, or ``module:function`` of a plug-in.
    data
        The file's bytes.
    trusted_types
        What skops and ``tree`` may build.

    Raises
    ------
    StateError
        If there is no such reader.
    """
    if codec == "skops":
        return _read_skops(data, trusted_types)
    if codec == "tree":
        return _read_tree(data, trusted_types)
    if codec in _READERS:
        return _READERS[codec](data)
    module, colon, function = codec.partition(":")
    if not colon:
        raise StateError(f"no reader for the codec {codec!r}")
    return getattr(importlib.import_module(module), function)(data)


def _entries() -> dict[str, dict[str, Any]]:
    capture = json.loads((_FOLDER / "capture.json").read_text("utf-8"))
    return {entry["name"]: entry for entry in capture["state"]}


def _local_modules() -> dict[str, str]:
    """Map modules that lay beside the notebook to where they are in this package."""
    path = _FOLDER / "capture.json"
    capture = json.loads(path.read_text("utf-8")) if path.is_file() else {}
    names = [entry["name"] for entry in capture.get("local_modules", ())]
    return {name: f"._local.{name}" for name in names}


def _read_json(data: bytes) -> Any:
    from ._values import decode

    return decode(json.loads(data))


def _read_npz(data: bytes) -> Any:
    import io

    import numpy as np

    from ._values import decode

    with np.load(io.BytesIO(data), allow_pickle=False) as archive:
        structure = json.loads(archive["structure"].tobytes())
        arrays = {key: archive[key] for key in archive.files if key != "structure"}
    return _fill(structure, arrays, decode)


def _fill(structure: Any, arrays: dict[str, Any], decode: Any) -> Any:  # noqa: PLR0911
    if isinstance(structure, list):
        return [_fill(item, arrays, decode) for item in structure]
    if not isinstance(structure, dict):
        return structure
    if set(structure) == {"$ref"}:
        return arrays[structure["$ref"]]
    if set(structure) == {"$tuple"}:
        return tuple(_fill(item, arrays, decode) for item in structure["$tuple"])
    if set(structure) == {"$dict"}:
        pairs = structure["$dict"]
        return {decode(key): _fill(item, arrays, decode) for key, item in pairs}
    if len(structure) == 1 and next(iter(structure)).startswith("$"):
        return decode(structure)
    return {key: _fill(item, arrays, decode) for key, item in structure.items()}


def _read_arrow(data: bytes) -> Any:
    import pyarrow as pa

    from ._values import decode

    with pa.ipc.open_file(pa.BufferReader(data)) as reader:
        table = reader.read_all()
    metadata = table.schema.metadata
    layout = json.loads(metadata[b"nbship"])
    frame = table.to_pandas()
    names = [decode(item) for item in layout["column_names"]]
    frame.columns = _labels(layout["columns"], names)
    if "freq" in layout:
        frame.index.freq = layout["freq"]
    if not layout["is_series"]:
        return frame
    series = frame.iloc[:, 0]
    series.name = decode(layout["series_name"])
    return series


def _labels(columns: list[Any], names: list[Any]) -> Any:
    import pandas as pd

    from ._values import decode

    labels = [decode(column) for column in columns]
    if labels and all(isinstance(label, tuple) for label in labels):
        return pd.MultiIndex.from_tuples(labels, names=names)
    return pd.Index(labels, name=names[0])


@contextlib.contextmanager
def _lending(places: dict[str, str]) -> Iterator[None]:
    """Lend modules of this package the names by which a file imports their classes."""
    with _lock:
        lent = {n: importlib.import_module(p, __package__) for n, p in places.items()}
        kept = {name: sys.modules.get(name) for name in lent}
        sys.modules.update(lent)
        try:
            yield
        finally:
            for name, module in kept.items():
                if module is None:
                    del sys.modules[name]
                else:
                    sys.modules[name] = module


def _read_skops(data: bytes, trusted_types: Sequence[str]) -> Any:
    import skops.io

    with _lending({NOTEBOOK_MODULE: ".model", **_local_modules()}):
        return skops.io.loads(data, trusted=list(trusted_types))


def _read_tree(data: bytes, trusted_types: Sequence[str]) -> Any:
    from ._tree import read_tree

    with _lending(_local_modules()):
        return read_tree(data, trusted_types)


def _read_tensors(data: bytes) -> Any:
    from ._device import read_tensors

    return read_tensors(data)


def _read_xgboost(data: bytes) -> Any:
    from ._boosters import read_xgboost

    return read_xgboost(data)


def _read_lightgbm(data: bytes) -> Any:
    from ._boosters import read_lightgbm

    return read_lightgbm(data)


_READERS: dict[str, Callable[[bytes], Any]] = {
    "json": _read_json,
    "npz": _read_npz,
    "arrow": _read_arrow,
    "safetensors": _read_tensors,
    "xgboost": _read_xgboost,
    "lightgbm": _read_lightgbm,
}

"""NumPy arrays, also inside lists, tuples and dicts, as an archive without objects."""

from __future__ import annotations

import io
import json
import sys
from typing import Any

from nbship.adapters.codecs.archive import archive_of
from nbship.adapters.codecs.sharing import is_knotted
from nbship.records.state import EncodedState
from nbship.resources import shipped_module


class NpzCodec:
    """Arrays in NumPy's own format, read back with ``allow_pickle=False``."""

    name = "npz"
    suffix = ".npz"

    def encode(self, value: object) -> EncodedState | None:
        """Write a value; None where it holds no array, or something that is no array.

        A value that holds one array or list at two places is left to another codec too.
        """
        if "numpy" not in sys.modules:
            return None
        arrays: dict[str, bytes] = {}
        values = shipped_module("_values")
        try:
            structure = _split(value, arrays)
        except (values.UnsupportedValueError, RecursionError):
            return None
        if not arrays or is_knotted(value):
            return None
        text = json.dumps(structure, ensure_ascii=False).encode()
        arrays["structure.npy"] = _array_bytes(_bytes_array(text))
        modules = ("numpy", "pandas") if b"frame" in text else ("numpy",)
        return EncodedState(data=archive_of(arrays), modules=modules)


def _split(value: Any, arrays: dict[str, bytes]) -> Any:  # noqa: ANN401
    import numpy as np

    values = shipped_module("_values")
    if type(value) is np.ndarray and value.dtype.kind not in "OV":
        name = f"a{len(arrays)}"
        arrays[f"{name}.npy"] = _array_bytes(value)
        return {"$ref": name}
    if type(value) is list:
        return [_split(item, arrays) for item in value]
    if type(value) is tuple:
        return {"$tuple": [_split(item, arrays) for item in value]}
    if type(value) is dict:
        pairs = [(key, _split(item, arrays)) for key, item in value.items()]
        if all(type(key) is str and not key.startswith("$") for key in value):
            return dict(pairs)
        return {"$dict": [[values.encode(key), item] for key, item in pairs]}
    encoded = values.encode(value)
    if isinstance(encoded, dict) and "$record" in encoded:
        raise values.UnsupportedValueError("an object of the notebook's own class")
    return encoded


def _array_bytes(array: Any) -> bytes:  # noqa: ANN401
    import numpy as np

    buffer = io.BytesIO()
    np.lib.format.write_array(buffer, array, allow_pickle=False)
    return buffer.getvalue()


def _bytes_array(text: bytes) -> Any:  # noqa: ANN401
    import numpy as np

    return np.frombuffer(text, dtype=np.uint8)

"""Parts of composite values that have a format of their own: arrays, frames, tensors, boosters."""

from __future__ import annotations

import datetime as dt
import decimal
import io
import sys
from typing import Any

from nbship.adapters.codecs.arrow_codec import ArrowCodec
from nbship.adapters.codecs.boosters import XgboostCodec, is_booster, lightgbm_text
from nbship.adapters.codecs.skops_codec import SkopsCodec
from nbship.adapters.codecs.tensors import described, is_tensor, tensor_bytes
from nbship.adapters.codecs.tree_forms import is_torch
from nbship.errors import HazardError
from nbship.resources import shipped_module

_SCALARS = (float, complex, bytes, decimal.Decimal, dt.date, dt.time, dt.timedelta)
_FOR_SKOPS = {"numpy", "scipy", "sklearn"}
_PANDAS_SCALARS = {"Timestamp", "Timedelta", "NAType", "NaTType"}
_PANDAS_VALUES = {"DataFrame", "Series", "Categorical"}
Node = dict[str, Any]


class PartWriter:
    """Writes the parts of one composite value into files beside its structure."""

    def __init__(self) -> None:
        self.modules: set[str] = set()
        self.trusted: set[str] = set()
        #: classes and functions of the notebook that skops names
        self.objects: dict[str, Any] = {}
        self._files: dict[str, bytes] = {}
        self._tensors: dict[str, Any] = {}
        self._opaque: list[Any] = []

    def finished_files(self) -> dict[str, bytes]:
        """Return every file, those that hold several parts too.

        Raises
        ------
        HazardError
            If tensors or objects cannot be written together.
        """
        files = dict(self._files)
        if self._tensors:
            files["tensors.safetensors"] = tensor_bytes(self._tensors, {})
            self.modules |= {"torch", "safetensors"}
        if self._opaque:
            encoded = SkopsCodec(is_strict=True).encode(self._opaque)
            if encoded is None:  # each was tried when it was met
                raise HazardError(
                    "objects that skops writes alone and not together",
                    hint="Keep what is needed from them as arrays of their own.",
                )
            files["objects.skops"] = encoded.data
            self.trusted |= set(encoded.trusted_types)
            self.modules |= set(encoded.modules)
            self.objects |= dict(encoded.notebook_objects)
        return files

    def scalar(self, value: Any) -> Node | None:  # noqa: ANN401
        """Write a value that nobody can change; None for others."""
        np = sys.modules.get("numpy")
        kind = type(value)
        is_numpy = np is not None and isinstance(value, np.generic)
        is_pandas = kind.__module__.partition(".")[0] == "pandas" and (
            kind.__name__ in _PANDAS_SCALARS
        )
        is_plain = kind in _SCALARS or kind is dt.datetime
        if not is_numpy and not is_pandas and not is_plain:
            return None
        return self._encoded(value, ["numpy"] * is_numpy + ["pandas"] * is_pandas)

    def part(self, value: Any, _path: str) -> Node | None:  # noqa: ANN401
        """Write a value that has a format of its own; None for others."""
        for write in (self._array, self._frame, self._torch, self._booster):
            node: Node | None = write(value)
            if node is not None:
                return node
        return None

    def opaque(self, value: Any) -> Node | None:  # noqa: ANN401
        """Leave an object of the libraries that skops knows to it; None for others.

        Objects of other libraries are not tried: made without their state, those that are
        written in C may end the process that uses them.
        """
        if type(value).__module__.partition(".")[0] not in _FOR_SKOPS:
            return None
        encoded = SkopsCodec(is_strict=True).encode([value])
        if encoded is None:
            return None
        self._opaque.append(value)
        return {"kind": "opaque", "number": len(self._opaque) - 1}

    def _encoded(self, value: Any, modules: list[str]) -> Node | None:  # noqa: ANN401
        values = shipped_module("_values")
        try:
            node = {"kind": "value", "value": values.encode(value)}
        except values.UnsupportedValueError:
            return None
        self.modules |= set(modules)
        return node

    def _array(self, value: Any) -> Node | None:  # noqa: ANN401
        np = sys.modules.get("numpy")
        if np is None:
            return None
        if isinstance(value, np.dtype) and not value.hasobject and value.names is None:
            self.modules.add("numpy")
            return {"kind": "dtype", "text": value.str}
        if type(value) is not np.ndarray or value.dtype.hasobject:
            return None
        buffer = io.BytesIO()
        np.lib.format.write_array(buffer, value, allow_pickle=False)
        self.modules.add("numpy")
        return {"kind": "array", "file": self._keep(".npy", buffer.getvalue())}

    def _frame(self, value: Any) -> Node | None:  # noqa: ANN401
        pd: Any = sys.modules.get("pandas")
        if not hasattr(pd, "Index"):
            return None
        if isinstance(value, pd.api.extensions.ExtensionArray):
            series = (
                None
                if type(value).__name__ == "Categorical"
                else self._frame(pd.Series(value))
            )
            if series is not None:
                return {"kind": "member", "of": series, "name": "array"}
        codec = ArrowCodec()
        encoded = codec.encode(value)
        if encoded is not None:
            self.modules |= set(encoded.modules)
            file = self._keep(codec.suffix, encoded.data)
            return {"kind": "part", "codec": codec.name, "file": file}
        if type(value).__name__ in _PANDAS_VALUES or isinstance(value, pd.Index):
            return self._encoded(value, ["numpy", "pandas"])
        return None

    def _torch(self, value: Any) -> Node | None:  # noqa: ANN401
        torch = sys.modules.get("torch")
        if torch is None:
            return None
        if is_torch(value, {"device"}):
            self.modules.add("torch")
            follows = value.type != "cpu"
            return {"kind": "device", "text": str(value), "follows": follows}
        if not is_tensor(value):
            return None
        key = f"t{len(self._tensors)}"
        self._tensors[key] = value
        return {"kind": "tensor", "key": key, "how": described(value)}

    def _booster(self, value: Any) -> Node | None:  # noqa: ANN401
        if is_booster("lightgbm", value):
            self.modules.add("lightgbm")
            return {
                "kind": "part",
                "codec": "lightgbm",
                "file": self._keep(".txt", lightgbm_text(value)),
                "attributes": {"best_iteration": value.best_iteration},
            }
        encoded = XgboostCodec().encode(value)
        if encoded is None:
            return None
        self.modules.add("xgboost")
        file = self._keep(".ubj", encoded.data)
        return {"kind": "part", "codec": "xgboost", "file": file}

    def _keep(self, suffix: str, data: bytes) -> str:
        name = f"{len(self._files)}{suffix}"
        self._files[name] = data
        return name

"""Tensors of PyTorch as safetensors: on the processor, each with what it was in the notebook."""

from __future__ import annotations

import json
import sys
from collections import OrderedDict
from typing import Any

from nbship.errors import HazardError
from nbship.records.state import EncodedState


class SafetensorsCodec:
    """A tensor, or a dict of tensors such as ``model.state_dict()``."""

    name = "safetensors"
    suffix = ".safetensors"

    def encode(self, value: object) -> EncodedState | None:
        """Write tensors; None for other values, and where two of them are one.

        Raises
        ------
        HazardError
            If a tensor is of a kind that the format does not know.
        """
        tensors, kind = _tensors_of(value)
        if not tensors or len({id(tensor) for tensor in tensors.values()}) < len(
            tensors
        ):
            return None
        listed = [
            [name, f"t{place}", described(tensor)]
            for place, (name, tensor) in enumerate(tensors.items())
        ]
        layout = {"kind": kind, "tensors": listed}
        contents = {f"t{i}": tensor for i, tensor in enumerate(tensors.values())}
        data = tensor_bytes(contents, {"nbship": json.dumps(layout)})
        return EncodedState(data=data, modules=("safetensors", "torch"))


def is_tensor(value: object) -> bool:
    """Tell whether a value is a plain tensor or parameter of PyTorch."""
    torch = sys.modules.get("torch")
    kinds = () if torch is None else (torch.Tensor, torch.nn.Parameter)
    return type(value) in kinds


def described(tensor: Any) -> dict[str, bool]:  # noqa: ANN401
    """Say what a tensor was: on an accelerator, with gradient, a parameter."""
    how = {
        "follows": tensor.device.type != "cpu",
        "requires_grad": bool(tensor.requires_grad),
    }
    is_parameter = isinstance(tensor, sys.modules["torch"].nn.Parameter)
    return {**how, "is_parameter": True} if is_parameter else how


def tensor_bytes(tensors: dict[str, Any], metadata: dict[str, str]) -> bytes:
    """Write tensors, each in memory of its own.

    Raises
    ------
    HazardError
        If one is sparse, quantised, complex in double precision, or has no values.
    """
    import safetensors.torch

    try:
        copies = {
            name: tensor.detach().cpu().contiguous().clone()
            for name, tensor in tensors.items()
        }
        return bytes(safetensors.torch.save(copies, metadata))
    except Exception as error:
        raise HazardError(
            f"tensors that safetensors cannot hold: {error}",
            hint="Make them dense, with .to_dense() or .dequantize(), in a cell of its own.",
        ) from error


def _tensors_of(value: object) -> tuple[dict[str, Any], str]:
    if is_tensor(value):
        return {"": value}, "tensor"
    kinds: dict[type, str] = {dict: "dict", OrderedDict: "ordered"}
    kind = kinds.get(type(value), "")
    is_of_tensors = (
        isinstance(value, dict)
        and bool(kind)
        and all(
            type(key) is str and is_tensor(item)  # a flat one, as state_dict() gives
            for key, item in value.items()
        )
    )
    return (
        (dict(value), kind) if isinstance(value, dict) and is_of_tensors else ({}, "")
    )

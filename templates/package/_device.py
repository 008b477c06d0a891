"""Where tensors go that were on an accelerator in the notebook: a choice made at run time.

Ships verbatim inside every exported package. The processor is the default; the variable
``MLOPS_DEVICE``, or :func:`use_device` before the model is loaded, names another one.
"""

from __future__ import annotations

import os
from typing import Any

VARIABLE = "MLOPS_DEVICE"
_DEFAULT = "cpu"


def device() -> Any:
    """Return the device of this process, as PyTorch knows it."""
    import torch

    return torch.device(device_name())


def device_name() -> str:
    """Return the name of the device of this process, such as ``cuda:0``."""
    return os.environ.get(VARIABLE) or _DEFAULT


def use_device(name: str) -> None:
    """Choose the device, such as ``cuda:0``; call it before ``predict`` is first asked for."""
    os.environ[VARIABLE] = name


def read_tensors(data: bytes) -> Any:
    """Read what the codec ``safetensors`` wrote: a tensor, or a dict of tensors."""
    import json
    from collections import OrderedDict

    import safetensors.torch

    size = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + size])
    layout = json.loads(header["__metadata__"]["nbship"])
    found = safetensors.torch.load(data)
    tensors = {name: placed(found[key], **how) for name, key, how in layout["tensors"]}
    if layout["kind"] == "tensor":
        return tensors[""]
    return OrderedDict(tensors) if layout["kind"] == "ordered" else tensors


def placed(
    tensor: Any, *, follows: bool, requires_grad: bool, is_parameter: bool = False
) -> Any:
    """Make a tensor what it was: on its device, a parameter or not, with gradient or not."""
    import torch

    tensor = tensor.to(device()) if follows else tensor
    if is_parameter:
        return torch.nn.Parameter(tensor, requires_grad=requires_grad)
    return tensor.requires_grad_() if requires_grad else tensor

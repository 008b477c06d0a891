"""The accelerator that a notebook chose: in a package it is a choice of run time.

Captured tensors go to the device of the process (``_device.py`` of the package), so that a name
that stands for the notebook's device must mean the same one there.
"""

from __future__ import annotations

import ast
import re
import sys
from typing import TYPE_CHECKING, Any

from nbship.release.items import Item, written_item

if TYPE_CHECKING:
    from nbship.release.closure import ClosureWalk

_ACCELERATOR = re.compile(r"(?:cuda|mps|xpu|hpu|npu|musa)(?::\d+)?")


def device_item(walk: ClosureWalk, name: str, value: Any) -> Item | None:  # noqa: ANN401
    """Write a name of an accelerator, or PyTorch's object for one, as the choice of run time.

    Returns
    -------
    Item or None
        None for any other value, and where PyTorch is not loaded: then the text means
        something else.
    """
    torch = sys.modules.get("torch")
    if torch is None:
        return None
    is_text = type(value) is str
    if not is_text and not isinstance(value, torch.device):
        return None
    if not _ACCELERATOR.fullmatch(str(value)):
        return None
    function = "device_name" if is_text else "device"
    own = f"_run_time_{function}"
    if walk.has(own):
        return None
    walk.add(
        Item(
            name=own,
            kind="import",
            text=f"from ._device import {function} as {own}",
            lines=(0,),
        )
    )
    walk.note(
        f"{name}, {str(value)!r} in the notebook, is a choice of run time: MLOPS_DEVICE or "
        "--device, else the processor"
    )
    text = f"{name} = {own}()  # {str(value)!r} in the notebook"
    return written_item(name, text, kind="constant", reads=(own,))


def named_in(item: Item) -> list[str]:
    """List the accelerators that the text of a function or class names, where PyTorch is loaded."""
    if "torch" not in sys.modules or item.kind not in {"function", "class"}:
        return []
    found = {
        node.value
        for node in ast.walk(ast.parse(item.text))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    return sorted(text for text in found if _ACCELERATOR.fullmatch(text))

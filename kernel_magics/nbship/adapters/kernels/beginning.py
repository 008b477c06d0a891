"""The code that a kernel runs silently before its first cell.

It travels as text: the kernel's environment may lack nbship.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nbship.records.capsule import Determinism


def beginning_source(determinism: Determinism, folders: Sequence[str] = ()) -> str:
    """Write the code: one statement that leaves no name behind; "" where nothing is to do.

    Parameters
    ----------
    determinism
        Seeds and algorithms.
    folders
        Put in front of ``sys.path``, in this order.
    """
    if determinism.seed is None and not determinism.is_strict and not folders:
        return ""
    arguments = f"{determinism.seed!r}, {determinism.is_strict!r}, {list(folders)!r}"
    return (
        f"(lambda space: (exec({_text()!r}, space), space['settle']({arguments})))"
        "({'__name__': 'nbship_settling'})"
    )


@cache
def _text() -> str:
    return Path(__file__).with_name("settling.py").read_text("utf-8")

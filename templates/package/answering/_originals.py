"""Whether a fitted object is scikit-learn's own, with nothing of it replaced.

The compiled routines stand for the methods that scikit-learn ships. A subclass, a method that
was put on the object or on its class, or a class of another package is another model, however
alike it looks, and its own code answers.
"""

from __future__ import annotations

import inspect
import sys
from pathlib import Path
from types import FunctionType
from typing import Any


def is_original(model: Any) -> bool:
    """Tell whether a fitted object answers by what scikit-learn ships."""
    kind = type(model)
    if not kind.__module__.startswith("sklearn.") or "sklearn" not in sys.modules:
        return False
    if getattr(sys.modules.get(kind.__module__), kind.__name__, None) is not kind:
        return False
    own = f"{Path(str(sys.modules['sklearn'].__file__)).parent}/"
    shadowed = (inspect.getattr_static(kind, name, None) for name in vars(model))
    if any(_function_of(value) is not None for value in shadowed):
        return False
    classes = [c for c in kind.__mro__ if c.__module__.startswith("sklearn.")]
    return all(_is_own(value, own) for c in classes for value in vars(c).values())


def _is_own(value: Any, folder: str) -> bool:
    function = _function_of(value)
    while function is not None:
        if not function.__code__.co_filename.startswith(folder):
            # what Python itself writes, for data classes and the like, is of no file
            return function.__code__.co_filename.startswith("<")
        function = getattr(function, "__wrapped__", None)
        function = function if isinstance(function, FunctionType) else None
    return True


def _function_of(value: Any) -> FunctionType | None:
    """Return the function behind a method, as classes and scikit-learn's descriptors hold it."""
    for name in ("__func__", "fget", "fn"):
        value = getattr(value, name, value)
    return value if isinstance(value, FunctionType) else None

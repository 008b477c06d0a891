"""A notebook's ``predict`` with its fitted state, exported by nbship.

``model.py`` holds the author's text, ``state/`` what it had computed, ``golden.jsonl``
recorded calls. Nothing here is pickled, and nothing needs nbship.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from . import _about

if TYPE_CHECKING:
    from collections.abc import Callable

__version__ = _about.version()

predict: Callable[..., Any]

__all__ = ["__version__", "predict"]


def __getattr__(name: str) -> Any:
    """Load the model when ``predict`` is first asked for.

    Raises
    ------
    AttributeError
        If another name is asked for.
    """
    if name != "predict":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    predict = globals()["predict"] = _about.predict_function()
    return predict

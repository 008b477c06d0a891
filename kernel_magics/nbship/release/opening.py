"""Declared resources: handles that a package opens for itself.

A connection or an open file cannot travel. The function that opens it can::

    @nbship.resource
    def prices():
        return sqlite3.connect(os.environ["PRICES"])

    def predict(item):
        return prices().execute(...)

In the notebook it opens once; in the package too, when it is first asked.
"""

from __future__ import annotations

import functools
import inspect
from typing import TYPE_CHECKING, Any

from nbship.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

_MARK = "__nbship_resource__"


def resource(function: Callable[[], Any]) -> Callable[[], Any]:
    """Declare a function that opens a handle; it is called once, its answer kept.

    Parameters
    ----------
    function
        Takes no argument.

    Raises
    ------
    UsageError
        If it needs one.
    """
    if inspect.signature(function).parameters:
        name = getattr(function, "__name__", repr(function))
        raise UsageError(
            f"@nbship.resource: {name} takes arguments; a function without any was expected",
            hint="Read what it needs from os.environ.",
        )
    opened = functools.cache(function)
    setattr(opened, _MARK, True)
    return opened


def is_resource(value: Any) -> bool:  # noqa: ANN401
    """Tell whether a function was declared by :func:`resource`."""
    return getattr(value, "__dict__", {}).get(_MARK) is True


def is_resource_decorator(value: Any) -> bool:  # noqa: ANN401
    """Tell whether a decorator is ``nbship.resource``: exported text says ``functools.cache``."""
    module = str(getattr(value, "__module__", ""))
    return module.startswith("nbship.") and getattr(value, "__name__", "") == "resource"

"""Listen to what a cell writes to ``stdout`` and ``stderr``."""

from __future__ import annotations

import contextlib
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

_NAMES = ("stdout", "stderr")


class StreamTee:
    """Hands on a copy of everything written while it is installed.

    The ``write`` method of the stream objects is wrapped, as IPython does for its history:
    the objects themselves stay, since ipykernel looks at their class.

    Parameters
    ----------
    take
        Called with ``stdout`` or ``stderr`` and the text; what it raises is swallowed.
    """

    def __init__(self, take: Callable[[str, str], None]) -> None:
        self._take = take
        self._installed: list[tuple[Any, Any, Any]] = []
        self._is_active = False

    def install(self) -> None:
        """Begin to listen."""
        self._is_active = True
        for name in _NAMES:
            stream = getattr(sys, name)
            original = getattr(stream, "write", None)
            if original is None:
                continue
            wrapper = self._wrap(name, original)
            with contextlib.suppress(AttributeError):
                stream.write = wrapper
                self._installed.append((stream, wrapper, original))

    def uninstall(self) -> None:
        """Stop listening; a wrapper that someone wrapped in turn stays, and is silent."""
        self._is_active = False
        for stream, wrapper, original in self._installed:
            if stream.write is wrapper:
                stream.write = original
        self._installed.clear()

    def _wrap(self, name: str, original: Callable[..., Any]) -> Callable[..., Any]:
        def write(data: Any, *args: Any, **options: Any) -> Any:  # noqa: ANN401  # a stream's
            written = original(data, *args, **options)
            if self._is_active and isinstance(data, str):
                with contextlib.suppress(Exception):
                    self._take(name, data)
            return written

        return write

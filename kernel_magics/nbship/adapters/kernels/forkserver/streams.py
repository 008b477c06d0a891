"""What stands for ``sys.stdout`` and ``sys.stderr`` while modules are preloaded."""

from __future__ import annotations

from typing import Any


class LateStream:
    """Passes everything on to a stream that is named later.

    A logging handler that is made while a module is imported keeps the stream it found; in a
    kernel that is the one that writes to the notebook.

    Parameters
    ----------
    stream
        Where writing goes until then.
    """

    def __init__(self, stream: Any) -> None:  # noqa: ANN401
        self._stream = stream

    def bind(self, stream: Any) -> None:  # noqa: ANN401
        """Name the stream, once and for all."""
        self._stream = stream

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401
        return getattr(self._stream, name)

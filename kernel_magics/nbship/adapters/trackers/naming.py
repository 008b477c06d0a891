"""Names and values as trackers take them, and back."""

from __future__ import annotations

import json
import posixpath
import re
from typing import Any

_FORBIDDEN = re.compile(r"[^\w\- ./]|:")
_CODED = re.compile(r":([0-9a-f]+):")


def mlflow_name(name: str) -> str:
    """Write a name with the characters MLflow takes: ``acc@5`` is ``acc:40:5``.

    Other characters are coded as their number in hexadecimal between colons. So are slashes
    and dots where the name, read as a path, would lead elsewhere.
    """
    coded = _FORBIDDEN.sub(_code, name)
    if posixpath.normpath(coded) != coded or coded.startswith(("/", "..")):
        coded = re.sub(r"[/.]", _code, coded)
    return coded


def original_name(name: str) -> str:
    """Undo :func:`mlflow_name`."""
    return _CODED.sub(lambda match: chr(int(match[1], 16)), name)


def parameter_text(value: Any) -> str:  # noqa: ANN401  # a JSON value
    """Write a value as a tracker's parameter: a string as it is, all else as JSON."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _code(match: re.Match[str]) -> str:
    return f":{ord(match[0]):x}:"

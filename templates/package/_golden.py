"""The arguments of a golden case, and what else a call leaves behind.

Ships verbatim inside every exported package. An argument that JSON has no kind for, such as a
fitted model, lies in a file below ``golden/``, without pickle; ``capture.json`` has its digest.
Only cases of this package are read so: what a client sends never names a file.
"""

from __future__ import annotations

import hashlib
from typing import Any

from . import _about, _objects, _values

#: folder of the files
FOLDER = "golden"
#: the mark of an argument that lies in a file
FILE = "$file"


class GoldenError(RuntimeError):
    """A file of a golden case is missing, or is not the one that was recorded."""


def arguments_of(case: dict[str, Any]) -> tuple[list[Any], dict[str, Any]]:
    """Make the arguments of a recorded call anew.

    Raises
    ------
    GoldenError
        If a file that holds one is not what was recorded.
    """
    return (
        [argument_of(item) for item in case["args"]],
        {key: argument_of(item) for key, item in case["kwargs"].items()},
    )


def argument_of(recorded: Any) -> Any:
    """Make one argument anew, from JSON or from its file.

    Raises
    ------
    GoldenError
        As :func:`arguments_of`.
    """
    if isinstance(recorded, dict) and list(recorded) == [FILE]:
        return _from_file(recorded[FILE])
    return _values.decode(recorded)


def differences_of(
    case: dict[str, Any], answer: Any, rtol: Any = _values.RTOL
) -> list[str]:
    """List how an answer differs from the recorded one."""
    return _values.compare(case["output"], answer, rtol)


def differences_after(
    case: dict[str, Any],
    arguments: list[Any],
    named: dict[str, Any],
    rtol: Any = _values.RTOL,
) -> list[str]:
    """List how arguments that the recorded call changed differ from what it left behind."""
    changed = case.get("changed") or {}
    pairs = [
        (f"argument {int(place) + 1}", recorded, arguments[int(place)])
        for place, recorded in changed.get("args", {}).items()
    ]
    pairs += [
        (f"argument {name!r}", recorded, named[name])
        for name, recorded in changed.get("kwargs", {}).items()
    ]
    return [
        f"{what} after the call: {text}"
        for what, recorded, value in pairs
        for text in _values.compare(recorded, value, rtol)
    ]


def encoded_answer(answer: Any) -> Any:
    """Turn an answer into JSON, objects described; see ``_objects``."""
    return _objects.encode(answer)


def _from_file(body: dict[str, Any]) -> Any:
    from ._state import read

    listed = _about.capture().get("golden_files", ())
    entry = next((item for item in listed if item["file"] == body["file"]), None)
    if entry is None:
        raise GoldenError(f"capture.json lists no file {body['file']!r}")
    place = f"{FOLDER}/{entry['file']}"
    try:
        data = (_about.FOLDER / FOLDER / entry["file"]).read_bytes()
    except OSError as error:
        raise GoldenError(f"{place}: cannot be read: {error}") from error
    found = hashlib.sha256(data).hexdigest()
    if found != entry["digest"]:
        raise GoldenError(
            f"{place}: sha256 {found} where {entry['digest']} was recorded"
        )
    value = read(entry["codec"], data, trusted_types=entry["trusted_types"])
    return value[entry["key"]] if entry["key"] else value

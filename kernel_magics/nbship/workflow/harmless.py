"""Calls of the notebook's code that must leave no trace outside of the process."""

from __future__ import annotations

import contextlib
import os
import sys
import threading
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
#: the beginning of audit events that change something elsewhere, or tell somebody
_REFUSED = (
    "ftplib.",
    "http.client.",
    "imaplib.",
    "os.chmod",
    "os.chown",
    "os.exec",
    "os.fork",
    "os.kill",
    "os.link",
    "os.mkdir",
    "os.posix_spawn",
    "os.remove",
    "os.rename",
    "os.rmdir",
    "os.symlink",
    "os.system",
    "os.truncate",
    "shutil.",
    "smtplib.",
    "socket.bind",
    "socket.connect",
    "socket.send",
    "sqlite3.connect",
    "subprocess.",
    "urllib.Request",
    "webbrowser.",
)
#: threads that are held to it now; a hook cannot be taken away again
_held: set[int] = set()
_hooks: list[Any] = []


class HarmfulCallError(PermissionError):
    """A call would have written, sent or started something."""


@contextlib.contextmanager
def harmless() -> Iterator[None]:
    """Refuse within the block, in this thread, what would leave a trace outside of the process.

    Files may be read. The interpreter's audit events tell what is about to happen; code that
    goes round them, in a compiled library, is not seen.
    """
    if not _hooks:
        _hooks.append(_refuse)
        sys.addaudithook(_refuse)
    thread = threading.get_ident()
    was_held = thread in _held
    _held.add(thread)
    try:
        yield
    finally:
        if not was_held:
            _held.discard(thread)


def _refuse(event: str, arguments: tuple[Any, ...]) -> None:
    if not _held or threading.get_ident() not in _held:
        return
    is_writing = event == "open" and _is_written(*arguments[1:3])
    if is_writing or event.startswith(_REFUSED):
        raise HarmfulCallError(f"{event}: not in a call that is repeated")


def _is_written(mode: Any = None, flags: Any = 0) -> bool:  # noqa: ANN401  # as the event has them
    if isinstance(mode, str) and set(mode) & set("wax+"):
        return True
    return isinstance(flags, int) and bool(flags & _WRITING)

"""What a call touches outside of package and arguments: files, network, programs, environment.

An audit hook sees the first three, reads of ``os.environ`` the last. What libraries do while
they are imported is theirs; all else is told with the author's line on the stack.
"""

from __future__ import annotations

import contextlib
import os
import sys
import sysconfig
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .. import _about

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_NETWORK = (
    "socket.connect",
    "socket.bind",
    "socket.sendto",
    "socket.sendmsg",
    "socket.getaddrinfo",
    "socket.gethostbyname",
)
_PROGRAMS = ("subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "os.spawn")
_FILES = ("open", "sqlite3.connect")
_EVENTS = frozenset((*_NETWORK, *_PROGRAMS, *_FILES))
#: parts of every system, the same everywhere or about this process alone
_SYSTEM = ("/proc/", "/sys/", "/dev/", "/usr/share/zoneinfo/", "/etc/localtime")
_STANDARD = tuple({f"{sysconfig.get_path(name)}/" for name in ("stdlib", "platstdlib")})
_INSTALLED = tuple({f"{sysconfig.get_path(name)}/" for name in ("purelib", "platlib")})
_ENVIRONMENT_FILES = ("<frozen os>", "<frozen _collections_abc>", "/os.py", "abc.py")
_MAX_TARGET = 200
_watches: list[Accesses] = []
_installed: list[bool] = []
_busy = threading.local()


class Accesses:
    """What was touched while it was watched, once for each target and line."""

    def __init__(self) -> None:
        folder = str(_about.FOLDER)
        self._own = (f"{folder}/model.py", f"{folder}/_local/")
        self._folder = f"{folder}/"
        self._declared = set(_about.capture().get("variables") or ())
        # names of this run alone, so that equal replays tell the same
        self._places = [(str(Path.home()), "~")]
        if sys.prefix != sys.base_prefix:
            self._places.insert(0, (sys.prefix, "ENVIRONMENT"))
        #: texts among the arguments of the call at hand: a path given is no secret
        self.given: set[str] = set()
        self.found: dict[tuple[Any, ...], dict[str, Any]] = {}

    def take(self, event: str, arguments: tuple[Any, ...], frame: FrameType) -> None:
        """Look at one event of the audit hook."""
        kind, target, mode = _described(event, arguments)
        if not target or (kind == "file" and self._is_ordinary(target)):
            return
        place = self._place(frame)
        if place is not None:
            self._keep(kind, target, mode, place)

    def take_variable(self, name: str, frame: FrameType) -> None:
        """Look at one read of a variable of the environment."""
        caller: FrameType | None = frame
        while caller is not None and caller.f_code.co_filename.endswith(
            _ENVIRONMENT_FILES
        ):
            caller = caller.f_back
        if caller is None or name in self._declared:
            return
        if caller.f_code.co_filename.startswith(self._own):
            place = (caller.f_code.co_filename, caller.f_lineno, True)
            self._keep("environment", name, "", place)

    def _keep(
        self, kind: str, target: str, mode: str, place: tuple[str, int, bool]
    ) -> None:
        file, line, is_direct = place
        for folder, name in self._places:
            target = target.replace(folder, name)
        key = (kind, target, mode, file, line)
        self.found.setdefault(
            key,
            {
                "kind": kind,
                "target": target[:_MAX_TARGET],
                "mode": mode,
                "file": file.removeprefix(self._folder),
                "line": line,
                "is_direct": is_direct,
            },
        )

    def _is_ordinary(self, path: str) -> bool:
        whole = str(Path(path).absolute())
        known = (self._folder, *_SYSTEM, *_STANDARD, *_INSTALLED)
        # what the import system looks for, wherever packages lie
        is_of_imports = whole in sys.path or ".dist-info/" in whole
        return whole.startswith(known) or is_of_imports or path in self.given

    def _place(self, frame: FrameType | None) -> tuple[str, int, bool] | None:
        """Find the author's line on the stack, and whether a library stands before it."""
        is_direct = True
        while frame is not None:
            name = frame.f_code.co_filename
            if name.startswith("<frozen importlib"):
                return None
            if name.startswith(self._own):
                return name, frame.f_lineno, is_direct
            is_standard = name.startswith("<frozen") or (
                name.startswith(_STANDARD) and not name.startswith(_INSTALLED)
            )
            is_direct = is_direct and is_standard
            frame = frame.f_back
        return None


class _WatchedEnviron(type(os.environ)):  # type: ignore[misc]
    """Tells which variables are read."""

    def __getitem__(self, key: str) -> str:
        for watch in _watches:
            watch.take_variable(str(key), sys._getframe(1))  # noqa: SLF001
        value: str = super().__getitem__(key)
        return value


@contextlib.contextmanager
def watched_accesses() -> Iterator[Accesses]:
    """Watch while the block runs."""
    install()
    watch = Accesses()
    kind = type(os.environ)
    os.environ.__class__ = _WatchedEnviron
    _watches.append(watch)
    try:
        yield watch
    finally:
        _watches.remove(watch)
        os.environ.__class__ = kind


def install() -> None:
    """Add the audit hook, once a process; it cannot be taken away, and sleeps where none watch."""
    if not _installed:
        _installed.append(True)
        sys.addaudithook(_hear)


def _hear(event: str, arguments: tuple[Any, ...]) -> None:
    if not _watches or event not in _EVENTS or getattr(_busy, "is_set", False):
        return
    _busy.is_set = True
    try:
        for watch in tuple(_watches):
            watch.take(event, arguments, sys._getframe(1))  # noqa: SLF001
    except Exception:  # noqa: BLE001, S110  # an observer changes nothing that it observes
        pass
    finally:
        _busy.is_set = False


def _described(event: str, arguments: tuple[Any, ...]) -> tuple[str, str, str]:
    """Return kind, target and mode; no target where it is not worth telling."""
    if event in _FILES:
        path = arguments[0]
        if not isinstance(path, (str, bytes, os.PathLike)) or path == ":memory:":
            return "file", "", ""
        mode, flags = (*arguments[1:3], None, 0)[:2] if event == "open" else ("r+", 0)
        is_write = bool(set(str(mode or "")) & set("wax+"))
        is_write = is_write or (mode is None and bool(int(flags or 0) & _WRITES))
        return "file", os.fsdecode(path), "write" if is_write else "read"
    if event in _PROGRAMS:
        words = arguments[1] if event == "subprocess.Popen" else arguments[0]
        text = " ".join(map(os.fsdecode, words)) if isinstance(words, list) else words
        return "subprocess", os.fsdecode(text), ""
    return "network", _address(event, arguments), ""


def _address(event: str, arguments: tuple[Any, ...]) -> str:
    if event.startswith("socket.get"):
        parts = arguments[:2] if event == "socket.getaddrinfo" else arguments[:1]
    else:
        found = arguments[1]
        parts = found[:2] if isinstance(found, tuple) else (found,)
    texts = [p.decode("utf-8", "replace") if isinstance(p, bytes) else p for p in parts]
    return ":".join(str(part) for part in texts if part not in {None, ""})

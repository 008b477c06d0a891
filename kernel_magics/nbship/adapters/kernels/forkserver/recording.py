"""Note what imports do beside importing, by the module that does it.

A module that is hidden and put back later is not executed again, so that whatever its first
execution left outside of it must be known: what it imported, variables, warnings filters, exit
hooks, finders. Whoever uses the
running shell cannot be repeated, and is named.
"""

from __future__ import annotations

import atexit
import builtins
import contextlib
import importlib
import os
import sys
import warnings
from importlib.util import resolve_name
from typing import TYPE_CHECKING, Any, NamedTuple

from .shell_double import Doubles

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType


#: what ``importlib.import_module`` calls into
_BOOTSTRAP: Any = importlib._bootstrap


class Effect(NamedTuple):
    """One thing that an import left outside of its module."""

    module: str
    #: ``variable``, ``filter``, ``hook`` or ``finder``
    kind: str
    value: Any


class Recorder:
    """Records imports while its block runs; what it noted stays."""

    def __init__(self) -> None:
        #: modules that each module imports
        self.edges: dict[str, set[str]] = {}
        self.effects: list[Effect] = []
        #: variables that imports read, with their values; None for one that is not set
        self.variables_read: dict[str, str | None] = {}
        #: modules that used the running shell while they were executed
        self.shell_users: set[str] = set()
        self._doubles = Doubles(self._note_shell)
        self._is_on = False
        self._originals: dict[str, Any] = {}

    @contextlib.contextmanager
    def recording(self) -> Iterator[None]:
        """Note what happens in this block."""
        finders, known = list(sys.meta_path), len(self.effects)
        self._begin()
        try:
            yield
        finally:
            self._end()
            self._note_finders(finders)
            self.effects[known:] = [
                effect  # without filters that were taken back at once
                for effect in self.effects[known:]
                if effect.kind != "filter" or effect.value[0] in warnings.filters
            ]

    def reachable(self, names: set[str]) -> set[str]:
        """Return modules with all that their import brings along."""
        seen: set[str] = set()
        pending = list(names)
        while pending:
            name = pending.pop()
            if name not in seen:
                seen.add(name)
                pending += self.edges.get(name, ())
                if "." in name:
                    pending.append(name.rpartition(".")[0])
        return seen

    def _begin(self) -> None:
        self._originals = {
            "import": builtins.__import__,
            "gcd_import": _BOOTSTRAP._gcd_import,
            "register": atexit.register,
            "add_filter": warnings._add_filter,  # type: ignore[attr-defined]
        }
        self._is_on = True
        builtins.__import__ = self._import  # type: ignore[assignment]
        _BOOTSTRAP._gcd_import = self._gcd_import
        atexit.register = self._register  # type: ignore[assignment]
        warnings._add_filter = self._add_filter  # type: ignore[attr-defined]
        _WatchedEnviron.recorder = self
        os.environ.__class__ = _WatchedEnviron
        self._doubles.install()

    def _end(self) -> None:
        self._is_on = False
        builtins.__import__ = self._originals["import"]
        _BOOTSTRAP._gcd_import = self._originals["gcd_import"]
        atexit.register = self._originals["register"]
        warnings._add_filter = self._originals["add_filter"]  # type: ignore[attr-defined]
        os.environ.__class__ = _WatchedEnviron.__base__
        _WatchedEnviron.recorder = None
        self._doubles.remove()

    def _note_shell(self) -> None:
        owner = owner_of(sys._getframe(1))
        if owner:
            self.shell_users.add(owner)

    def _import(
        self,
        name: str,
        globals: dict[str, Any] | None = None,  # noqa: A002
        locals: dict[str, Any] | None = None,  # noqa: A002
        fromlist: tuple[str, ...] | None = (),
        level: int = 0,
    ) -> Any:  # noqa: ANN401
        full = _absolute(name, globals, level)
        before = _Before(full)
        try:
            return self._originals["import"](name, globals, locals, fromlist, level)
        finally:
            found = {f"{full}.{item}" for item in fromlist or ()} & sys.modules.keys()
            owner = owner_of(sys._getframe(1))
            self._note_import(owner, before, {full, *found})

    def _gcd_import(self, name: str, package: str | None = None, level: int = 0) -> Any:  # noqa: ANN401
        """Stand for what ``importlib.import_module`` calls."""
        full = resolve_name("." * level + name, package) if level else name
        before = _Before(full)
        try:
            return self._originals["gcd_import"](name, package, level)
        finally:
            self._note_import(owner_of(sys._getframe(1)), before, {full})

    def _note_import(self, owner: str, before: _Before, imported: set[str]) -> None:
        grown = before.grown()
        if owner:
            self.edges.setdefault(owner, set()).update(imported, grown)
        if before.is_new and grown:
            self.edges.setdefault(before.name, set()).update(grown)

    def _register(self, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401
        """Stand for ``atexit.register``; modules may keep it for ever."""
        if (
            self._is_on
            and getattr(function, "__qualname__", "") != "finalize._exitfunc"
        ):
            owner = owner_of(sys._getframe(1))
            self.effects.append(Effect(owner, "hook", (function, args, kwargs)))
        return self._originals["register"](function, *args, **kwargs)

    def _add_filter(self, *item: Any, append: bool) -> None:  # noqa: ANN401
        owner = owner_of(sys._getframe(1))
        self.effects.append(Effect(owner, "filter", (item, append)))
        self._originals["add_filter"](*item, append=append)

    def _note_finders(self, before: list[Any]) -> None:
        for finder in sys.meta_path:
            if finder not in before:
                module = getattr(finder, "__module__", "") or type(finder).__module__
                self.effects.append(Effect(module, "finder", finder))

    def note_variable_read(self, name: str, value: str | None) -> None:
        """Keep what a variable was when it was first read."""
        written = {e.value[0] for e in self.effects if e.kind == "variable"}
        if name not in written:
            self.variables_read.setdefault(name, value)

    def note_variable_written(self, name: str, value: str | None) -> None:
        """Keep a change of the environment."""
        owner = owner_of(sys._getframe(1))
        self.effects.append(Effect(owner, "variable", (name, value)))


class _Before:
    """The loaded modules before one is imported."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.is_new = name not in sys.modules
        self._count = len(sys.modules)

    def grown(self) -> set[str]:
        """Return what was loaded since; C code imports where no hook sees it."""
        if len(sys.modules) == self._count:
            return set()
        return set(list(sys.modules)[self._count :])


class _WatchedEnviron(type(os.environ)):  # type: ignore[misc]
    """``os.environ`` while imports are recorded."""

    recorder: Recorder | None = None

    def __getitem__(self, key: str) -> str:
        value: str | None = None
        try:
            value = super().__getitem__(key)
        finally:
            if self.recorder and self.__dict__.get("_walked") != key:
                self.recorder.note_variable_read(key, value)
        return value

    def __iter__(self) -> Iterator[str]:
        """Walk over all; whoever copies the environment asks for none in particular."""
        for key in super().__iter__():
            self.__dict__["_walked"] = key
            yield key
        self.__dict__.pop("_walked", None)

    def __setitem__(self, key: str, value: str) -> None:
        super().__setitem__(key, value)
        if self.recorder:
            self.recorder.note_variable_written(key, value)

    def __delitem__(self, key: str) -> None:
        super().__delitem__(key)
        if self.recorder:
            self.recorder.note_variable_written(key, None)


def owner_of(frame: FrameType | None) -> str:
    """Return the innermost module that is being executed; "" where it is the server."""
    while frame is not None:
        if frame.f_code.co_name == "<module>":
            name = str(frame.f_globals.get("__name__", ""))
            return "" if name == "__main__" else name
        frame = frame.f_back
    return ""


def _absolute(name: str, names: dict[str, Any] | None, level: int) -> str:
    if not level:
        return name
    known = names or {}
    package = known.get("__package__") or known.get("__name__", "")
    for _ in range(level - 1):
        package = package.rpartition(".")[0]
    return f"{package}.{name}" if name else str(package)

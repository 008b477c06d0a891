"""Modules that are imported already and not shown until somebody imports them.

A kernel that is forked from the server must show the ``sys.modules`` that a fresh one shows.
``import pandas`` then puts pandas and all that it imports back, executing nothing, if the import
would still find the same unchanged files.
"""

from __future__ import annotations

import os
import sys
import warnings
from importlib.machinery import ModuleSpec
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from types import ModuleType

    from .recording import Recorder


#: register in C what cannot be registered twice: they are never executed again, and keep what
#: they imported even where a kernel finds another module of that name
ONCE = {"torch", "torchaudio", "torchvision"}


class Stash:
    """The hidden modules.

    Parameters
    ----------
    recorder
        What was noted while they were imported.
    """

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
        self.modules: dict[str, ModuleType] = {}
        self._attributes: dict[str, tuple[ModuleType, str]] = {}
        self._stamps: dict[str, tuple[int, ...]] = {}
        self._effects: list[Any] = []
        self._finder = _Finder(self)
        #: told which modules were put back
        self.on_restore: Callable[[set[str]], None] | None = None

    @property
    def top_level(self) -> set[str]:
        """Names of packages and modules that a file in a working folder could shadow."""
        return {name.partition(".")[0] for name in self.modules}

    def take(self, base: set[str]) -> None:
        """Take what was imported beyond a set of modules, and hide it."""
        for name, module in list(sys.modules.items()):
            if name not in base and name != "__main__":
                self.modules[name] = module
                self._stamp(module)
        self._effects = list(self._recorder.effects)
        self.hide()

    def hide(self) -> None:
        """Take the modules away, with the names by which their packages know them."""
        for name, module in self.modules.items():
            sys.modules.pop(name, None)
            self._detach(name, module)
        for effect in reversed(self._effects):
            if effect.module in self.modules:
                _undo(effect)
        if self.modules and self._finder not in sys.meta_path:
            sys.meta_path.insert(0, self._finder)

    def show(self) -> None:
        """Put everything back where it was: more is going to be imported."""
        names = set(self.modules)
        if self._finder in sys.meta_path:
            sys.meta_path.remove(self._finder)
        self.restore(names)

    def release(self, names: Iterable[str]) -> None:
        """Show modules for good: every kernel imports them by itself."""
        wanted = [name for name in names if name in self.modules]
        self.restore(set().union(*map(self.closure, wanted)))

    def restore(self, names: set[str]) -> None:
        """Put hidden modules back, with what their import did; no code of theirs runs."""
        names = names & set(self.modules)
        for name in names:
            module = sys.modules.setdefault(name, self.modules[name])
            parent, leaf = self._attributes.pop(name, (None, ""))
            if parent is not None and module is self.modules[name]:
                vars(parent)[leaf] = module
        for effect in self._effects:
            if effect.module in names:
                _redo(effect)
        for name in names:
            del self.modules[name]
        if self.on_restore is not None and names:
            self.on_restore(names)

    def closure(self, name: str) -> set[str]:
        """Return a hidden module with all the hidden ones that its import brings along."""
        return self._recorder.reachable({name}) & set(self.modules)

    def is_unchanged(self, name: str) -> bool:
        """Tell whether a module's file is the one that was imported."""
        origin = _file(self.modules[name])
        return not origin or self._stamps.get(origin) == _stamp(origin)

    def _detach(self, name: str, module: ModuleType | None) -> None:
        package, _, leaf = name.rpartition(".")
        parent = self.modules.get(package) or sys.modules.get(package)
        if parent is not None and module and vars(parent).get(leaf) is module:
            self._attributes[name] = (parent, leaf)
            del vars(parent)[leaf]

    def _stamp(self, module: ModuleType) -> None:
        origin = _file(module)
        if origin:
            self._stamps.setdefault(origin, _stamp(origin))


class _Finder:
    """First on ``sys.meta_path``: finds hidden modules where the others find the same file."""

    def __init__(self, stash: Stash) -> None:
        self._stash = stash

    def find_spec(
        self,
        name: str,
        path: Sequence[str] | None = None,
        target: ModuleType | None = None,
    ) -> ModuleSpec | None:
        """Return the specification of a hidden module; None hands on to the other finders."""
        stash = self._stash
        module = stash.modules.get(name)
        if module is None:
            return None
        found = self._of_others(name, path, target)
        if found is None or not _is_same(found, module):
            return found
        closure = stash.closure(name)
        shadowed = self._shadowed(closure)
        tops = {member.partition(".")[0] for member in closure}
        if shadowed and tops & ONCE:
            closure = {one for one in closure if one.partition(".")[0] not in shadowed}
        elif shadowed:
            return found
        if not all(map(stash.is_unchanged, closure)):
            return found
        return _spec(found, _Restorer(stash, module, closure))

    def _shadowed(self, names: set[str]) -> set[str]:
        """Return those for which others are found; nobody finds what was made in memory."""
        shadowed = set()
        for name in names:
            module = self._stash.modules[name]
            spec = module.__spec__
            if "." not in name and spec is not None and spec.name == name:
                found = self._of_others(name, None, None)
                if found is not None and not _is_same(found, module):
                    shadowed.add(name)
        return shadowed

    def _of_others(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None
    ) -> ModuleSpec | None:
        for finder in sys.meta_path:
            if finder is not self and hasattr(finder, "find_spec"):
                found = finder.find_spec(name, path, target)
                if found is not None:
                    return found
        return None


class _Restorer:
    """The loader that puts a hidden module back."""

    def __init__(self, stash: Stash, module: ModuleType, closure: set[str]) -> None:
        self._stash = stash
        self._module = module
        self._closure = closure
        self._spec = module.__spec__

    def create_module(self, _spec: ModuleSpec) -> ModuleType:
        """Return the module as it is."""
        return self._module

    def exec_module(self, module: ModuleType) -> None:
        """Put it back with its closure; nothing may be put back any earlier.

        Import would see the name in ``sys.modules`` and run the module's own loader. Finders that
        act behind an import are told of the closure, which no other import will ask them for.
        """
        vars(module)["__spec__"] = self._spec  # some modules refuse to be set
        self._stash.restore(self._closure)
        for finder in list(sys.meta_path):
            tell = getattr(finder, "modules_are_back", None)
            if tell is not None:
                tell(self._closure)


def _spec(found: ModuleSpec, loader: _Restorer) -> ModuleSpec:
    spec = ModuleSpec(found.name, loader, origin=found.origin)  # type: ignore[arg-type]
    spec.submodule_search_locations = found.submodule_search_locations
    spec.cached = found.cached
    spec.has_location = found.has_location
    return spec


def _is_same(found: ModuleSpec, module: ModuleType) -> bool:
    spec = module.__spec__
    if spec is None:
        return False
    if found.origin is None and found.submodule_search_locations is not None:
        known = spec.submodule_search_locations or ()  # a namespace package
        return list(found.submodule_search_locations) == list(known)
    return found.origin == spec.origin


def _file(module: ModuleType) -> str:
    origin = getattr(getattr(module, "__spec__", None), "origin", None)
    return origin if isinstance(origin, str) and origin.startswith("/") else ""


def _stamp(path: str) -> tuple[int, ...]:
    try:
        found = os.stat(path)
    except OSError:
        return ()
    return found.st_mtime_ns, found.st_size, found.st_ino


def _undo(effect: Any) -> None:  # noqa: ANN401
    if effect.kind == "filter":
        item = effect.value[0]
        if item in warnings.filters:
            warnings.filters.remove(item)  # type: ignore[attr-defined]
            warnings._filters_mutated()  # type: ignore[attr-defined]
    elif effect.kind == "finder" and effect.value in sys.meta_path:
        sys.meta_path.remove(effect.value)
    elif effect.kind == "variable":
        os.environ.pop(effect.value[0], None)


def _redo(effect: Any) -> None:  # noqa: ANN401
    if effect.kind == "filter":
        item, append = effect.value
        warnings._add_filter(*item, append=append)  # type: ignore[attr-defined]
    elif effect.kind == "finder" and effect.value not in sys.meta_path:
        sys.meta_path.append(effect.value)
    elif effect.kind == "variable":
        name, value = effect.value
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value
    elif effect.kind == "hook":
        import atexit

        function, args, kwargs = effect.value
        atexit.register(function, *args, **kwargs)

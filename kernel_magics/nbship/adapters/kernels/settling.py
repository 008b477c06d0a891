"""Runs as text in kernels whose environment may lack nbship: the standard library only.

Generators are seeded before the first cell, those of numpy and torch as soon as these are
imported and before anybody can use them. Who seeds by himself does so later, and wins.
"""

from __future__ import annotations

import contextlib
import random
import sys
from typing import Any

#: what is imported -> the modules to look at when that is done
_OCCASIONS = {
    "numpy": ("numpy.random",),
    "numpy.random": ("numpy.random",),
    "torch": ("torch",),
}


def settle(seed: int | None, is_strict: bool, folders: list[str]) -> None:  # noqa: FBT001  # called as text
    """Seed, and see to libraries that are imported later."""
    sys.path[:0] = folders
    if seed is None and not is_strict:
        return
    if seed is not None:
        random.seed(seed)
    seeder = _Seeder(seed, is_strict)
    for name in _OCCASIONS:
        if name in sys.modules:
            seeder.see_to(name)
    sys.meta_path.insert(0, seeder)


class _Seeder:
    """A finder that finds nothing by itself: it acts when a module has been imported."""

    def __init__(self, seed: int | None, is_strict: bool) -> None:  # noqa: FBT001
        self._seed = seed
        self._is_strict = is_strict
        self._looking: set[str] = set()
        self._done: set[str] = set()

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Any:  # noqa: ANN401
        """Let the others find it, and act behind it."""
        if name not in _OCCASIONS or name in self._looking:
            return None
        self._looking.add(name)
        try:
            spec = _found(self, name, path, target)
        finally:
            self._looking.discard(name)
        if spec is not None and spec.loader is not None:
            with contextlib.suppress(AttributeError):
                self._act_behind(spec.loader, name)
        return spec

    def modules_are_back(self, names: set[str]) -> None:
        """Act behind modules that a forked kernel has put back together with another one."""
        for name in _OCCASIONS:
            if name in names:
                self.see_to(name)

    def see_to(self, name: str) -> None:
        """Seed what has become available with the import of a module."""
        for wanted in _OCCASIONS[name]:
            module = sys.modules.get(wanted)
            if module is None or wanted in self._done:
                continue
            self._done.add(wanted)
            with contextlib.suppress(Exception):  # an import never fails through us
                self._settle_module(wanted, module)

    def _act_behind(self, loader: Any, name: str) -> None:  # noqa: ANN401
        run = loader.exec_module

        def exec_module(module: Any) -> None:  # noqa: ANN401
            with contextlib.suppress(AttributeError):
                del loader.exec_module
            run(module)
            self.see_to(name)

        loader.exec_module = exec_module

    def _settle_module(self, name: str, module: Any) -> None:  # noqa: ANN401
        if name == "numpy.random" and self._seed is not None:
            module.seed(self._seed % 2**32)
        if name == "torch" and self._seed is not None:
            module.manual_seed(self._seed)
        if name == "torch" and self._is_strict:
            module.use_deterministic_algorithms(mode=True)
            module.backends.cudnn.benchmark = False


def _found(asking: Any, name: str, path: Any, target: Any) -> Any:  # noqa: ANN401
    for finder in list(sys.meta_path):
        if finder is asking or not hasattr(finder, "find_spec"):
            continue
        spec = finder.find_spec(name, path, target)
        if spec is not None:
            return spec
    return None

"""Import modules ahead, and stop where one does what must not be inherited."""

from __future__ import annotations

import contextlib
import gc
import os
import pathlib
import sys
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from . import pools, state
from .hiding import ONCE, Stash
from .streams import LateStream

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from .recording import Recorder

#: imported by no kernel by accident: they speak, or start a browser
_NEVER = {"antigravity", "this", "__main__", "matplotlib_inline"}
#: register what cannot be registered twice while they are imported, and are never imported ahead
_UNTRIED = {"jax", "jaxlib", "tensorflow"}
_MPLBACKEND = "module://matplotlib_inline.backend_inline"


class Preloads:
    """What this process has imported, and what of it kernels are shown.

    Parameters
    ----------
    recorder
        Records imports.
    banned
        Modules that must not be imported here.
    also
        Folders beside the installed packages from which modules may come.
    """

    def __init__(
        self, recorder: Recorder, banned: Iterable[str], also: Iterable[str]
    ) -> None:
        self.recorder = recorder
        self.stash = Stash(recorder)
        self.base: set[str] = set()
        #: runs cells without the kernel's protocol; there once the base is
        self.run_direct: Any = None
        #: why this process must not fork any more
        self.spoiled = ""
        self.banned = {*banned, *_NEVER, *_UNTRIED}
        #: names that were imported here already, whatever came of it
        self._tried: set[str] = set()
        #: top-level names, and whether they are installed modules
        self._installed: dict[str, bool] = {}
        self.roots = (*_installed_roots(), *also)
        self.streams = LateStream(sys.stdout), LateStream(sys.stderr)
        pools.hold_back()

    def load_base(self, names: Sequence[str], shown: set[str]) -> None:
        """Import what every kernel imports by itself; it is never hidden.

        Parameters
        ----------
        names
            What an earlier server learnt of it, in order.
        shown
            Modules that were there before those of the server.
        """
        with self._importing():
            import runpy  # noqa: F401  # what `python -m` begins with

            import ipykernel.kernelapp  # noqa: F401

            self.run_direct = import_module(f"{__package__}.direct").run
            for name in names:
                with contextlib.suppress(Exception):
                    import_module(name)
        own = {name for name in sys.modules if name.startswith(str(__package__))}
        for name in {*own, "__main__"}:  # what only the server needs is hidden
            self.recorder.edges.pop(name, None)
        roots = {"runpy", "ipykernel.kernelapp", *shown, *names} - own - {"__main__"}
        self.base = own | {"__main__"} | self.recorder.reachable(roots)
        self._settle()

    def extend_base(self, names: Iterable[str]) -> None:
        """Import what the first kernel was found to import before its first cell."""
        self.stash.release(set(names))
        missing = [name for name in names if name not in sys.modules]
        with self._importing():
            for name in missing:
                if self.is_allowed(name):
                    with contextlib.suppress(Exception):
                        import_module(name)
        self.base |= set(sys.modules)
        self._settle()

    def load(self, names: Iterable[str], *, until: Callable[[], bool]) -> list[str]:
        """Import modules and hide them; what is left undone is returned.

        Parameters
        ----------
        names
            In the order in which a kernel imported them.
        until
            Asked before each: True stops.
        """
        pending = [name for name in names if self._is_wanted(name)]
        if not pending or self.spoiled:
            return []
        self.stash.show()
        with self._importing():
            done = 0
            for name in pending:
                if until():
                    break
                done += 1
                self._tried.add(name)
                if not self._load_one(name):
                    break
        self._settle()
        return pending[done:]

    def is_allowed(self, name: str) -> bool:
        """Tell whether a module is an installed one, and not banned."""
        top = name.partition(".")[0]
        if name in self.banned or top in self.banned:
            return False
        if top not in self._installed:  # looking a large package up is dear
            self._installed[top] = self._is_installed(top)
        return self._installed[top]

    def _is_installed(self, top: str) -> bool:
        try:
            spec = find_spec(top)
        except (ImportError, ValueError):
            return False
        origin = spec.origin if spec else None
        if origin in {"built-in", "frozen"}:
            return True
        return bool(origin and origin.startswith(self.roots))

    def _is_wanted(self, name: str) -> bool:
        return (
            name not in self._tried
            and name not in sys.modules
            and name not in self.stash.modules
            and self.is_allowed(name)
        )

    def _load_one(self, name: str) -> bool:
        """Import a module; False where this process must not fork any more."""
        if name in sys.modules:
            return True
        before = state.process_state(), set(state.open_endpoints().values())
        users = set(self.recorder.shell_users)
        try:
            import_module(name)
        except BaseException as error:  # noqa: BLE001  # a module raises anything
            self.banned.add(name)
            if name.partition(".")[0] in ONCE:  # a kernel could not begin it again
                self.spoiled = f"importing {name} failed: {error!r}"
        found = state.changed(before[0], state.process_state())
        opened = set(state.open_endpoints().values()) - before[1]
        users = self.recorder.shell_users - users
        threads = state.thread_count()
        if users:
            self.spoiled = f"importing {name} uses the running shell"
            self.banned |= users
        elif threads != 1:
            self.spoiled = f"importing {name} left {threads} threads"
        elif found:
            self.spoiled = f"importing {name} changed {', '.join(found)}"
        elif opened:
            self.spoiled = f"importing {name} left {', '.join(opened)} open"
        if self.spoiled:
            self.banned.add(name)
        return not self.spoiled

    def _settle(self) -> None:
        sysconfig: Any = sys.modules.get("sysconfig")
        if sysconfig is not None:  # it imports data once it is asked
            sysconfig._CONFIG_VARS = None
            if hasattr(sysconfig, "_CONFIG_VARS_INITIALIZED"):
                sysconfig._CONFIG_VARS_INITIALIZED = False
        self.stash.take(self.base)
        gc.collect()
        gc.freeze()

    @contextlib.contextmanager
    def _importing(self) -> Iterator[None]:
        """Look like a kernel to modules that are imported."""
        had = os.environ.get("MPLBACKEND")
        os.environ["MPLBACKEND"] = had or _MPLBACKEND
        streams = sys.stdout, sys.stderr
        sys.stdout, sys.stderr = self.streams
        try:
            with self.recorder.recording():
                yield
        finally:
            sys.stdout, sys.stderr = streams
            if had is None:
                del os.environ["MPLBACKEND"]


def differing_variable(read: dict[str, str | None], environ: dict[str, str]) -> str:
    """Name a variable that imports read here and that a kernel has otherwise; "" for none."""
    for name, value in read.items():
        given = environ.get(name)
        if name == "MPLBACKEND":
            given = given or _MPLBACKEND
        if given != value:
            return name
    return ""


def shadowing_file(folder: str, names: set[str]) -> str:
    """Name a file in a kernel's working folder that hides a preloaded module; "" for none."""
    try:
        entries = os.listdir(folder)
    except OSError:
        return ""
    for entry in entries:
        name = entry.partition(".")[0]
        if name in names:
            is_module = entry.endswith((".py", ".so", ".pyc"))
            if is_module or pathlib.Path(f"{folder}/{entry}/__init__.py").is_file():
                return entry
    return ""


def _installed_roots() -> tuple[str, ...]:
    import site  # sysconfig would keep what a kernel finds out by itself

    standard = os.path.dirname(os.__file__)  # noqa: TID251
    folders = [standard, *site.getsitepackages(), site.getusersitepackages()]
    return tuple({f"{folder}/" for folder in folders})

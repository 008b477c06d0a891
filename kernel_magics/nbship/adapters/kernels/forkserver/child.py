"""What a forked process does before it becomes a kernel, and how it ends."""

from __future__ import annotations

import atexit
import contextlib
import ctypes
import gc
import itertools
import os
import resource
import signal
import sys
import threading
import time
from typing import TYPE_CHECKING, Any

from . import pools

if TYPE_CHECKING:
    from .hiding import Stash
    from .recording import Recorder

_PR_SET_PDEATHSIG = 1
_MPLBACKEND = "module://matplotlib_inline.backend_inline"


def die_with_parent(number: int) -> None:
    """Have the system send a signal when the process that started this one ends."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, number, 0, 0, 0)


def settle(
    request: dict[str, Any], descriptors: list[int], recorder: Recorder, stash: Stash
) -> None:
    """Make this fork of the server what a process started for the request would be."""
    parent = os.getppid()
    os.setsid()
    die_with_parent(signal.SIGKILL)
    for number, descriptor in enumerate(descriptors[:3]):
        os.dup2(descriptor, number)
        os.close(descriptor)
    _take_limits(request)
    os.chdir(request["cwd"])
    _take_environment({**request["environ"], "JPY_PARENT_PID": str(parent)})
    _reset_signals()
    _take_exit_hooks(recorder, stash)
    _forget_parent({**sys.modules, **stash.modules})
    stash.on_restore = pools.Pools(dict(os.environ)).restore
    for effect in recorder.effects:
        if effect.kind == "variable" and effect.module not in stash.modules:
            name, value = effect.value
            if value is not None:
                os.environ.setdefault(name, value)


def _take_limits(request: dict[str, Any]) -> None:
    os.umask(request["umask"])
    for number, limits in request["limits"]:
        if tuple(limits) != resource.getrlimit(number):
            with contextlib.suppress(OSError, ValueError):
                resource.setrlimit(number, tuple(limits))
    with contextlib.suppress(OSError):
        os.sched_setaffinity(0, request["cpus"])


def _take_environment(variables: dict[str, str]) -> None:
    os.environ.clear()
    os.environ.update(variables)
    pools.forget()
    time.tzset()


def _reset_signals() -> None:
    """Take the server's handlers back; what its owner ignores, as under nohup, stays ignored."""
    signal.set_wakeup_fd(-1)
    for number in (signal.SIGTERM, signal.SIGCHLD):
        signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)


def _take_exit_hooks(recorder: Recorder, stash: Stash) -> None:
    """Keep the exit hooks of modules that are shown; finalizers made so far are the server's."""
    import weakref

    atexit._clear()
    weakref.finalize._registry.clear()  # type: ignore[attr-defined]
    weakref.finalize._registered_with_atexit = False  # type: ignore[attr-defined]
    for effect in recorder.effects:
        if effect.kind == "hook" and effect.module not in stash.modules:
            function, args, kwargs = effect.value
            atexit.register(function, *args, **kwargs)


def _forget_parent(modules: dict[str, Any]) -> None:
    """Draw anew what a process draws when it starts; ``random`` does so by itself."""
    numpy = modules.get("numpy.random.mtrand")
    if numpy is not None:
        numpy._rand.seed(None)
    torch = modules.get("torch")
    if torch is not None:
        torch.default_generator.seed()
    threading._counter = itertools.count(1).__next__  # type: ignore[attr-defined]
    tempfile = modules.get("tempfile")
    if tempfile is not None:
        tempfile.tempdir = None
        tempfile._name_sequence = None
    process = modules.get("multiprocessing.process")
    if process is not None:
        process.ORIGINAL_DIR = os.getcwd()
        key = process.AuthenticationString(os.urandom(32))
        process.current_process()._config["authkey"] = key


def launcher_path() -> str:
    """Return the file that ``python -m ipykernel_launcher`` runs."""
    from importlib.util import find_spec

    found = find_spec("ipykernel_launcher")
    return str(found and found.origin)


def used_modules(base: set[str], roots: tuple[str, ...]) -> list[str]:
    """Return the modules beyond a set that lie in installed packages, in order of import."""
    names = []
    for name, module in list(sys.modules.items()):
        spec = getattr(module, "__spec__", None)
        origin = getattr(spec, "origin", None)
        is_installed = origin in {"built-in", "frozen"} or (
            isinstance(origin, str) and origin.startswith(roots)
        )
        if name not in base and is_installed and spec and spec.name == name:
            names.append(name)
    return names


def end(shell: Any) -> None:  # noqa: ANN401  # IPython's shell, or None
    """Do what the end of an interpreter does, but for taking the libraries apart."""
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    sys.stdout, sys.stderr = sys.__stdout__, sys.__stderr__
    if shell is not None:
        shell.displayhook.exec_result = None
        for names in (shell.user_ns, shell.user_ns_hidden, vars(shell.user_module)):
            names.clear()
    for name in ("last_value", "last_traceback", "last_type", "last_exc"):
        sys.__dict__.pop(name, None)
    gc.collect()
    _flush_files()


def _flush_files() -> None:
    import io

    for item in gc.get_objects():
        is_file = isinstance(
            item, (io.TextIOWrapper, io.BufferedWriter, io.BufferedRandom)
        )
        if is_file and not item.closed:
            with contextlib.suppress(Exception):
                item.flush()
    ctypes.CDLL(None).fflush(None)

"""Threads that libraries start when they are loaded.

A forked pool is dead. So the server loads OpenBLAS with one thread, and a kernel that imports the
library gets as many as a fresh one would. The allocators of pyarrow and polars do without the
thread that returns memory to the system in the background.
"""

from __future__ import annotations

import ctypes
import os
from pathlib import Path

_VARIABLE = "OPENBLAS_NUM_THREADS"
_HELD_BACK = {
    _VARIABLE: "1",
    "JE_ARROW_MALLOC_CONF": "background_thread:false",
    "_RJEM_MALLOC_CONF": "background_thread:false",
}
_OPENBLAS = (
    "scipy_openblas_set_num_threads64_",
    "scipy_openblas_set_num_threads",
    "openblas_set_num_threads64_",
    "openblas_set_num_threads",
)
_OPENMP = ("omp_set_num_threads",)


def hold_back() -> None:
    """Let libraries start no threads here; ``os.environ`` does not show it."""
    for name, value in _HELD_BACK.items():
        os.putenv(name, value)


def forget() -> None:
    """Take that back for the programs that a kernel starts."""
    for name in _HELD_BACK:
        value = os.environ.get(name)
        if value is None:
            os.unsetenv(name)
        else:
            os.putenv(name, value)


def stop_openblas() -> None:
    """End the threads of OpenBLAS; it starts them again when it needs them.

    It does the same by itself when a process forks.
    """
    for path in _loaded():
        if "openblas" in path:
            stop = getattr(ctypes.CDLL(path), "blas_thread_shutdown_", None)
            if stop is not None:
                stop()


class Pools:
    """Gives libraries their threads when their package is imported.

    Parameters
    ----------
    environ_at_load
        The variables that counted when the libraries were loaded.
    """

    def __init__(self, environ_at_load: dict[str, str]) -> None:
        self._at_load = environ_at_load
        self._settled: set[str] = set()

    def restore(self, modules: set[str]) -> None:
        """Settle the libraries of packages that have just been put back."""
        packages = {name for name in modules if "." not in name}
        if not packages & {"numpy", "scipy", "sklearn", "torch", "xgboost", "lightgbm"}:
            return
        for path in _loaded() - self._settled:
            if any(_is_of(path, package) for package in packages):
                self._settled.add(path)
                self._settle(path)

    def _settle(self, path: str) -> None:
        library = ctypes.CDLL(path)
        if "openblas" in path:
            threads = (
                os.environ.get(_VARIABLE)
                or os.environ.get("OMP_NUM_THREADS")
                or str(len(os.sched_getaffinity(0)))
            )
            _set_threads(library, _OPENBLAS, threads)
            return
        threads = os.environ.get("OMP_NUM_THREADS", "")
        if threads != self._at_load.get("OMP_NUM_THREADS", ""):
            _set_threads(library, _OPENMP, threads or str(os.cpu_count() or 1))


def _set_threads(library: ctypes.CDLL, names: tuple[str, ...], threads: str) -> None:
    first = threads.partition(",")[0]  # OMP_NUM_THREADS may give one number per level
    if not first.isdecimal():
        return
    for name in names:
        function = getattr(library, name, None)
        if function is not None:
            function(ctypes.c_int(int(first)))
            return


def _loaded() -> set[str]:
    lines = Path("/proc/self/maps").read_text("utf-8").splitlines()
    paths = {line.split(maxsplit=5)[-1] for line in lines if ".so" in line}
    return {path for path in paths if "openblas" in path or "gomp" in path}


def _is_of(path: str, package: str) -> bool:
    names = {"sklearn": "scikit_learn"}
    folder = names.get(package, package)
    return f"/{folder}.libs/" in path or f"/{package}/" in path

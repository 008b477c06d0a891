"""Readers that open files behind Python's back, met when a notebook imports them.

A wrapper notes the path and calls the reader; nothing is imported that the notebook does not
import itself.
"""

from __future__ import annotations

import functools
import os
import sys
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import PathFinder
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from importlib.machinery import ModuleSpec
    from types import ModuleType

#: module -> readers in it that take a path first; ``A.b`` is a method of class ``A``
READERS = {
    "pandas.io.parquet": ("read_parquet",),
    "pandas.io.orc": ("read_orc",),
    "pyarrow.parquet.core": ("read_table", "ParquetFile.__init__"),
    "pyarrow.dataset": ("dataset",),
    "pyarrow.orc": ("read_table",),
    "polars.io.csv.functions": ("read_csv", "scan_csv"),
    "polars.io.parquet.functions": ("read_parquet", "scan_parquet"),
    "polars.io.ipc.functions": ("read_ipc", "scan_ipc"),
    "polars.io.ndjson": ("read_ndjson", "scan_ndjson"),
    "h5py._hl.files": ("File.__init__",),
}


def meet_readers(note: Callable[[Any], None]) -> None:
    """Wrap the readers of modules that are imported, now or later.

    Parameters
    ----------
    note
        Takes the path that a reader is given.
    """
    for name in READERS:
        if name in sys.modules:
            _wrap(sys.modules[name], note)
    sys.meta_path.insert(0, _Finder(note))


class _Finder(MetaPathFinder):
    """Finds the modules of :data:`READERS` where Python finds them, and adds the wrappers."""

    def __init__(self, note: Callable[[Any], None]) -> None:
        self._note = note

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None = None,
        target: ModuleType | None = None,
    ) -> ModuleSpec | None:
        """Return the ordinary spec with a loader that wraps; None for other modules."""
        if fullname not in READERS:
            return None
        spec = PathFinder.find_spec(fullname, path, target)
        if spec is not None and spec.loader is not None:
            spec.loader = _Wrapping(spec.loader, self._note)
        return spec

    def modules_are_back(self, names: set[str]) -> None:
        """Wrap the readers of modules that a forked kernel has put back with another one."""
        back = [sys.modules[name] for name in names if name in sys.modules]
        for found in back:
            if found.__name__ in READERS:
                for reader, noted in _wrap(found, self._note):
                    _rebind(back, reader, noted)


class _Wrapping(Loader):
    """The module's own loader, and our wrappers afterwards."""

    def __init__(self, loader: Any, note: Callable[[Any], None]) -> None:  # noqa: ANN401
        self._loader = loader
        self._note = note

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        """Let the module's own loader make it."""
        module: ModuleType | None = self._loader.create_module(spec)
        return module

    def exec_module(self, module: ModuleType) -> None:
        """Execute the module, give it its own loader back, and wrap its readers."""
        if module.__spec__ is not None:
            module.__spec__.loader = self._loader
        module.__loader__ = self._loader
        self._loader.exec_module(module)
        _wrap(module, self._note)


def _wrap(module: ModuleType, note: Callable[[Any], None]) -> list[tuple[Any, Any]]:
    """Wrap the readers of a module; return each with its wrapper."""
    wrapped = []
    for name in READERS[module.__name__]:
        holder: Any = module
        *classes, function = name.split(".")
        for part in classes:
            holder = getattr(holder, part, None)
        reader = getattr(holder, function, None)
        if reader is not None:
            noted = _noting(reader, note, skip=len(classes))
            setattr(holder, function, noted)
            wrapped.append((reader, noted))
    return wrapped


def _rebind(modules: list[ModuleType], reader: Any, noted: Any) -> None:  # noqa: ANN401  # functions
    """Put the wrapper wherever a module has taken the reader from another one."""
    for module in modules:
        for name, value in list(vars(module).items()):
            if value is reader:
                setattr(module, name, noted)


def _noting(
    reader: Callable[..., Any], note: Callable[[Any], None], *, skip: int
) -> Callable[..., Any]:
    @functools.wraps(reader)
    def noted(*arguments: Any, **options: Any) -> Any:  # noqa: ANN401  # the reader's own
        given = arguments[skip : skip + 1] or tuple(options.values())[:1]
        for source in given:
            _note_local(source, note)
        return reader(*arguments, **options)

    return noted


def _note_local(source: object, note: Callable[[Any], None]) -> None:
    if isinstance(source, (list, tuple)):
        for item in source:
            _note_local(item, note)
    elif isinstance(source, (str, bytes, os.PathLike)):
        name = os.fsdecode(source)
        if Path(name).exists():
            note(name)

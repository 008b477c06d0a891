"""Note which files a kernel reads, with their digests, from inside the kernel.

Python's audit hook sees every ``open`` of Python and of the C readers that ask Python to open
a file. Readers that open files by themselves (Parquet through Arrow, polars, h5py) are met by
:mod:`nbship.faces.attend_readers`; what neither sees is not in the record.
"""

from __future__ import annotations

import contextlib
import os
import sys
import sysconfig
import tempfile
from importlib.util import source_from_cache
from pathlib import Path
from typing import Any

from nbship.errors import NbshipError
from nbship.records.digest import digest_file
from nbship.records.run import EventKind
from nbship.resources import template_folder
from nbship.settings import FILE_NAMES
from nbship.workbench import Workbench

_WRITING = os.O_WRONLY | os.O_RDWR
_SYSTEM = ("/proc", "/sys", "/dev", "/etc", "/usr", "/lib", "/lib64", "/bin", "/sbin")
_BESIDE = {".git", ".ipynb_checkpoints"}
#: a folder read as one data set is noted file by file, up to this many
_FOLDER_LIMIT = 10_000

_attendance: Attendance | None = None


class Attendance:
    """The files that one kernel reads.

    Parameters
    ----------
    run_folder
        Folder of the run; its journal takes the notes.
    base
        The project's folder; files inside are named relative to it.
    """

    def __init__(self, run_folder: Path, base: Path) -> None:
        self._journal = Workbench.journal_in(run_folder)
        self._base = base.resolve()
        self._pid = os.getpid()
        self._left_out = _left_out(run_folder, self._base)
        #: names as they were opened, in order; filled by the hook, which must do no work
        self._opened: dict[str, None] = {}
        self._written: set[str] = set()
        self._known: dict[str, tuple[int, int, int]] = {}
        self._noted: list[dict[str, Any]] = []
        self._is_working = False

    def hook(self, event: str, arguments: tuple[Any, ...]) -> None:
        """Take one audit event; it may come from any thread, and must not raise."""
        if event == "open":
            path, mode, flags = arguments
            self.note(path, is_write=_is_write(mode, flags))
        elif event == "sqlite3.connect":
            self.note(arguments[0], is_write=False)

    def note(self, path: Any, *, is_write: bool = False) -> None:  # noqa: ANN401  # whatever was opened
        """Take note that a file is opened; relative names count from where we are now."""
        if self._is_working or self._pid != os.getpid():
            return
        try:
            name = os.fsdecode(path)
        except TypeError:  # a descriptor
            return
        if not name.startswith("/"):
            name = f"{os.getcwd()}/{name}"  # noqa: PTH109  # no work in the hook
        if is_write:
            self._written.add(name)
        else:
            self._opened[name] = None

    def settle(self, *_: object) -> None:
        """Digest what was read since the last time, and write it down."""
        if self._pid != os.getpid():
            return
        self._is_working = True
        try:
            names, self._opened = list(self._opened), {}
            written = {str(Path(name).resolve()) for name in self._written}
            for path in dict.fromkeys(f for name in names for f in _files(name)):
                if str(path) not in written and self._counts(path):
                    self._write_down(path)
        finally:
            self._is_working = False

    def _counts(self, path: Path) -> bool:
        if _BESIDE & set(path.parts):
            return False
        return not any(
            path.is_relative_to(folder) and not self._base.is_relative_to(folder)
            for folder in self._left_out
        )

    def _is_inside(self, path: Path) -> bool:
        return path.is_relative_to(self._base)

    def _write_down(self, path: Path) -> None:
        with contextlib.suppress(OSError, NbshipError):
            state = path.stat()
            mark = (state.st_ino, state.st_size, state.st_mtime_ns)
            if self._known.get(str(path)) == mark:
                return
            name = path.relative_to(self._base) if self._is_inside(path) else path
            data = {"path": name.as_posix(), "size_bytes": state.st_size}
            noted = data | {"digest": digest_file(path)}
            self._journal.append(EventKind.DATA, noted)
            self._noted.append(noted)
            self._known[str(path)] = mark

    def go_on(self, run_folder: Path, *, is_new: bool) -> None:
        """Go on in a copy of the process; a new run has read what was read so far."""
        self._pid = os.getpid()
        if not is_new:
            return
        self._journal = Workbench.journal_in(run_folder)
        for noted in self._noted:
            self._journal.append(EventKind.DATA, noted)

    def rest(self) -> None:
        """Hold no file open until there is something to write."""
        self._journal.close()


def attend(run_folder: str, base: str) -> None:
    """Begin to note the files that this kernel reads; once per process."""
    global _attendance  # noqa: PLW0603  # an audit hook cannot be removed
    if _attendance is not None:
        return
    _attendance = Attendance(Path(run_folder), Path(base))
    from nbship.faces.attend_readers import meet_readers

    meet_readers(_attendance.note)
    sys.addaudithook(_attendance.hook)
    get_shell: Any = getattr(sys.modules.get("IPython"), "get_ipython", None)
    shell = get_shell() if get_shell else None
    if shell is not None:
        shell.events.register("post_run_cell", _attendance.settle)


def finish() -> None:
    """Write down what is not written yet."""
    if _attendance is not None:
        _attendance.settle()


def rest() -> None:
    """Write down what is not written yet, and hold no file open."""
    if _attendance is not None:
        _attendance.settle()
        _attendance.rest()


def go_on(run_folder: str, *, is_new: bool) -> None:
    """Go on in a copy of the process that began to note.

    Parameters
    ----------
    run_folder
        Folder of the run that the copy works for.
    is_new
        False where that is the run of the original.
    """
    if _attendance is not None:
        _attendance.go_on(Path(run_folder), is_new=is_new)


def _is_write(mode: object, flags: object) -> bool:
    if isinstance(mode, str):
        return any(letter in mode for letter in "wax+")
    return isinstance(flags, int) and bool(flags & _WRITING)


def _files(name: str) -> list[Path]:
    """Return the files behind a name: itself, its source, or those of a folder."""
    try:
        path = Path(name).resolve()
        if path.is_dir():
            inside = (p for p in sorted(path.rglob("*")) if p.is_file())
            return [p for p, _ in zip(inside, range(_FOLDER_LIMIT), strict=False)]
        if path.parent.name == "__pycache__":
            path = Path(source_from_cache(str(path)))
        return [path] if path.is_file() else []
    except (OSError, ValueError, RuntimeError, NotImplementedError):
        return []


def _left_out(run_folder: Path, base: Path) -> tuple[Path, ...]:
    """Return where programs, settings and our own files lie."""
    home = Path.home()
    places: list[str | Path] = [
        *_SYSTEM,
        sys.prefix,
        sys.base_prefix,
        *sysconfig.get_paths().values(),
        *(p for p in sys.path if p.endswith(("site-packages", "dist-packages"))),
        *(home / name for name in (".ipython", ".jupyter", ".cache", ".config")),
        home / ".local",
        Path(__file__).parents[1],
        template_folder("package").parent,
        *(base / name for name in FILE_NAMES),
        run_folder.parents[1],
        Path(tempfile.gettempdir()) / "ipykernel",
    ]
    found = (Path(place).resolve() for place in places)
    return tuple(dict.fromkeys(p for p in found if p != Path("/")))

"""Where an executed notebook is written: a file of ours, or whatever papermill knows."""

from __future__ import annotations

import os
import secrets
import stat
from pathlib import Path
from typing import Any, Protocol

from papermill import engines, iorw  # noqa: TID253  # loaded by papermill's engine only

from nbship.errors import store_errors


class Target(Protocol):
    """Takes a notebook, again and again."""

    #: True where every save that papermill would make is wanted
    is_watched: bool

    def write(self, nb: Any, text: str, *, is_last: bool) -> None:  # noqa: ANN401
        """Write a notebook, of which ``text`` is what nbformat would write."""
        ...


class JobTarget:
    """The executed notebook in an attempt's folder.

    Parameters
    ----------
    path
        The file.
    """

    is_watched = False

    def __init__(self, path: Path) -> None:
        self._path = path

    def write(self, nb: Any, text: str, *, is_last: bool) -> None:  # noqa: ANN401
        """Write the whole file or nothing; the last one is safe from a loss of power.

        Raises
        ------
        StoreError
            If the file system refuses.
        """
        del nb
        data = (text + "\n").encode("utf-8", "surrogatepass")
        with store_errors(self._path):
            replace_file(self._path, data, is_synced=is_last)


class LocalTarget:
    """A file that papermill's user named.

    Parameters
    ----------
    path
        The file, absolute.
    name
        As it was named.
    """

    is_watched = False

    def __init__(self, path: Path, name: str) -> None:
        self._path = path
        self._name = name

    def write(self, nb: Any, text: str, *, is_last: bool) -> None:  # noqa: ANN401
        """Write the whole file or nothing.

        Raises
        ------
        FileNotFoundError
            If its folder does not exist, in papermill's words.
        """
        del nb, is_last  # papermill writes it once more
        if not self._path.parent.is_dir():
            folder = Path(self._name).parent
            raise FileNotFoundError(f"output folder {folder} doesn't exist.")
        data = text.encode("utf-8", "surrogatepass")
        replace_file(self._path, data, is_synced=False)


class PapermillTarget:
    """A place that papermill's own handlers write to, such as S3.

    Parameters
    ----------
    name
        As papermill's user named it.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        #: somebody put another function in the place of papermill's
        self.is_watched = engines.write_ipynb is not iorw.write_ipynb

    def write(self, nb: Any, text: str, *, is_last: bool) -> None:  # noqa: ANN401
        """Hand it to papermill."""
        del is_last
        if self.is_watched:
            engines.write_ipynb(nb, self._name)
        else:
            iorw.papermill_io.write(text, self._name)


def target_of(name: object) -> Target | None:
    """Choose how papermill's output is written; None where there is none."""
    if not isinstance(name, str) or not name:
        return None
    told = PapermillTarget(name)
    handler = iorw.papermill_io.get_handler(name)
    if told.is_watched or type(handler) is not iorw.LocalHandler:
        return told
    path = Path(handler._cwd or ".", name).absolute()  # noqa: SLF001  # --cwd is kept there
    return LocalTarget(path, name)


def replace_file(path: Path, data: bytes, *, is_synced: bool) -> None:
    """Put bytes into a file so that a reader finds the old ones or the new ones.

    A link stays a link, and a file keeps its permissions. Where no other file can be made
    beside it, or it is none (a pipe, a device), it is written in place.

    Parameters
    ----------
    path
        The file.
    data
        Its new content.
    is_synced
        True waits until the disk has it.
    """
    path = path.resolve()
    mode = path.stat().st_mode if path.exists() else None
    is_file = mode is None or stat.S_ISREG(mode)
    if is_file and (mode is None or os.access(path.parent, os.W_OK)):
        _replace(path, data, mode, is_synced=is_synced)
    else:
        path.write_bytes(data)


def _replace(path: Path, data: bytes, mode: int | None, *, is_synced: bool) -> None:
    beside = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
    try:
        with os.fdopen(os.open(beside, flags, 0o666), "wb") as file:
            if mode is not None:
                os.fchmod(file.fileno(), stat.S_IMODE(mode))
            file.write(data)
            file.flush()
            if is_synced:
                os.fsync(file.fileno())
        beside.replace(path)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise

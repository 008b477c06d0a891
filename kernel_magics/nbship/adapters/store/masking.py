"""The last look at an attempt's files: what a kernel wrote past us holds no secret either."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nbship.errors import store_error

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from nbship.capture.redaction import Redactor


def mask_files(redactor: Redactor, folders: Iterable[Path]) -> tuple[Path, ...]:
    """Write asterisks over secrets in every file below some folders.

    Files keep their length, since others may be appending to them or know places in them.

    Parameters
    ----------
    redactor
        Knows the secrets.
    folders
        Where to look; the files below them are ours.

    Returns
    -------
    tuple of Path
        The files that held any.

    Raises
    ------
    StoreError
        If such a file cannot be written.
    """
    paths = sorted(p for f in folders for p in f.rglob("*") if p.is_file())
    return tuple(path for path in paths if _mask(redactor, path))


def _mask(redactor: Redactor, path: Path) -> bool:
    try:
        data = path.read_bytes()
        masked = redactor.masked(data)
        if masked == data:
            return False
        with path.open("r+b") as file:
            file.write(masked)
    except OSError as error:
        raise store_error(error, path) from error
    return True

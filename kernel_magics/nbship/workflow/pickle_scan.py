"""No pickle in what is handed over: looked for in the files themselves, whatever they are called."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nbship.errors import ExportError
from nbship.resources import shipped_module

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

#: distributions of others: what they hold is pinned by their digests, and is not state
WHEELHOUSE = "wheelhouse/"


def refuse_pickles(wheel: Path) -> None:
    """Look into a wheel that was built.

    Raises
    ------
    ExportError
        If a file of it is a pickle, holds one, or cannot be looked into.
    """
    found = shipped_module("_pickles").pickles_in(wheel.name, wheel.read_bytes())
    if found:
        raise ExportError(
            "\n".join(found),
            hint="Keep the value itself instead of its pickle: a package holds none.",
        )


def pickle_failures(files: Mapping[str, Path]) -> tuple[list[str], int]:
    """Name every pickle in the files of a bundle.

    Parameters
    ----------
    files
        path in the bundle -> the file. Wheels of other distributions are passed over.

    Returns
    -------
    list of str, int
        What was found, and how many files were looked into.
    """
    pickles_in = shipped_module("_pickles").pickles_in
    own = {
        name: path for name, path in files.items() if not name.startswith(WHEELHOUSE)
    }
    failures = [
        failure
        for name, path in sorted(own.items())
        for failure in pickles_in(name, path.read_bytes())
    ]
    return failures, len(own)

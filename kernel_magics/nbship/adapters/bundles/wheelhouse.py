"""The wheels of a lock in a folder, for machines without an index; pip downloads them."""

from __future__ import annotations

import importlib.util
import os
import shutil
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from nbship.adapters.bundles.uv import last_lines, run_program, run_uv
from nbship.errors import ReleaseError
from nbship.records.digest import digest_file
from nbship.release.lock_text import lock_hashes, without_pins
from nbship.release.requirements import minor_version
from nbship.release.wheelhouse import wheelhouse_failures

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from nbship.adapters.bundles.uv import Ended

_TIMEOUT_S = 1800


def collect_wheels(
    lock: str, into: Path, *, python_version: str, carried: Path | None = None
) -> None:
    """Download what a lock pins, for this platform and one Python version.

    Parameters
    ----------
    lock
        Text of ``requirements.lock``.
    into
        The folder for the wheels; made where it is missing.
    python_version
        The interpreter that they are for.
    carried
        Folder of wheels that no index has.

    Raises
    ------
    ReleaseError
        If a wheel cannot be had, or is not one that the lock names.
    VerificationError
        If the lock holds more than pins.
    """
    hashes = lock_hashes(lock)
    into.mkdir(parents=True, exist_ok=True)
    if not hashes:
        return
    own = _copy_carried(hashes, carried, into)
    # pip would take what the index has under those names, and then find another hash
    if left := without_pins(lock, own):
        _download_all(left, into, python_version)
    found = {path.name: digest_file(path) for path in into.iterdir()}
    failures = wheelhouse_failures(found, hashes)
    if failures:
        raise ReleaseError(
            "\n".join(failures), hint="Clear pip's cache, then repeat the command."
        )


def _copy_carried(
    hashes: Mapping[str, Sequence[str]], carried: Path | None, into: Path
) -> set[str]:
    """Copy the carried wheels that a lock pins; return the names of their distributions."""
    owners = {digest: name for name, digests in hashes.items() for digest in digests}
    found: set[str] = set()
    for wheel in sorted(carried.glob("*.whl")) if carried is not None else ():
        name = owners.get(digest_file(wheel))
        if name is not None:
            shutil.copyfile(wheel, into / wheel.name)
            found.add(name)
    return found


def _download_all(lock: str, into: Path, python_version: str) -> None:
    with tempfile.TemporaryDirectory(prefix="nbship-wheels-") as name:
        requirements = Path(name) / "requirements.lock"
        requirements.write_text(lock, "utf-8")
        ended = _download(
            [
                *("download", "--quiet", "--disable-pip-version-check", "--no-deps"),
                *("--only-binary", ":all:", "--require-hashes"),
                *("--python-version", minor_version(python_version)),
                *("--requirement", str(requirements), "--dest", str(into)),
            ]
        )
    if ended.code != 0:
        raise ReleaseError(
            f"the wheels of requirements.lock cannot be had:\n{last_lines(ended.errors)}",
            hint="Check that your package index is reachable, or unset release.wheelhouse.",
        )


def _download(words: Sequence[str]) -> Ended:
    """Run pip: this environment's own, else one that uv fetches."""
    if importlib.util.find_spec("pip") is None:
        return run_uv(["tool", "run", "pip", *words], timeout_s=_TIMEOUT_S)
    return run_program(
        [sys.executable, "-m", "pip", *words],
        cwd=Path.cwd(),
        environ=os.environ,
        timeout_s=_TIMEOUT_S,
    )

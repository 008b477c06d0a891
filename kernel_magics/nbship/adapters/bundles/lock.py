"""``requirements.lock`` with hashes, resolved by uv."""

from __future__ import annotations

import tempfile
from importlib.metadata import distributions
from pathlib import Path
from typing import TYPE_CHECKING

from nbship.adapters.bundles.uv import last_lines, run_uv
from nbship.errors import ReleaseError
from nbship.records.environment import normalized_name
from nbship.release.lock_text import read_lock
from nbship.release.requirements import minor_version

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from nbship.adapters.bundles.uv import Ended

_TIMEOUT_S = 300


def lock_requirements(
    requirements: Sequence[str],
    *,
    python_version: str,
    installed: Mapping[str, str] | None,
) -> str:
    """Resolve pins into a lock for this platform and one Python version.

    Parameters
    ----------
    requirements
        ``name==version`` of what is needed directly.
    python_version
        The interpreter that captured the root.
    installed
        Version of every distribution installed there: what is needed indirectly is pinned to
        it where an index still has it. This process's own installation where None.

    Raises
    ------
    ReleaseError
        If no set of wheels satisfies the requirements.
    """
    if not requirements:
        return ""
    versions = installed_versions() if installed is None else installed
    constraints = "".join(f"{name}=={version}\n" for name, version in versions.items())
    ways = ((constraints, ()), (constraints, ("--offline",)), ("", ()))
    first: Ended | None = None
    with tempfile.TemporaryDirectory(prefix="nbship-lock-") as name:
        folder = Path(name)
        (folder / "requirements.in").write_text("\n".join(requirements) + "\n", "utf-8")
        for text, options in ways:
            (folder / "constraints.txt").write_text(text, "utf-8")
            ended = _compile(folder, python_version, options)
            first = first or ended
            if ended.code == 0:
                lock = (folder / "requirements.lock").read_text("utf-8")
                read_lock(lock)
                return lock
    raise ReleaseError(
        f"{', '.join(requirements)}: no lock of wheels could be made:\n"
        + (last_lines(first.errors) if first else ""),
        hint="Check that your package index has wheels of these versions.",
    )


def installed_versions() -> dict[str, str]:
    """Return the version of every distribution that this process can import."""
    found = {
        normalized_name(item.name): item.version
        for item in distributions()
        if item.name and item.version
    }
    return dict(sorted(found.items()))


def _compile(folder: Path, python_version: str, options: Sequence[str]) -> Ended:
    words = [
        *("pip", "compile", "--quiet", "--generate-hashes", "--no-build"),
        *("--no-header", "--no-annotate", "--no-emit-index-url"),
        *("--no-emit-find-links", "--no-python-downloads"),
        *("--python-version", minor_version(python_version)),
        *("--constraints", str(folder / "constraints.txt")),
        *("--output-file", str(folder / "requirements.lock")),
        *options,
        str(folder / "requirements.in"),
    ]
    return run_uv(words, timeout_s=_TIMEOUT_S)

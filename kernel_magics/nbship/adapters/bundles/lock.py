"""``requirements.lock`` with hashes, resolved by uv."""

from __future__ import annotations

import platform as platform_of
import re
import sys
import tempfile
from importlib.metadata import distributions
from pathlib import Path
from typing import TYPE_CHECKING

from nbship.adapters.bundles.carried import carried_wheels
from nbship.adapters.bundles.uv import last_lines, run_uv
from nbship.errors import NoWheelsError, ReleaseError
from nbship.records.environment import normalized_name
from nbship.release.lock_text import read_lock, with_hashes
from nbship.release.requirements import minor_version

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from nbship.adapters.bundles.uv import Ended

_TIMEOUT_S = 300
_UNSATISFIABLE = "No solution found"
_CAUSE = re.compile(r"Because .*?\.(?= |$)(?! ?\d)")


def lock_requirements(
    requirements: Sequence[str],
    *,
    python_version: str,
    installed: Mapping[str, str] | None,
    platform: str = "",
    carried: Path | None = None,
) -> str:
    """Resolve pins into a lock for one platform and one Python version.

    Parameters
    ----------
    requirements
        ``name==version`` of what is needed directly.
    python_version
        The interpreter that captured the root.
    installed
        Version of every distribution installed there: what is needed indirectly is pinned to
        it where an index still has it. This process's own installation where None.
    platform
        As uv names it; this machine's where empty.
    carried
        Folder of wheels that go before any that an index has under their names.

    Raises
    ------
    NoWheelsError
        If no set of wheels satisfies the requirements.
    ReleaseError
        If no index can be asked, or uv knows no such platform.
    """
    if not requirements:
        return ""
    words: tuple[str, ...] = ("--python-platform", platform) if platform else ()
    own = carried_wheels(carried)
    if own:
        words += ("--find-links", str(carried))
    fixed = "".join(f"{name}=={version}\n" for name, (version, _) in own.items())
    versions = installed_versions() if installed is None else installed
    others = (item for item in versions.items() if item[0] not in own)
    constraints = fixed + "".join(f"{name}=={version}\n" for name, version in others)
    ways = ((constraints, ()), (constraints, ("--offline",)), (fixed, ()))
    tried: list[Ended] = []
    with tempfile.TemporaryDirectory(prefix="nbship-lock-") as name:
        folder = Path(name)
        (folder / "requirements.in").write_text("\n".join(requirements) + "\n", "utf-8")
        for text, options in ways:
            (folder / "constraints.txt").write_text(text, "utf-8")
            ended = _compile(folder, python_version, (*words, *options))
            tried.append(ended)
            if ended.code == 0:
                lock = (folder / "requirements.lock").read_text("utf-8")
                read_lock(lock)
                return with_hashes(lock, {n: digest for n, (_, digest) in own.items()})
    error = _refusal(requirements, platform, [ended.errors for ended in tried])
    raise error


def here() -> str:
    """Return the platform of this machine as uv names it."""
    machine = {"arm64": "aarch64", "AMD64": "x86_64"}.get(
        platform_of.machine(), platform_of.machine()
    )
    if sys.platform == "darwin":
        return f"{machine}-apple-darwin"
    if sys.platform == "win32":
        return f"{machine}-pc-windows-msvc"
    libc = "gnu" if platform_of.libc_ver()[0] == "glibc" else "musl"
    return f"{machine}-unknown-linux-{libc}"


def _refusal(
    requirements: Sequence[str], platform: str, tried: Sequence[str]
) -> ReleaseError:
    # the last try is free in what is needed indirectly: what it lacks, nothing else has
    errors = tried[-1] if _UNSATISFIABLE in tried[-1] else tried[0]
    if "'--python-platform" in errors:
        return ReleaseError(
            f"release.platforms: uv knows no platform {platform!r}",
            hint="Take one of those that `uv pip compile --help` lists.",
        )
    needed, where = ", ".join(requirements), f" for {platform}" if platform else ""
    if _UNSATISFIABLE in errors:
        cause = " ".join(_CAUSE.findall(" ".join(errors.split()))) or last_lines(errors)
        return NoWheelsError(
            f"{needed}: no lock of wheels{where} could be made: {cause}",
            hint="Check that your package index has wheels of these versions.",
        )
    return ReleaseError(
        f"{needed}: no lock of wheels{where} could be made:\n{last_lines(errors)}",
        hint="Check that your package index can be reached.",
    )


def installed_versions() -> dict[str, str]:
    """Return the version of every distribution that this process can import."""
    # read once for each: an attribute of a distribution reads its whole file
    metadata = [item.metadata for item in distributions()]
    found = {
        normalized_name(item["Name"]): item["Version"]
        for item in metadata
        if item["Name"] and item["Version"]
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

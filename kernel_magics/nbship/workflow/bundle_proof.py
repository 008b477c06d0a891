"""The first part of a bundle: the wheel with its proof, and the locks that it is installed from."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from nbship.errors import ReleaseError
from nbship.release.lock_text import read_lock
from nbship.release.requirements import direct_pins
from nbship.release.serving_lock import (
    SERVE_LOCK,
    lock_differences,
    serving_requirements,
)
from nbship.release.wheelhouse import WHEELHOUSE
from nbship.workflow.export import LOCK, Proven, build_and_replay
from nbship.workflow.platform_locks import lock_platforms

if TYPE_CHECKING:
    from pathlib import Path

    from nbship.records.release import PlatformLock
    from nbship.release.facts import Evidence
    from nbship.workflow.bundle import Sources
    from nbship.workflow.release import Makers, Wish


def prove(folder: Path, evidence: Evidence, sources: Sources, makers: Makers) -> Proven:
    """Build the wheel and replay its golden cases, in the bundle's folder.

    Raises
    ------
    ReleaseError
        If the replay does not give the golden cases' answers.
    """
    proven = build_and_replay(
        evidence.capture,
        sources.capture_folder,
        into=folder,
        origin=evidence.origin(),
        builder=makers.builder,
        replayer=makers.replayer,
        installed=sources.installed,
        carried=sources.carried,
    )
    if not proven.parity.passed:
        raise ReleaseError(
            f"{evidence.capture.name}: the package does not answer as the notebook did:\n"
            + "\n".join(proven.parity.differences[:10]),
            hint="Make its answers depend on its inputs and captured values only.",
        )
    # how long it took is no part of the proof: equal releases have equal bytes
    parity = dataclasses.replace(proven.parity, duration_s=0.0)
    return dataclasses.replace(proven, parity=parity)


def lock_bundle(  # noqa: PLR0913  # what is locked, and with what
    folder: Path,
    wheel: Path,
    evidence: Evidence,
    *,
    sources: Sources,
    makers: Makers,
    wish: Wish,
) -> tuple[Path, tuple[PlatformLock, ...]]:
    """Lock what serves, here and on other platforms, and put the wheels that are wanted beside it.

    Returns
    -------
    tuple
        The lock that holds everything, and what was found for each platform.

    Raises
    ------
    ReleaseError
        If a server cannot be installed beside what the replay has proven.
    """
    needed = serving_requirements(makers.builder.read(wheel))
    version = evidence.capture.python_version
    lock = _lock_serving(folder, needed, evidence, sources=sources, makers=makers)
    platforms = lock_platforms(
        folder,
        wish.platforms,
        requirements=(*direct_pins(evidence.capture), *needed),
        replayed=lock,
        python_version=version,
        builder=makers.builder,
        carried=sources.carried,
    )
    if wish.with_wheelhouse or (folder / WHEELHOUSE).is_dir():
        makers.builder.collect(
            lock.read_text("utf-8"),
            folder / WHEELHOUSE,
            python_version=version,
            carried=sources.carried,
        )
    return lock, platforms


def _lock_serving(
    folder: Path,
    needed: tuple[str, ...],
    evidence: Evidence,
    *,
    sources: Sources,
    makers: Makers,
) -> Path:
    """Lock what the package serves with; return the lock that holds everything.

    Raises
    ------
    ReleaseError
        If a server cannot be installed beside what the replay has proven.
    """
    if not needed:
        return folder / LOCK
    pins = read_lock((folder / LOCK).read_text("utf-8"))
    lock = makers.builder.lock(
        (*direct_pins(evidence.capture), *needed),
        python_version=evidence.capture.python_version,
        installed={**sources.installed, **pins},
        carried=sources.carried,
    )
    differences = lock_differences(pins, read_lock(lock))
    if differences:
        raise ReleaseError(
            "\n".join(differences),
            hint="Install versions that the server can be installed beside, then submit again.",
        )
    (folder / SERVE_LOCK).write_text(lock, "utf-8")
    return folder / SERVE_LOCK

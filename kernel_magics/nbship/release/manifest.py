"""The manifest of a bundle: what it holds and where it comes from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nbship.records.release import Manifest

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nbship.records.release import ParityReport, PlatformLock
    from nbship.release.facts import Evidence


def manifest_of(  # noqa: PLR0913  # what was made, part by part
    evidence: Evidence,
    *,
    parity: ParityReport,
    serving: Mapping[str, Any],
    wheel: str,
    files: Mapping[str, Any],
    tool: str,
    platforms: tuple[PlatformLock, ...] = (),
) -> Manifest:
    """Write the manifest of a bundle.

    Parameters
    ----------
    evidence
        What the release rests on.
    parity
        The replay of the wheel.
    serving
        What answers in it, and why.
    wheel
        The wheel's path in the bundle.
    files
        path -> ``{"sha256", "size_bytes"}`` of every file but the manifest itself, the
        checksums and their seal.
    tool
        Name and version of the program that wrote it.
    platforms
        The locks, by platform.
    """
    return Manifest(
        name=evidence.name,
        version=evidence.version,
        released_at=evidence.released_at,
        tool=tool,
        job_id=evidence.job.id,
        run_id=evidence.outcome.run_id,
        verdict_id=evidence.verdict.id,
        verdict_digest=evidence.verdict_digest,
        approvals=tuple(approval.id for approval in evidence.approvals),
        notebook=evidence.job.notebook,
        subject=dict(evidence.verdict.subject),
        git=evidence.git,
        package=evidence.package,
        wheel=wheel,
        capture_digest=evidence.capture_digest,
        python_version=evidence.capture.python_version,
        signature=evidence.capture.signature,
        parity=parity,
        serving=dict(serving),
        files=dict(sorted(files.items())),
        metrics=dict(evidence.outcome.metrics),
        state=evidence.capture.state,
        platforms=platforms,
    )

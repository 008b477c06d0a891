"""A release as an artifact of Weights & Biases."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from nbship.records.codec import to_json

if TYPE_CHECKING:
    from nbship.records.mirror import Publication


def log_model(run: Any, publication: Publication) -> None:  # noqa: ANN401  # W&B's run
    """Log all files of the bundle as a model; they stay where they lie until they are uploaded."""
    import wandb

    manifest, bundle = publication.manifest, Path(publication.bundle)
    artifact = wandb.Artifact(
        manifest.name,
        type="model",
        description=publication.description,
        metadata={
            **publication.tags,
            "package": manifest.package,
            "wheel": manifest.wheel,
            "python_version": manifest.python_version,
            "metrics": dict(manifest.metrics),
            "signature": to_json(manifest.signature),
        },
    )
    for path in sorted(bundle.rglob("*")):
        if path.is_file():
            name = path.relative_to(bundle).as_posix()
            artifact.add_file(str(path), name=name, policy="immutable", skip_cache=True)
    run.log_artifact(artifact, aliases=aliases_of(publication))


def aliases_of(publication: Publication) -> list[str]:
    """Name the version, and the alias of the newest release.

    W&B numbers the versions of an artifact itself: ``v0``, ``v1``; no alias of ours looks so.
    """
    version = publication.manifest.version
    own = f"v{version}" if "." in version else f"version-{version}"
    return [own, publication.alias] if publication.alias else [own]

"""How far runs and releases are mirrored at one tracker."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from nbship.records.release import Manifest


@dataclass(frozen=True, kw_only=True, slots=True)
class Mirror:
    """The mirror of one run at one tracker."""

    run_id: str
    tracker: str
    #: what the tracker calls the mirror; "" before there is one
    reference: str = ""
    #: number of metrics that the tracker has
    metrics: int = 0
    #: the tracker has the whole run, its end included
    is_closed: bool = False
    #: why the last attempt failed; "" where it did not
    error: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Attachment:
    """A file that a tracker is to show with a run, made after the run's end."""

    run_id: str
    tracker: str
    #: path of the file in the store
    path: str
    #: folder among the run's artifacts at the tracker
    folder: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Publication:
    """A release on its way to a tracker, as a model with a version."""

    manifest: Manifest
    #: sha256 of its ``SHA256SUMS``
    digest: str
    #: folder of the bundle, absolute
    bundle: str
    #: experiment of the run behind it
    experiment: str
    #: what points to it beside its version; "" where a newer release has that name
    alias: str
    #: its own entry of the changelog, Markdown
    description: str
    #: the first golden case
    case: Mapping[str, Any]
    #: what its lock pins
    pins: Mapping[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """``churn/1.2.0``."""
        return f"{self.manifest.name}/{self.manifest.version}"

    @property
    def tags(self) -> dict[str, str]:
        """What it rests on, for trackers that have tags."""
        manifest = self.manifest
        tags = {
            "mlops.release": self.name,
            "mlops.version": manifest.version,
            "mlops.digest": self.digest,
            "mlops.verdict": manifest.verdict_id,
            "mlops.verdict.digest": manifest.verdict_digest,
            "mlops.notebook": manifest.notebook,
            "mlops.notebook.digest": manifest.subject.get("snapshot", ""),
            "mlops.job": manifest.job_id,
            "mlops.run": manifest.run_id,
            "mlops.parity": "proven" if manifest.parity.is_proven else "not proven",
            "mlops.commit": str(manifest.git.get("commit") or ""),
        }
        return {name: text for name, text in tags.items() if text}


@dataclass(frozen=True, kw_only=True, slots=True)
class ReleaseMirror:
    """The mirror of one release at one tracker."""

    #: ``churn/1.2.0``
    release: str
    tracker: str
    #: sha256 of the ``SHA256SUMS`` that the tracker has; "" before it has any
    digest: str = ""
    #: what the tracker calls it
    reference: str = ""
    #: why the last attempt failed; "" where it did not
    error: str = ""

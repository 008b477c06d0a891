"""Captures exported and replayed for real."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nbship.adapters.bundles.replay import UvReplayer
from nbship.adapters.bundles.wheel import WheelBuilder
from nbship.workflow.export import make_export
from support.review_case import AT

if TYPE_CHECKING:
    from pathlib import Path

    from nbship.records.release import Export


def exported(capture: Path, folder: Path, *, package: str, **more: Any) -> Export:
    """Export a capture into a folder; built and replayed by uv unless others are given."""
    asked: dict[str, Any] = {
        "version": "1.0.0",
        "export_id": "export-20261123-093000-2b2b",
        "at": AT,
        "builder": WheelBuilder(),
        "replayer": UvReplayer(),
    } | more
    return make_export(capture, export_folder=folder, package=package, **asked)

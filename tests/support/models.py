"""Releases on their way to trackers, and captures made into the folder that MLflow loads."""

from __future__ import annotations

import dataclasses
import json
from typing import TYPE_CHECKING, Any

from nbship.adapters.bundles.wheel import WheelBuilder
from nbship.records.mirror import Publication
from nbship.records.release import Manifest
from nbship.workflow.bundle_files import read_capture
from support.release_pairs import DEARER_MODULE, DEARER_SIGNATURE, dearer_cases
from support.review_case import AT

if TYPE_CHECKING:
    from pathlib import Path


class BareBuilder(WheelBuilder):
    """Builds real wheels; nothing is locked, so that no index is asked."""

    def lock(self, _requirements: Any, **_asked: Any) -> str:
        return ""


DEARER = {
    "module": DEARER_MODULE,
    "signature": DEARER_SIGNATURE,
    "recorded": dearer_cases(),
}


def publication_of_capture(capture: Path, folder: Path) -> Publication:
    """Make what trackers are told of a capture, as if it had been released."""
    record = read_capture(capture)
    origin = {"name": "birds", "package": "birds", "version": "1.0.0"}
    wheel = WheelBuilder().build(record, capture, into=folder / "dist", origin=origin)
    (folder / "requirements.lock").write_text("", "utf-8")
    (folder / "HANDOFF.md").write_text("# birds 1.0.0\n", "utf-8")
    empty = {
        field.name: ""
        for field in dataclasses.fields(Manifest)
        if field.default is dataclasses.MISSING
        and field.default_factory is dataclasses.MISSING
    }
    manifest = Manifest(
        **{
            **empty,
            "name": "birds",
            "version": "1.0.0",
            "package": "birds",
            "released_at": AT,
            "approvals": (),
            "subject": {},
            "git": {},
            "wheel": wheel.relative_to(folder).as_posix(),
            "python_version": record.python_version,
            "signature": record.signature,
        }
    )
    first = (capture / record.golden).read_text("utf-8").splitlines()[0]
    return Publication(
        manifest=manifest,
        digest="d1",
        bundle=str(folder.absolute()),
        experiment="birds",
        alias="released",
        description="",
        case=json.loads(first),
    )

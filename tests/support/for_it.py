"""A bundle's tests as IT runs them, beside the package that they ask."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import zipfile

from nbship.adapters.bundles.wheel import WheelBuilder
from nbship.records.codec import to_json
from nbship.resources import template_folder
from nbship.workflow.bundle_files import read_capture


def lay_out(folder, place):
    """Lay out what the tests of a bundle need, and install its wheel."""
    capture = read_capture(place)
    origin = {"name": "it", "package": "it_model", "version": "1.0.0"}
    wheel = WheelBuilder().build(capture, place, into=folder / "dist", origin=origin)
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder / "site")
    shutil.copytree(
        template_folder("deploy") / "tests",
        folder / "tests",
        ignore=shutil.ignore_patterns("__pycache__"),
    )
    shutil.copy2(place / capture.golden, folder / "tests" / "golden.jsonl")
    manifest = {
        "package": "it_model",
        "version": "1.0.0",
        "signature": to_json(capture.signature),
    }
    (folder / "manifest.json").write_text(json.dumps(manifest))


def run_pytest(folder):
    """Run the tests; return the exit code and what was said."""
    ended = subprocess.run(
        [sys.executable, "-B", "-m", "pytest", "-q", "-rs", "tests"],
        cwd=folder,
        env={
            **{k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"},
            "PYTHONPATH": "site",
            "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    return ended.returncode, ended.stdout

"""A project of a user, driven by the `mlops` command as in a shell."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

NOTEBOOKS = Path(__file__).resolve().parents[1] / "notebooks"


class Project:
    """A folder with settings, a notebook and a reviewer's key."""

    def __init__(self, folder, *, settings="", notebook=None):
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "mlops.toml").write_text(settings)
        if notebook:
            shutil.copy(NOTEBOOKS / notebook, folder / notebook)
        self.environ = {
            **os.environ,
            "MLOPS_REVIEW_KEY": str(folder / "reviewer"),
            "MLOPS_QUEUE_IDLE_S": "1",
        }

    @property
    def store(self):
        return self.folder / ".mlops"

    def call(self, *words, timeout_s=300):
        """Run a verb and return the finished process, whatever its exit code."""
        command = [sys.executable, "-m", "nbship.faces.cli", *map(str, words)]
        return subprocess.run(
            command,
            cwd=self.folder,
            env=self.environ,
            capture_output=True,
            text=True,
            timeout=timeout_s,
            check=False,
        )

    def must(self, *words):
        """Run a verb that has to succeed and return its output."""
        done = self.call(*words)
        assert done.returncode == 0, (
            f"mlops {words}: {done.returncode}\n{done.stdout}\n{done.stderr}"
        )
        return done.stdout

    def records(self, pattern):
        """Read the JSON records of the store that fit, by the order of their names."""
        return [
            json.loads(path.read_text()) for path in sorted(self.store.glob(pattern))
        ]

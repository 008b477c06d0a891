"""An environment of its own, as papermill's and nbclient's own tests want it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import tomllib
from dataclasses import dataclass
from pathlib import Path

CHECKOUT = Path(__file__).parents[2]
PAPERMILL = "papermill==2.7.0"
NBCLIENT = "nbclient==0.11.0"
#: what papermill's tests need (IPython 9 lacks what one of its fixtures imports), and the engine
NEEDED = (
    PAPERMILL,
    NBCLIENT,
    "ipython<9",
    "ipykernel>=7",
    "pytest",
    "pytest-env",
    "pytest-mock",
    "moto>=5,<5.1",
    "boto3",
    "ipywidgets",
    "matplotlib",
    "black",
    "psutil",
    "nvidia-ml-py",
    "pip",
    "hatchling",
)


@dataclass(frozen=True, kw_only=True)
class Environment:
    """An interpreter, and a folder that makes nbship known to it."""

    python: Path
    #: holds nbship's entry points, as an installed distribution does
    announced: Path

    def variables(self, **told: str) -> dict[str, str]:
        """Return the variables of a process in which nbship is installed."""
        kept = {k: v for k, v in os.environ.items() if not k.startswith("MLOPS_")}
        path = [str(self.announced), str(CHECKOUT / "kernel_magics")]
        return {
            **kept,
            "PYTHONPATH": os.pathsep.join(path),
            "PYTHONHASHSEED": "0",
            "AWS_ACCESS_KEY_ID": "none",
            "AWS_SECRET_ACCESS_KEY": "none",
            "AWS_DEFAULT_REGION": "us-east-1",
            **told,
        }


def make_environment(folder: Path) -> Environment:
    """Make it from the package index that pip knows."""
    scripts = sysconfig.get_path("scripts")
    uv = shutil.which("uv", path=scripts) or shutil.which("uv") or "uv"
    target = folder / "environment"
    run(uv, "venv", "--quiet", "--python", sys.executable, target)
    python = target / "bin" / "python"
    run(uv, "pip", "install", "--quiet", "--python", python, *NEEDED)
    return Environment(python=python, announced=_announce(folder / "announced"))


def nbclient_files(environment: Environment, folder: Path) -> Path:
    """Return the fixture notebooks of nbclient's source distribution."""
    pip = (environment.python, "-m", "pip", "download", "--quiet", "--no-deps")
    source = ("--no-binary", ":all:", "--no-build-isolation", "--dest", folder)
    run(*pip, *source, NBCLIENT)
    (archive,) = folder.glob("nbclient-*.tar.gz")
    with tarfile.open(archive) as packed:
        packed.extractall(folder, filter="data")
    (files,) = folder.glob("nbclient-*/tests/files")
    return files


def run(*words: object) -> None:
    """Run a program; what it said is told where it fails."""
    done = subprocess.run(
        [str(word) for word in words], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{words[:4]}: {done.stdout}{done.stderr}"


def _announce(folder: Path) -> Path:
    """Write the entry points of this checkout as an installed distribution holds them."""
    project = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())["project"]
    known = folder / "nbship-0.dist-info"
    known.mkdir(parents=True)
    (known / "METADATA").write_text("Metadata-Version: 2.1\nName: nbship\nVersion: 0\n")
    lines = [
        f"[papermill.engine]\n{name} = {place}\n"
        for name, place in project["entry-points"]["papermill.engine"].items()
    ]
    (known / "entry_points.txt").write_text("".join(lines))
    return folder

"""Environments for peers that cannot be installed beside nbship; made once, in a cache."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

#: peer -> what its environment holds beside the libraries of the model
PACKAGES = {
    "bentoml": ("bentoml>=1.4,<2",),
    # 1.7.1 asks for an event loop that uvloop 0.22 no longer makes
    "mlserver": ("mlserver>=1.7,<2", "mlserver-sklearn>=1.7,<2", "uvloop<0.22"),
}
#: of the model: the versions that fitted it, where a peer allows them
MODEL = ("scikit-learn", "joblib")


def cache_folder() -> Path:
    """Return where environments are kept."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "nbship-benchmarks" / "serving"


def python_of(peer: str, folder: Path) -> str:
    """Return the interpreter of a peer's environment; make the environment where it lacks.

    Raises
    ------
    SystemExit
        If it cannot be made.
    """
    place = folder / peer
    python = place / "bin" / "python"
    done = place / "ready"
    if not done.is_file():
        print(f"making an environment for {peer} in {place}", flush=True)
        pins = [f"{name}=={version(name)}" for name in MODEL]
        install = [str(python), "-m", "pip", "install", "--quiet"]
        for words in (
            [sys.executable, "-m", "venv", str(place)],
            [*install, *PACKAGES[peer], *pins],
        ):
            if subprocess.run(words, check=False).returncode:
                raise SystemExit(f"no environment for {peer}: {' '.join(words)}")
        done.write_text("", "utf-8")
    return str(python)


def versions_of(python: str, names: tuple[str, ...]) -> dict[str, str]:
    """Tell what is installed in an environment."""
    code = (
        "import importlib.metadata as m, json, sys\n"
        "found = {d.metadata['Name'].lower(): d.version for d in m.distributions()}\n"
        "print(json.dumps({n: found[n] for n in sys.argv[1:] if n in found}))"
    )
    done = subprocess.run(
        [python, "-c", code, *names], capture_output=True, text=True, check=True
    )
    import json

    return json.loads(done.stdout)

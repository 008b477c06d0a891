"""Wheels of this checkout, and environments that hold only them."""

from __future__ import annotations

import os
import subprocess
import sys
import venv
from dataclasses import dataclass
from pathlib import Path

from nbship.adapters.bundles.uv import run_uv

CHECKOUT = Path(__file__).resolve().parents[2]
#: programs that a user's machine need not have
OPTIONAL_TOOLS = {
    *("git", "node", "nodejs", "npm", "npx", "corepack"),
    *("uv", "uvx", "gcc", "cc", "g++", "c++"),
}


@dataclass(frozen=True, kw_only=True)
class BareEnvironment:
    """A virtual environment whose PATH lacks git, Node, uv and gcc."""

    folder: Path
    #: what PATH is set to
    path: str

    @property
    def python(self) -> Path:
        """Its interpreter."""
        return self.folder / "bin" / "python"

    @property
    def environ(self) -> dict[str, str]:
        """The variables that its programs see."""
        kept = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")}
        return kept | {"PATH": self.path, "VIRTUAL_ENV": str(self.folder)}

    def call(
        self, *words: str, cwd: Path | None = None, timeout_s: float = 300
    ) -> subprocess.CompletedProcess[str]:
        """Run a program of the environment and return it, whatever its exit code."""
        return subprocess.run(
            [str(self.folder / "bin" / words[0]), *words[1:]],
            cwd=cwd or self.folder,
            env=self.environ,
            capture_output=True,
            text=True,
            timeout=timeout_s,
            check=False,
        )

    def must(self, *words: str, cwd: Path | None = None) -> str:
        """Run a program that has to succeed and return all it printed."""
        done = self.call(*words, cwd=cwd)
        assert done.returncode == 0, f"{words}:\n{done.stdout}\n{done.stderr}"
        return done.stdout + done.stderr


def build_wheel(folder: Path, *, checkout: Path = CHECKOUT) -> Path:
    """Build the wheel of a checkout and return its path."""
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps"]
    done = subprocess.run(
        [*command, "--wheel-dir", str(folder), str(checkout)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    (wheel,) = folder.glob("*.whl")
    return wheel


def make_bare_environment(folder: Path, *requirements: str) -> BareEnvironment:
    """Make an environment with these requirements, as on a machine without our tools."""
    venv.create(folder / "env", symlinks=True)
    tools = folder / "tools"
    tools.mkdir()
    for place in os.environ.get("PATH", os.defpath).split(os.pathsep):
        for program in sorted(Path(place).glob("*")):
            link = tools / program.name
            if program.name not in OPTIONAL_TOOLS and not link.is_symlink():
                link.symlink_to(program)
    made = BareEnvironment(
        folder=folder / "env", path=f"{folder / 'env' / 'bin'}{os.pathsep}{tools}"
    )
    words = ["pip", "install", "--python", str(made.python), *requirements]
    ended = run_uv(words, timeout_s=900)
    assert ended.code == 0, ended.errors
    return made

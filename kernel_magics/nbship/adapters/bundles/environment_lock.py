"""The lock of a whole environment: pins with hashes, and wheels of what no index has."""

from __future__ import annotations

import itertools
import re
import tempfile
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from nbship.adapters.bundles.built import build_editable, pack_source
from nbship.adapters.bundles.installed import read_installation
from nbship.adapters.bundles.packed import pack_installed
from nbship.adapters.bundles.uv import run_uv
from nbship.errors import ReleaseError
from nbship.records.capsule import CarriedWheel, LockedEnvironment
from nbship.records.digest import digest_file
from nbship.records.environment import normalized_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from nbship.adapters.bundles.installed import Installation, Installed

_TIMEOUT_S = 600
#: so often names that no index has are taken out and the rest is asked for again
_ROUNDS = 8
_PIN = re.compile(r"([A-Za-z0-9][A-Za-z0-9._-]*)==(\S+)")


@dataclass(kw_only=True, slots=True)
class Wheelhouse:
    """Collects the wheels that are carried."""

    python: str
    folder: Path
    installation: Installation
    wheels: list[CarriedWheel] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)

    def carry(self, package: Installed, reason: str) -> str:
        """Add the wheel of a distribution; return its block of the lock, "" without one."""
        try:
            path, origin = self._wheel(package)
        except (ReleaseError, OSError, ValueError) as error:
            self.missing.append(package.name)
            self.remarks.append(str(error))
            return ""
        digest = digest_file(path)
        self.wheels.append(
            CarriedWheel(
                name=normalized_name(package.name),
                version=package.version,
                file=path.name,
                digest=digest,
                reason=reason,
                origin=origin,
            )
        )
        name = normalized_name(package.name)
        return f"{name}=={package.version} \\\n    --hash=sha256:{digest}\n"

    def _wheel(self, package: Installed) -> tuple[Path, str]:
        if not package.is_editable:
            return pack_installed(package, self.installation, self.folder), "packed"
        try:
            path = build_editable(package, python=self.python, into=self.folder)
        except ReleaseError as error:
            self.remarks.append(f"{error.message}; its packages are packed as they lie")
            return pack_source(package, self.installation, self.folder), "packed"
        return path, "built"


def lock_environment(python: str, wheelhouse: Path) -> LockedEnvironment:
    """Lock everything that is installed for an interpreter.

    What an index has is pinned with the hashes it publishes. Editable, local and direct-URL
    distributions, local versions such as ``2.13.0+cpu``, and what no index has, is kept as
    wheels.

    Parameters
    ----------
    python
        The interpreter.
    wheelhouse
        The folder for the wheels; it exists.

    Raises
    ------
    KernelError
        If the interpreter does not answer.
    ReleaseError
        If uv is missing or takes too long.
    """
    installation = read_installation(python)
    house = Wheelhouse(python=python, folder=wheelhouse, installation=installation)
    wanted: dict[str, Installed] = {}
    blocks: dict[str, str] = {}
    for package in installation.packages:
        name = normalized_name(package.name)
        if reason := reason_to_carry(package):
            blocks[name] = house.carry(package, reason)
        else:
            wanted[name] = package
    blocks |= _published(wanted, python)
    for name in sorted(wanted.keys() - blocks.keys()):
        blocks[name] = house.carry(wanted[name], "not-on-an-index")
    return LockedEnvironment(
        requirements="".join(blocks[name] for name in sorted(blocks)),
        wheels=tuple(sorted(house.wheels, key=lambda wheel: wheel.name)),
        missing=tuple(house.missing),
        remarks=tuple(house.remarks),
    )


def reason_to_carry(package: Installed) -> str:
    """Say why a distribution is carried; "" where an index is asked first."""
    if package.is_editable:
        return "editable"
    if package.direct_url:
        is_here = str(package.direct_url.get("url", "")).startswith("file:")
        return "local" if is_here else "direct-url"
    return "local-version" if "+" in package.version else ""


def _published(wanted: Mapping[str, Installed], python: str) -> dict[str, str]:
    """Return the blocks of those that an index has, by name; uv's cache counts as one."""
    pins = {name: package.version for name, package in wanted.items()}
    for options in ((), ("--offline",)):
        left = dict(pins)
        for _ in range(_ROUNDS):
            if not left:
                return {}
            code, output, errors = _compile(left, python, options)
            if code == 0:
                return blocks_of(output, wanted)
            unknown = complained_about(errors, left)
            if not unknown:
                break
            left = {name: v for name, v in left.items() if name not in unknown}
    return {}


def complained_about(errors: str, pins: Iterable[str]) -> set[str]:
    """Return the names among the pins that uv's complaint names.

    It may name more than it should: what is taken for unknown is carried as a wheel, which
    serves as well.
    """
    known = set(pins)
    words = {
        normalized_name(w) for w in re.findall(r"[A-Za-z0-9][A-Za-z0-9._-]*", errors)
    }
    pinned = {normalized_name(name) for name, _ in _PIN.findall(errors)} & known
    return pinned or (words & known)


def blocks_of(lock: str, wanted: Mapping[str, Installed]) -> dict[str, str]:
    """Read uv's lock into pins with hashes, by normalised name.

    Of the wheels that fit this machine those are taken that may be the installed one. Where
    there is none, the index has another build of that version, and nothing is returned.

    Parameters
    ----------
    lock
        In the form of PEP 751.
    wanted
        What is installed, by normalised name.
    """
    blocks: dict[str, str] = {}
    for package in tomllib.loads(lock).get("packages", ()):
        name = normalized_name(package["name"])
        wheels = package.get("wheels", ())
        digests = {_file_of(wheel): wheel["hashes"].get("sha256") for wheel in wheels}
        same = same_files(tags_of(wanted[name].text("WHEEL")), digests)
        hashes = sorted(filter(None, (digests[file] for file in same)))
        if hashes:
            lines = [f"{name}=={package['version']}"]
            lines += [f"    --hash=sha256:{digest}" for digest in hashes]
            blocks[name] = " \\\n".join(lines) + "\n"
    return blocks


def same_files(tags: set[str], files: Iterable[str]) -> list[str]:
    """Return the files of wheels that may have been installed with these tags.

    Wheels that were built for ``linux`` or ``any`` are often renamed for a platform without a
    word inside.
    """
    files = list(files)
    exact = [file for file in files if tags & file_tags(file)]
    if exact or not tags:
        return exact or files
    loose = (tag for tag in tags if "-linux_" in tag or tag.endswith("-any"))
    builds = {tag.rpartition("-")[0] for tag in loose}
    return [f for f in files if builds & {t.rpartition("-")[0] for t in file_tags(f)}]


def file_tags(file: str) -> set[str]:
    """Return the tags in the name of a wheel's file, as PEP 425 compresses them."""
    parts = [part.split(".") for part in file.removesuffix(".whl").split("-")[-3:]]
    return {"-".join(tag) for tag in itertools.product(*parts)}


def tags_of(text: str) -> set[str]:
    """Return the tags in the file WHEEL of an installed distribution."""
    lines = (line.partition(":") for line in text.splitlines())
    return {value.strip() for key, _, value in lines if key == "Tag"}


def _file_of(wheel: Mapping[str, str]) -> str:
    place = wheel.get("name") or wheel.get("url") or wheel.get("path") or ""
    return unquote(urlsplit(place).path).rpartition("/")[2]


def _compile(
    pins: Mapping[str, str], python: str, options: Sequence[str]
) -> tuple[int, str, str]:
    with tempfile.TemporaryDirectory(prefix="nbship-lock-") as folder:
        source, target = Path(folder, "requirements.in"), Path(folder, "pylock.toml")
        lines = "".join(f"{name}=={version}\n" for name, version in pins.items())
        source.write_text(lines, "utf-8")
        words = [
            *("pip", "compile", "--quiet", "--format", "pylock.toml", "--no-deps"),
            *("--no-build", "--no-header", "--no-python-downloads"),
            *("--python", python),
            *("--output-file", str(target), *options, str(source)),
        ]
        ended = run_uv(words, timeout_s=_TIMEOUT_S)
        text = target.read_text("utf-8") if ended.code == 0 else ""
        return ended.code, text, ended.errors

"""Wheels, written so that equal inputs give equal bytes, and read without running anything."""

from __future__ import annotations

import io
import json
import zipfile
from typing import TYPE_CHECKING, Any

from nbship.adapters.bundles.carried import carry_local
from nbship.adapters.bundles.lock import here, lock_requirements
from nbship.adapters.bundles.wheelhouse import collect_wheels
from nbship.errors import VerificationError
from nbship.release.openapi import Asked
from nbship.release.schemas import schema_files
from nbship.release.wheel_text import wheel_files, wheel_name
from nbship.resources import shipped_module, template_folder

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from nbship.records.release import RootCapture

#: the oldest time that a zip archive can hold
_EPOCH = (1980, 1, 1, 0, 0, 0)
_MODE = 0o100644
_UNIX = 3


class WheelBuilder:
    """Builds inference packages; the lock is uv's work."""

    def build(
        self,
        capture: RootCapture,
        capture_folder: Path,
        *,
        into: Path,
        origin: Mapping[str, Any],
    ) -> Path:
        """Write the wheel into a folder; equal inputs give equal bytes.

        Parameters
        ----------
        capture
            The captured root.
        capture_folder
            Where its files lie.
        into
            The folder for the wheel; made where it is missing.
        origin
            What ``origin.json`` says: ``package`` and ``version`` at least.
        """
        contents = package_files(capture, capture_folder)
        contents["origin.json"] = _json(origin)
        asked = _asked(capture, contents["golden.jsonl"])
        for name, text in schema_files(capture, origin, asked=asked).items():
            contents[name] = text.encode()
        files = wheel_files(contents, capture=capture, origin=origin)
        into.mkdir(parents=True, exist_ok=True)
        path = into / wheel_name(str(origin["package"]), str(origin["version"]))
        path.write_bytes(zip_bytes(files))
        return path

    @property
    def platform(self) -> str:
        """The platform of this machine, as uv names it."""
        return here()

    def lock(
        self,
        requirements: Sequence[str],
        *,
        python_version: str,
        installed: Mapping[str, str] | None,
        platform: str = "",
        carried: Path | None = None,
    ) -> str:
        """Resolve requirements into a lock with hashes, keeping to what is installed.

        Raises
        ------
        NoWheelsError
            If no set of wheels satisfies them.
        ReleaseError
            If no index can be asked, or uv knows no such platform.
        """
        return lock_requirements(
            requirements,
            python_version=python_version,
            installed=installed,
            platform=platform,
            carried=carried,
        )

    def carry(self, requirements: Sequence[str], into: Path) -> None:
        """Make wheels of what this process has and no index.

        Raises
        ------
        ReleaseError
            If one cannot be made.
        """
        carry_local(requirements, into)

    def collect(
        self,
        lock: str,
        into: Path,
        *,
        python_version: str,
        carried: Path | None = None,
    ) -> None:
        """Put the wheels of a lock into a folder: carried ones, and downloaded ones.

        Raises
        ------
        ReleaseError
            If a wheel cannot be had, or is not one that the lock names.
        """
        collect_wheels(lock, into, python_version=python_version, carried=carried)

    def read(self, wheel: Path) -> dict[str, bytes]:
        """Read every file of a wheel by its name, running nothing.

        Raises
        ------
        VerificationError
            If it is no zip archive, compresses anything, or holds a path outside of itself
            or one name twice.
        """
        return read_wheel(wheel)


def package_files(capture: RootCapture, capture_folder: Path) -> dict[str, bytes]:
    """Read the files of an import package: nbship's own templates and what was captured."""
    templates = template_folder("package")
    contents = {
        path.relative_to(templates).as_posix(): path.read_bytes()
        for path in templates.rglob("*.py")
    }
    for path in capture_folder.rglob("*"):
        if path.is_file():
            name = path.relative_to(capture_folder).as_posix()
            contents[packaged_name(name, capture)] = path.read_bytes()
    return contents


def _asked(capture: RootCapture, golden: bytes) -> Asked:
    """Read off the golden cases what one instance is, as the package itself does."""
    contract = shipped_module("answering._contract")
    cases = [json.loads(line) for line in golden.splitlines() if line.strip()]
    if not cases:
        return Asked(form=capture.signature.input_form)
    form = str(contract.form_of(capture.signature.input_form, cases))
    names = [column.name for column in capture.signature.inputs]
    return Asked(form=form, example=contract.instance_of(form, cases[0], names))


def packaged_name(name: str, capture: RootCapture) -> str:
    """Return where a file of the capture lies in the package: its module is ``model.py``."""
    renamed = {capture.module: "model.py", capture.golden: "golden.jsonl"}
    return renamed.get(name, name)


def zip_bytes(files: Mapping[str, bytes]) -> bytes:
    """Write a zip archive: the order given, one time, one mode, and no compression.

    Compressed bytes differ between builds of zlib; stored ones are the same everywhere.
    """
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name, content in files.items():
            entry = zipfile.ZipInfo(name, date_time=_EPOCH)
            entry.create_system = _UNIX
            entry.external_attr = _MODE << 16
            archive.writestr(entry, content)
    return buffer.getvalue()


def read_wheel(wheel: Path) -> dict[str, bytes]:
    """Read every file of a wheel by its name, running nothing.

    Raises
    ------
    VerificationError
        If it is no zip archive, compresses anything, or holds a path outside of itself or
        one name twice.
    """
    try:
        with zipfile.ZipFile(wheel) as archive:
            entries = archive.infolist()
            _check_entries(wheel, entries)
            return {entry.filename: archive.read(entry) for entry in entries}
    except (zipfile.BadZipFile, OSError, EOFError, NotImplementedError) as error:
        raise VerificationError(
            f"{wheel.name}: cannot be read as a wheel: {error}",
            hint="Ask for the bundle again.",
        ) from error


def _check_entries(wheel: Path, entries: Sequence[zipfile.ZipInfo]) -> None:
    """Refuse what none of our wheels holds, before a byte of it is unpacked.

    They store their files as they are: an archive that unpacks to more than its own size is a
    bomb, by compression or by entries that share bytes.

    Raises
    ------
    VerificationError
        If an entry is compressed, shares its bytes, lies outside or is there twice.
    """
    names = [entry.filename for entry in entries]
    size_bytes = wheel.stat().st_size
    for entry in entries:
        if entry.compress_type != zipfile.ZIP_STORED:
            raise VerificationError(
                f"{wheel.name}: {entry.filename!r} is compressed, {entry.file_size} bytes"
                " unpacked; a package of nbship compresses nothing"
            )
    if sum(max(e.file_size, e.compress_size) for e in entries) > size_bytes:
        raise VerificationError(
            f"{wheel.name}: more bytes unpacked than the {size_bytes} of the file itself"
        )
    for name in names:
        parts = name.split("/")
        if name.startswith("/") or ".." in parts or "\\" in name or ":" in name:
            raise VerificationError(f"{wheel.name}: {name!r} lies outside of the wheel")
    if len(set(names)) != len(names):
        raise VerificationError(f"{wheel.name}: holds a name twice")


def _json(value: Mapping[str, Any]) -> bytes:
    return (json.dumps(value, indent=1, sort_keys=True) + "\n").encode()

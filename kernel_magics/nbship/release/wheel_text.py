"""The text files of a wheel, as the binary distribution format wants them."""

from __future__ import annotations

import base64
import csv
import hashlib
import io
from typing import TYPE_CHECKING, Any

from nbship.records.environment import normalized_name
from nbship.release.requirements import (
    compatible_range,
    direct_pins,
    requires_python,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nbship.records.release import RootCapture

#: what `python -m PACKAGE serve` needs beside the model: the extra ``serve``
SERVE = (
    "httptools>=0.6.4,<1",
    "msgspec>=0.19,<1",
    "numpy>=1.26",
    "uvicorn>=0.35,<1",
    "uvloop>=0.21,<1",
)


def distribution_name(package: str) -> str:
    """Return the distribution's name of an import package: ``penguin-mass``."""
    return normalized_name(package)


def wheel_stem(package: str, version: str) -> str:
    """Return the first two parts of the wheel's file name: ``penguin_mass-1.0.0``."""
    return f"{distribution_name(package).replace('-', '_')}-{version}"


def wheel_name(package: str, version: str) -> str:
    """Return the wheel's file name."""
    return f"{wheel_stem(package, version)}-py3-none-any.whl"


def wheel_files(
    contents: Mapping[str, bytes],
    *,
    capture: RootCapture,
    origin: Mapping[str, Any],
) -> dict[str, bytes]:
    """Lay out a wheel: every file by its name, in the order of the archive.

    Parameters
    ----------
    contents
        The files of the import package, by their names below it.
    capture
        The captured root.
    origin
        What ``origin.json`` says: ``package`` and ``version`` at least.
    """
    package, version = str(origin["package"]), str(origin["version"])
    info = f"{wheel_stem(package, version)}.dist-info"
    files = {f"{package}/{name}": contents[name] for name in sorted(contents)}
    files[f"{info}/METADATA"] = _metadata(capture, origin).encode()
    files[f"{info}/WHEEL"] = (
        b"Wheel-Version: 1.0\nGenerator: nbship\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    )
    files[f"{info}/RECORD"] = record_text(files, f"{info}/RECORD").encode()
    return files


def record_text(files: Mapping[str, bytes], record: str) -> str:
    """Write RECORD: path, sha256 and size of every file, its own line left open."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    for name, content in files.items():
        if name != record:
            writer.writerow((name, f"sha256={_record_hash(content)}", len(content)))
    writer.writerow((record, "", ""))
    return text.getvalue()


def record_failures(files: Mapping[str, bytes]) -> list[str]:
    """Name what differs between the files of a wheel and its RECORD."""
    records = [name for name in files if name.endswith(".dist-info/RECORD")]
    if len(records) != 1:
        return [f"{len(records)} RECORD files where 1 was expected"]
    lines = files[records[0]].decode("utf-8", "replace").splitlines()
    rows = {row[0]: row for row in csv.reader(lines) if row}
    failures = [f"{name}: missing, RECORD lists it" for name in rows.keys() - files]
    failures += [f"{name}: not in RECORD" for name in files.keys() - rows]
    for name in sorted((rows.keys() & files.keys()) - {records[0]}):
        expected = [name, f"sha256={_record_hash(files[name])}", str(len(files[name]))]
        if rows[name] != expected:
            failures.append(f"{name}: not what RECORD says")
    return sorted(failures)


def _metadata(capture: RootCapture, origin: Mapping[str, Any]) -> str:
    lines = [
        "Metadata-Version: 2.3",
        f"Name: {distribution_name(str(origin['package']))}",
        f"Version: {origin['version']}",
        f"Summary: {capture.name} of {origin.get('notebook') or 'a notebook'}, exported by nbship",
        f"Requires-Python: {requires_python(capture.python_version)}",
        *(f"Requires-Dist: {compatible_range(pin)}" for pin in direct_pins(capture)),
        "Provides-Extra: serve",
        *(f'Requires-Dist: {text}; extra == "serve"' for text in SERVE),
    ]
    return "\n".join(lines) + "\n" + _description(capture, str(origin["package"]))


def _description(capture: RootCapture, package: str) -> str:
    commands = ("verify", "info", "predict INPUT")
    return (
        "Description-Content-Type: text/markdown\n\n"
        f"`{capture.name}` with its fitted state, as a notebook left it, and recorded calls"
        " that prove it.\n\n"
        + "".join(f"- `python -m {package} {command}`\n" for command in commands)
    )


def _record_hash(content: bytes) -> str:
    digest = hashlib.sha256(content).digest()
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")

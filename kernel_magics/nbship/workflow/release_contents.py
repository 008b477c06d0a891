"""Find a release by its name or folder, and read what another one is compared with."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from nbship.errors import VerificationError
from nbship.records.digest import digest_file
from nbship.records.inspection import Inspection
from nbship.records.release import Manifest, RootCapture
from nbship.records.release_diff import DiffedRelease
from nbship.release.contents import Contents, sources_of
from nbship.release.lock_text import read_lock
from nbship.release.names import latest_version
from nbship.release.serving_lock import SERVE_LOCK
from nbship.release.sums import MANIFEST, SUMS, read_sums
from nbship.workflow.bundle_files import read_record, regular_files
from nbship.workflow.export import LOCK

if TYPE_CHECKING:
    from nbship.ports import Store
    from nbship.ports_shipping import PackageBuilder

CAPTURE = "provenance/capture.json"
GOLDEN = "tests/golden.jsonl"
PERFORMANCE = "reports/performance.json"
_NEEDED = (MANIFEST, CAPTURE, GOLDEN, LOCK)


@dataclass(frozen=True, kw_only=True, slots=True)
class Opened:
    """A release that was read."""

    folder: Path
    manifest: Manifest
    contents: Contents
    #: what it was found as, for tables
    about: DiffedRelease

    @property
    def wheel(self) -> Path:
        """The wheel's file."""
        return self.folder / self.manifest.wheel

    @property
    def lock(self) -> Path:
        """The lock that a replay installs."""
        return self.folder / LOCK


def find_release(store: Store, words: str) -> Path:
    """Return the folder of a release.

    Parameters
    ----------
    store
        Holds the releases that have names.
    words
        A bundle's folder, ``churn/1.2.0``, or ``churn`` for the newest one.

    Raises
    ------
    VerificationError
        If there is none; what there is, is named.
    """
    folder = Path(words).expanduser()
    if (folder / MANIFEST).is_file():
        return folder
    name, _, version = words.partition("/")
    place = store.releases / name
    known = released_versions(store, name) if _is_plain(name) else ()
    if known and not version:
        return place / latest_version(known)
    if version in known:
        return place / version
    if known:
        raise VerificationError(
            f"{words}: no such release; there are {', '.join(known)}",
            hint=f"Name one of them: {name}/{known[-1]}.",
        )
    names = released_names(store)
    told = f"; there are {', '.join(names)}" if names else ""
    raise VerificationError(
        f"{words}: neither a bundle's folder nor a release of this project{told}",
        hint=f"Give NAME/VERSION, or the folder that holds {MANIFEST}.",
    )


def released_names(store: Store) -> tuple[str, ...]:
    """List the names that have a release."""
    if not store.releases.is_dir():
        return ()
    places = (path.name for path in store.releases.iterdir() if path.is_dir())
    return tuple(sorted(name for name in places if released_versions(store, name)))


def released_versions(store: Store, name: str) -> tuple[str, ...]:
    """List the versions of a release, the highest last."""
    place = store.releases / name
    if not place.is_dir():
        return ()
    left = {path.parent.name for path in place.glob(f"*/{MANIFEST}")}
    ordered: list[str] = []
    while left and (latest := latest_version(left)):
        ordered.insert(0, latest)
        left.discard(latest)
    return tuple(ordered)


def open_release(folder: Path, reader: PackageBuilder) -> Opened:
    """Read a bundle; what is read must be what its checksums say.

    Raises
    ------
    VerificationError
        If a file that is needed is missing, or is not the one that was sealed.
    RecordFormatError
        If a record is none.
    """
    demand_sealed(folder)
    manifest = read_record(Manifest, folder / MANIFEST)
    capture = read_record(RootCapture, folder / CAPTURE)
    wheel = folder / manifest.wheel
    lock = folder / (SERVE_LOCK if (folder / SERVE_LOCK).is_file() else LOCK)
    lines = (folder / GOLDEN).read_text("utf-8").splitlines()
    contents = Contents(
        name=manifest.name,
        version=manifest.version,
        package=manifest.package,
        capture=capture,
        capture_digest=manifest.capture_digest,
        snapshot_digest=manifest.subject.get("snapshot", ""),
        pins=read_lock(lock.read_text("utf-8")),
        metrics=dict(manifest.metrics),
        sources=sources_of(reader.read(wheel), manifest.package),
        cases=tuple(json.loads(line) for line in lines if line.strip()),
    )
    return Opened(
        folder=folder,
        manifest=manifest,
        contents=contents,
        about=DiffedRelease(
            name=manifest.name,
            version=manifest.version,
            digest=digest_file(folder / SUMS),
            package=manifest.package,
            python_version=capture.python_version,
            wheel_bytes=wheel.stat().st_size,
            bundle_bytes=sum(p.stat().st_size for p in regular_files(folder).values()),
            installed_bytes=_installed_bytes(folder / PERFORMANCE),
        ),
    )


def demand_sealed(folder: Path) -> None:
    """Check the files that are read; the seal and all others are `mlops verify`'s.

    Raises
    ------
    VerificationError
        If one is missing, or another one.
    """
    files = regular_files(folder)
    listed: dict[str, str] = {}
    failures = [] if SUMS in files else [f"{SUMS}: missing"]
    if SUMS in files:
        listed, failures = read_sums(
            files[SUMS].read_bytes().decode("utf-8", "replace")
        )
    failures += [f"{name}: missing" for name in _NEEDED if name not in files]
    for name, path in files.items():
        if path.is_symlink() or not path.is_file():
            failures.append(f"{name}: no regular file")
        elif _is_read(name) and listed.get(name) != digest_file(path):
            failures.append(f"{name}: not what was sealed")
    if failures:
        raise VerificationError(
            "\n".join(f"{folder.name}: {failure}" for failure in failures),
            hint=f"Ask what else is wrong: mlops verify {folder}.",
        )


def _is_read(name: str) -> bool:
    is_more = name in {SERVE_LOCK, PERFORMANCE} or name.endswith(".whl")
    return is_more or name in _NEEDED


def _installed_bytes(path: Path) -> int:
    return read_record(Inspection, path).installed_bytes if path.is_file() else 0


def _is_plain(name: str) -> bool:
    return bool(name) and name not in {".", ".."}

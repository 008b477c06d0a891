"""From a captured root to an unreleased wheel with its parity proof."""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nbship.errors import ExportError
from nbship.records.codec import json_text
from nbship.records.digest import digest_file, digest_tree
from nbship.records.release import Export
from nbship.release.budgets import over_budget
from nbship.release.lock_text import lock_hashes
from nbship.release.names import check_package, check_version
from nbship.release.requirements import direct_pins
from nbship.release.wheel_text import distribution_name
from nbship.release.wheelhouse import WHEELHOUSE
from nbship.workflow.bundle_files import read_capture, writing
from nbship.workflow.pickle_scan import refuse_pickles

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from nbship.ports_shipping import PackageBuilder, Replayer
    from nbship.records.release import ParityReport, RootCapture
    from nbship.release.budgets import Budget

LOCK = "requirements.lock"


def make_export(  # noqa: PLR0913  # the fields of the record
    capture_folder: Path,
    *,
    export_folder: Path,
    package: str,
    version: str,
    export_id: str,
    at: datetime,
    builder: PackageBuilder,
    replayer: Replayer,
    origin: Mapping[str, Any] | None = None,
    installed: Mapping[str, str] | None = None,
    budget: Budget | None = None,
    carried: Path | None = None,
) -> Export:
    """Build wheel and lock of a captured root, replay them, and save the record.

    The record says whether the replay passed; ``export.json`` is written last, so that a
    folder without it is no export.

    Parameters
    ----------
    capture_folder
        The captured root; copied to ``capture/`` where it lies elsewhere.
    export_folder
        Where everything goes.
    package, version
        Import name and version of the wheel.
    export_id, at
        Identity and time of the record.
    builder, replayer
        Make and try the package.
    origin
        More that ``python -m PACKAGE info`` shall show, such as the notebook.
    installed
        Version of every distribution where the root was captured; this process's own where
        None.
    budget
        What the package may weigh; it is only measured where there is a limit.
    carried
        Wheels of what no index has, made where the root was captured; made here where
        ``installed`` is None.

    Raises
    ------
    ExportError
        If a file of the capture is missing or changed, or there is no golden case.
    ReleaseError
        If name or version cannot be used, or no lock can be made.
    VerificationError
        If no fresh environment can be made, or the package does not answer.
    StoreError
        If the file system refuses.
    """
    folder = _own_capture(capture_folder, export_folder)
    capture = read_capture(folder)
    digest = digest_tree(folder)
    facts = {
        "name": distribution_name(package),
        "package": package,
        "version": version,
        "root": capture.name,
        "export": export_id,
        "capture_digest": digest,
    } | dict(origin or {})
    with writing(export_folder):
        built = build_and_replay(
            capture,
            folder,
            into=export_folder,
            origin=facts,
            builder=builder,
            replayer=replayer,
            installed=installed,
            carried=carried,
        )
        export = Export(
            id=export_id,
            root=capture.name,
            package=package,
            version=version,
            exported_at=at,
            wheel=built.wheel.relative_to(export_folder).as_posix(),
            wheel_digest=digest_file(built.wheel),
            capture_digest=digest,
            lock_digest=digest_file(export_folder / LOCK),
            parity=built.parity,
            over_budget=_over(budget, built, capture, package=package, by=replayer),
        )
        (export_folder / "parity.json").write_text(json_text(built.parity), "utf-8")
        (export_folder / "export.json").write_text(json_text(export), "utf-8")
    return export


def _over(
    budget: Budget | None,
    built: Proven,
    capture: RootCapture,
    *,
    package: str,
    by: Replayer,
) -> tuple[str, ...]:
    if budget is None or not budget.is_set or not built.parity.passed:
        return ()
    wheel = built.wheel
    inspection = by.inspect(
        wheel,
        wheel.parents[1] / LOCK,
        package=package,
        python_version=capture.python_version,
    )
    return over_budget(
        budget,
        wheel_bytes=wheel.stat().st_size,
        capture=capture,
        inspection=inspection,
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class Proven:
    """A wheel and what its replay gave."""

    wheel: Path
    parity: ParityReport
    #: what answers, as the package decided it in a fresh environment, and why
    serving: Mapping[str, Any]


def build_and_replay(  # noqa: PLR0913  # two ports and what they are asked
    capture: RootCapture,
    capture_folder: Path,
    *,
    into: Path,
    origin: Mapping[str, Any],
    builder: PackageBuilder,
    replayer: Replayer,
    installed: Mapping[str, str] | None,
    carried: Path | None = None,
) -> Proven:
    """Write ``dist/*.whl`` and ``requirements.lock`` into a folder and replay them.

    The wheel is built twice: the second one says in ``origin.json`` what the first one decided
    to answer with, and is the one that is replayed. Where the lock pins what no index has, a
    wheelhouse of everything lies beside it.

    Raises
    ------
    ExportError
        If there is no golden case, or a file of the wheel is a pickle.
    ReleaseError
        If name or version cannot be used, or no lock can be made.
    """
    package = str(origin["package"])
    check_package(package, capture.requirements)
    check_version(str(origin["version"]))
    if not capture.golden_cases:
        raise ExportError(
            f"{capture.name}: no golden case was recorded, so nothing can be proven",
            hint=f"Call {capture.name} on some rows in the notebook, under @nbship.golden.",
        )
    version = capture.python_version
    _lock(capture, into, builder=builder, installed=installed, carried=carried)
    place = into / "dist"
    wheel = builder.build(capture, capture_folder, into=place, origin=origin)
    refuse_pickles(wheel)
    serving = replayer.serving(
        wheel, into / LOCK, package=package, python_version=version
    )
    told = {**origin, "serving": serving}
    wheel = builder.build(capture, capture_folder, into=place, origin=told)
    parity = replayer.replay(
        wheel, into / LOCK, package=package, python_version=version
    )
    return Proven(wheel=wheel, parity=parity, serving=serving)


def _lock(
    capture: RootCapture,
    into: Path,
    *,
    builder: PackageBuilder,
    installed: Mapping[str, str] | None,
    carried: Path | None,
) -> None:
    version = capture.python_version
    with tempfile.TemporaryDirectory(prefix="nbship-carried-") as name:
        if installed is None and carried is None:
            carried = Path(name)
            builder.carry(direct_pins(capture), carried)
        lock = builder.lock(
            direct_pins(capture),
            python_version=version,
            installed=installed,
            carried=carried,
        )
        (into / LOCK).write_text(lock, "utf-8")
        if uses_carried(lock, carried):
            builder.collect(
                lock, into / WHEELHOUSE, python_version=version, carried=carried
            )


def uses_carried(lock: str, carried: Path | None) -> bool:
    """Tell whether a lock pins a wheel of a folder."""
    wheels = carried.glob("*.whl") if carried is not None else ()
    known = {digest for digests in lock_hashes(lock).values() for digest in digests}
    return any(digest_file(wheel) in known for wheel in wheels)


def _own_capture(capture_folder: Path, export_folder: Path) -> Path:
    own = export_folder / "capture"
    with writing(export_folder):
        export_folder.mkdir(parents=True, exist_ok=True)
        if capture_folder.resolve() != own.resolve():
            shutil.copytree(capture_folder, own)
    return own

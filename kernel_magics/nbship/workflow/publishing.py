"""Show releases at the trackers as models: each once, whenever the tracker is there."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from nbship.errors import NbshipError
from nbship.ports import ModelTracker
from nbship.records.digest import digest_file
from nbship.records.mirror import Publication
from nbship.records.release import Manifest
from nbship.release.changelog import CHANGELOG, latest_entry
from nbship.release.lock_text import read_lock
from nbship.release.names import check_alias
from nbship.release.sums import MANIFEST, SUMS
from nbship.workflow.bundle_files import read_record
from nbship.workflow.export import LOCK
from nbship.workflow.recording import recorded_run
from nbship.workflow.release_contents import (
    GOLDEN,
    demand_sealed,
    released_names,
    released_versions,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from nbship.ports import Ledger, Store, Tracker


@dataclass(frozen=True, kw_only=True)
class Published:
    """What became of one release at one tracker."""

    #: ``churn/1.2.0``
    release: str
    tracker: str
    #: ``complete``, ``failed``, or ``not taken`` by a tracker that has no models
    state: str
    #: what the tracker calls it
    reference: str = ""
    #: why it failed
    error: str = ""


@dataclass(frozen=True, kw_only=True)
class Quay:
    """What releases are published with."""

    store: Store
    ledger: Ledger
    #: makes the trackers, anew for each release
    trackers: Callable[[], Sequence[Tracker]]
    #: of the newest release; "" sets none
    alias: str


def all_releases(store: Store) -> tuple[str, ...]:
    """List every release, the versions of a name in their order."""
    return tuple(
        f"{name}/{version}"
        for name in released_names(store)
        for version in released_versions(store, name)
    )


def publish(quay: Quay, releases: Iterable[str]) -> tuple[Published, ...]:
    """Publish releases, one after the other; a failure stops no other one.

    Parameters
    ----------
    quay
        What it is done with.
    releases
        ``churn/1.2.0`` and so on.

    Raises
    ------
    ReleaseError
        If trackers take no such alias.
    """
    check_alias(quay.alias)
    return tuple(
        _publish(quay, release, tracker)
        for release in releases
        for tracker in quay.trackers()
    )


def publication_of(store: Store, release: str, *, alias: str) -> Publication:
    """Read what trackers are told of a release.

    Parameters
    ----------
    store
        Holds it.
    release
        ``churn/1.2.0``.
    alias
        Of the newest release of that name.

    Raises
    ------
    VerificationError
        If a file is not the one that was sealed.
    RecordFormatError
        If the manifest is none.
    """
    name, _, version = release.partition("/")
    bundle = store.releases / name / version
    demand_sealed(bundle)
    manifest = read_record(Manifest, bundle / MANIFEST)
    run = recorded_run(store, manifest.run_id)
    changelog = bundle / CHANGELOG
    with (bundle / GOLDEN).open(encoding="utf-8") as lines:
        case = json.loads(next(lines))
    return Publication(
        manifest=manifest,
        digest=digest_file(bundle / SUMS),
        bundle=str(bundle.absolute()),
        experiment=run.experiment if run is not None else manifest.name,
        alias=alias if released_versions(store, name)[-1] == version else "",
        description=latest_entry(changelog.read_text("utf-8"))
        if changelog.is_file()
        else "",
        case=case,
        pins=read_lock((bundle / LOCK).read_text("utf-8")),
    )


def _publish(quay: Quay, release: str, tracker: Tracker) -> Published:
    known = quay.ledger.release_mirror(release, tracker.name)
    name, _, version = release.partition("/")
    told = Published(release=release, tracker=tracker.name, state="complete")
    if not isinstance(tracker, ModelTracker):
        return replace(told, state="not taken")
    try:
        digest = digest_file(quay.store.releases / name / version / SUMS)
        if known.digest == digest:
            return replace(told, reference=known.reference)
        publication = publication_of(quay.store, release, alias=quay.alias)
        reference = tracker.publish(publication)
    except Exception as error:  # noqa: BLE001  # a tracker may fail in any way
        text = error.message if isinstance(error, NbshipError) else str(error)
        line = f"{type(error).__name__}: {text}".splitlines()[0][:300]
        quay.ledger.save_release(replace(known, error=line))
        return replace(told, state="failed", error=line)
    quay.ledger.save_release(
        replace(known, digest=digest, reference=reference, error="")
    )
    return replace(told, reference=reference)

"""What every tracker that takes releases must do: the suite of the port ``ModelTracker``."""

from __future__ import annotations

import contextlib
import os
import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest

from nbship.adapters.store.files import FileStore
from nbship.adapters.store.ledger import SqliteLedger
from nbship.adapters.trackers.choosing import mlflow_addresses
from nbship.adapters.trackers.mlflow import MlflowTracker
from nbship.adapters.trackers.wandb import WandbTracker
from nbship.ports import ModelTracker
from nbship.records.digest import digest_file
from nbship.workflow.bundle_files import regular_files
from nbship.workflow.publishing import (
    Published,
    Quay,
    all_releases,
    publication_of,
    publish,
)
from support.models import DEARER, BareBuilder
from support.release_pairs import release_pair
from support.wandb_reader import read_offline_run


@dataclass(frozen=True, kw_only=True)
class Shown:
    """One version of a model, as a tracker shows it."""

    version: str
    digest: str
    notebook_digest: str
    verdict: str
    description: str
    is_aliased: bool


class Mlflow:
    name = "mlflow"
    reference = "models:/fares/1"

    def __init__(self, store: FileStore) -> None:
        self.store = store

    def tracker(self):
        uri, root = mlflow_addresses(self.store.folder, {})
        return MlflowTracker(uri, artifact_root=root, setting_up=contextlib.nullcontext)

    def client(self):
        return self.tracker()._client()

    def half_done(self, publication):
        """Do as if the process had died while it uploaded the model."""
        experiment = self.tracker()._experiment(publication.experiment)
        self.client().create_logged_model(
            experiment, name="fares", tags=publication.tags
        )

    def shown(self) -> list[Shown]:
        client = self.client()
        aliases = client.get_registered_model("fares").aliases
        found = client.search_model_versions("name = 'fares'")
        return [
            Shown(
                version=v.tags["mlops.version"],
                digest=v.tags["mlops.digest"],
                notebook_digest=v.tags["mlops.notebook.digest"],
                verdict=v.tags["mlops.verdict"],
                description=v.description,
                is_aliased=int(aliases.get("released", 0)) == int(v.version),
            )
            for v in sorted(found, key=lambda v: int(v.version))
        ]

    def files(self, version: str) -> set[str]:
        client = self.client()
        (found,) = [
            v
            for v in client.search_model_versions("name = 'fares'")
            if v.tags["mlops.version"] == version
        ]
        model = client.get_logged_model(found.source.removeprefix("models:/"))
        assert str(model.status) == "READY"
        folder = Path(model.artifact_location.removeprefix("file://"))
        return {path.name for path in folder.rglob("*") if path.is_file()}


class Wandb:
    name = "wandb"

    def __init__(self, store: FileStore) -> None:
        self.store = store

    def tracker(self):
        return WandbTracker(self.store.folder)

    def half_done(self, publication):
        """Do as if the process had died before it logged the artifact."""
        folder = self.store.folder / "wandb"
        left = (
            folder
            / f"offline-run-20260101_000000-release-fares-{publication.manifest.version}"
        )
        left.mkdir(parents=True)
        (left / "run-x.wandb").write_bytes(b":W&B")

    def _runs(self):
        paths = sorted((self.store.folder / "wandb").glob("offline-run-*/*.wandb"))
        return sorted(
            (read_offline_run(path) for path in paths), key=lambda r: r.run_id
        )

    def shown(self) -> list[Shown]:
        found = []
        for run in self._runs():
            (artifact,) = run.logged
            assert (run.exit_code, run.job_type) == (0, "release")
            assert (artifact.name, artifact.type) == ("fares", "model")
            data = artifact.metadata
            assert f"v{data['mlops.version']}" in artifact.aliases
            found.append(
                Shown(
                    version=data["mlops.version"],
                    digest=data["mlops.digest"],
                    notebook_digest=data["mlops.notebook.digest"],
                    verdict=data["mlops.verdict"],
                    description=artifact.description,
                    is_aliased="released" in artifact.aliases,
                )
            )
        return found

    def files(self, version: str) -> set[str]:
        (artifact,) = [
            a
            for run in self._runs()
            for a in run.logged
            if a.metadata["mlops.version"] == version
        ]
        bundle = self.store.releases / "fares" / version
        files = regular_files(bundle)
        assert set(artifact.files) == set(files)
        for name, place in artifact.files.items():
            assert digest_file(Path(place)) == digest_file(files[name])
        return {Path(name).name for name in artifact.files}


@pytest.fixture(scope="module")
def released(tmp_path_factory) -> Path:
    """A project with ``fares`` 1.0.0 and 1.1.0, and MLflow's empty database beside it."""
    folder = tmp_path_factory.mktemp("released")
    case, _ = release_pair(folder, DEARER, builder=BareBuilder())
    Mlflow(FileStore(folder / "empty")).client().search_experiments()
    shutil.copy(folder / "empty" / "mlflow.db", case.store.folder)
    return case.project


@pytest.fixture
def store(tmp_path, released) -> FileStore:
    shutil.copytree(released, tmp_path, dirs_exist_ok=True)
    return FileStore(tmp_path / ".mlops")


@pytest.fixture(params=[Mlflow, Wandb], ids=["mlflow", "wandb"])
def side(request, store):
    return request.param(store)


def quay(side, alias="released") -> Quay:
    return Quay(
        store=side.store,
        ledger=SqliteLedger(side.store.folder / "shipping.sqlite"),
        trackers=lambda: (side.tracker(),),
        alias=alias,
    )


def expected(side, *versions: str, newest: str = "1.1.0") -> list[Shown]:
    found = []
    for version in versions:
        told = publication_of(side.store, f"fares/{version}", alias="released")
        found.append(
            Shown(
                version=version,
                digest=digest_file(
                    side.store.releases / "fares" / version / "SHA256SUMS"
                ),
                notebook_digest=told.manifest.subject["snapshot"],
                verdict=told.manifest.verdict_id,
                description=told.description,
                is_aliased=version == newest,
            )
        )
    return found


def test_our_trackers_take_models(side):
    assert isinstance(side.tracker(), ModelTracker)


def test_releases_are_shown_with_version_alias_and_what_they_rest_on(side):
    done = publish(quay(side), all_releases(side.store))

    assert [(p.release, p.state, p.error) for p in done] == [
        ("fares/1.0.0", "complete", ""),
        ("fares/1.1.0", "complete", ""),
    ]
    shown = side.shown()
    assert shown == expected(side, "1.0.0", "1.1.0")
    assert shown[1].description.startswith("## [1.1.0] - 2026-11-23\n\nFollows 1.0.0")
    assert "## [1.0.0]" not in shown[1].description
    files = side.files("1.1.0")
    assert {"fares-1.1.0-py3-none-any.whl", "HANDOFF.md", "SHA256SUMS.sig"} <= files
    assert not [name for name in files if name.endswith((".pkl", ".pickle", ".joblib"))]


def test_publishing_again_gives_one_version_also_without_the_ledger(side):
    publish(quay(side), all_releases(side.store))
    references = [p.reference for p in publish(quay(side), all_releases(side.store))]
    (side.store.folder / "shipping.sqlite").unlink()
    again = publish(quay(side), all_releases(side.store))

    assert {p.state for p in again} == {"complete"}
    assert side.shown() == expected(side, "1.0.0", "1.1.0")
    if side.name == "mlflow":
        assert [p.reference for p in again] == references


def test_an_older_release_that_comes_later_leaves_the_alias_alone(side):
    publish(quay(side), ["fares/1.1.0"])
    publish(quay(side), ["fares/1.0.0"])

    aliased = {shown.version: shown.is_aliased for shown in side.shown()}
    assert aliased == {"1.0.0": False, "1.1.0": True}


def test_what_a_process_left_half_done_is_finished_by_the_next(side):
    told = publication_of(side.store, "fares/1.1.0", alias="released")
    side.half_done(told)

    (done,) = publish(quay(side), ["fares/1.1.0"])

    assert done.state == "complete"
    assert side.shown() == expected(side, "1.1.0")


def test_without_an_alias_none_is_set(side):
    publish(quay(side, alias=""), ["fares/1.1.0"])

    assert side.shown() == expected(side, "1.1.0", newest="none")


def test_a_bundle_that_is_not_what_was_sealed_is_not_published(side):
    golden = side.store.releases / "fares" / "1.1.0" / "tests" / "golden.jsonl"
    golden.write_text(golden.read_text().replace('"A"', '"B"', 1))

    failed, fine = publish(quay(side), ["fares/1.1.0", "fares/1.0.0"])

    assert (failed.state, fine.state) == ("failed", "complete")
    assert failed.error == (
        "VerificationError: 1.1.0: tests/golden.jsonl: not what was sealed"
    )
    mirror = quay(side).ledger.release_mirror("fares/1.1.0", side.name)
    assert (mirror.digest, mirror.error) == ("", failed.error)


def test_the_address_of_the_process_is_left_as_it_was(store, monkeypatch):
    import mlflow

    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    before = mlflow.is_tracking_uri_set()

    publish(quay(Mlflow(store)), ["fares/1.1.0"])

    assert "MLFLOW_TRACKING_URI" not in os.environ
    assert mlflow.is_tracking_uri_set() == before


def test_a_tracker_without_models_is_left_out(store):
    class Plain:
        name = "plain"
        is_resumable = True

    port = Quay(
        store=store,
        ledger=SqliteLedger(store.folder / "shipping.sqlite"),
        trackers=lambda: (Plain(),),
        alias="released",
    )

    assert publish(port, ["fares/1.1.0"]) == (
        Published(release="fares/1.1.0", tracker="plain", state="not taken"),
    )

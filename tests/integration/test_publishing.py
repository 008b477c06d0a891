"""Releases on their way to the trackers: behind ``mlops release``, and by ``mlops sync``."""

from __future__ import annotations

import json
import shutil
import socket
from pathlib import Path

import pytest

from nbship.adapters.store.files import FileStore
from nbship.adapters.store.ledger import SqliteLedger
from nbship.workbench import Workbench
from support.commands import LONG_S, mlops
from support.live_kernel import wait_until
from support.models import DEARER, BareBuilder
from support.release_pairs import release_pair


@pytest.fixture(scope="module")
def released(tmp_path_factory) -> Path:
    """A project with ``fares`` 1.0.0 and 1.1.0."""
    case, _ = release_pair(
        tmp_path_factory.mktemp("released"), DEARER, builder=BareBuilder()
    )
    return case.project


@pytest.fixture
def project(tmp_path, released) -> Path:
    return Path(shutil.copytree(released, tmp_path / "project"))


def mirror(project: Path, release: str, tracker: str):
    ledger = SqliteLedger(project / ".mlops" / "shipping.sqlite")
    return ledger.release_mirror(release, tracker)


def versions(project: Path) -> list[str]:
    from mlflow import MlflowClient

    client = MlflowClient(f"sqlite:///{project}/.mlops/mlflow.db")
    found = client.search_model_versions("name = 'fares'")
    return sorted(version.tags["mlops.version"] for version in found)


def shippers(project: Path) -> list[str]:
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            command = path.read_bytes().replace(b"\0", b" ").decode()
        except OSError:
            continue
        if "release_shipper" in command and str(project) in command:
            found.append(command)
    return found


@pytest.mark.full
def test_a_process_of_its_own_publishes_and_ends(project):
    Workbench.over(project / ".mlops").start_release_shipper()

    wait_until(
        lambda: (
            mirror(project, "fares/1.1.0", "mlflow").digest
            and mirror(project, "fares/1.1.0", "wandb").digest
        ),
        what="the releases to be published",
        timeout_s=LONG_S,
    )
    wait_until(lambda: not shippers(project), what="the shipper to end")
    assert versions(project) == ["1.0.0", "1.1.0"]
    # nothing is added to what was sealed
    assert mlops(project, "verify", ".mlops/releases/fares/1.1.0").stdout.count(
        "FAILED"
    ) == 0  # fmt: skip


@pytest.mark.full
def test_a_tracker_that_is_down_loses_nothing_and_sync_brings_it_later(project):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        dead = f"http://127.0.0.1:{probe.getsockname()[1]}"
    environ = {"MLOPS_TRACKERS": "mlflow"}

    refused = mlops(project, "sync", "fares/1.1.0", MLFLOW_TRACKING_URI=dead, **environ)
    told = mirror(project, "fares/1.1.0", "mlflow")
    done = mlops(project, "sync", "fares/1.1.0", "--json", **environ)
    again = mlops(project, "sync", "fares/1.1.0", **environ)

    assert (refused.returncode, done.returncode, again.returncode) == (1, 0, 0)
    assert refused.stdout.startswith("fares/1.1.0 at mlflow: failed: MlflowException")
    assert (told.digest, told.error.startswith("MlflowException")) == ("", True)
    (published,) = json.loads(done.stdout)
    assert published == {
        "release": "fares/1.1.0",
        "tracker": "mlflow",
        "state": "complete",
        "reference": "models:/fares/1",
        "error": "",
    }
    assert again.stdout == "fares/1.1.0 at mlflow: complete: models:/fares/1\n"
    assert versions(project) == ["1.1.0"]
    assert mirror(project, "fares/1.1.0", "mlflow").error == ""


def test_sync_without_names_brings_runs_and_releases(project):
    done = mlops(project, "sync", MLOPS_TRACKERS="wandb")

    lines = done.stdout.splitlines()
    assert done.returncode == 0, done.stderr
    assert lines[0] == "wandb: 1 complete"
    assert [line.partition(": complete")[0] for line in lines[1:]] == [
        "fares/1.0.0 at wandb",
        "fares/1.1.0 at wandb",
    ]


def test_an_unknown_release_and_a_reserved_alias_are_refused(project):
    unknown = mlops(project, "sync", "fares/7.0.0")
    reserved = mlops(project, "sync", "fares/1.1.0", MLOPS_RELEASE_ALIAS="latest")

    assert (unknown.returncode, reserved.returncode) == (2, 3)
    assert "mlops sync fares/7.0.0: no such release" in unknown.stderr
    assert "There are fares/1.0.0, fares/1.1.0." in unknown.stderr
    assert "setting release.alias: 'latest' is no alias" in reserved.stderr


def test_a_release_is_published_under_the_experiment_of_its_run(project):
    from nbship.workflow.publishing import publication_of

    store = FileStore(project / ".mlops")

    told = publication_of(store, "fares/1.0.0", alias="released")

    assert (told.experiment, told.alias) == ("penguins", "")
    assert told.tags["mlops.release"] == "fares/1.0.0"
    assert told.tags["mlops.parity"] == "proven"

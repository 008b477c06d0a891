"""What every tracker must do: the suite of the port ``Tracker``."""

from __future__ import annotations

import contextlib
import json
import math
import shutil
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from nbship.adapters.store.files import FileStore
from nbship.adapters.store.ledger import SqliteLedger
from nbship.adapters.trackers.choosing import mlflow_addresses
from nbship.adapters.trackers.mlflow import MlflowTracker
from nbship.adapters.trackers.naming import original_name
from nbship.adapters.trackers.wandb import WandbTracker
from nbship.records.run import RunStatus
from nbship.workflow.recording import load_run
from nbship.workflow.shipping import Shipment, stepped
from support import sample_run
from support.wandb_reader import read_offline_run

if TYPE_CHECKING:
    from pathlib import Path

    from nbship.records.run import Run


@dataclass(kw_only=True)
class Mirrored:
    """What a tracker shows of a run, in the words of the journal."""

    experiment: str = ""
    values: dict = field(default_factory=dict)
    metrics: list = field(default_factory=list)
    tags: dict = field(default_factory=dict)
    notes: str = ""
    status: str = ""
    commit: str = ""
    files: set = field(default_factory=set)


class Mlflow:
    name = "mlflow"

    def __init__(self, store: FileStore) -> None:
        self.store = store

    def tracker(self):
        uri, root = mlflow_addresses(self.store.folder, {})
        return MlflowTracker(uri, artifact_root=root, setting_up=contextlib.nullcontext)

    def abandon(self, tracker):
        """Do as if the tracker's process had died."""

    def runs(self):
        from mlflow import MlflowClient

        client = MlflowClient(mlflow_addresses(self.store.folder, {})[0])
        experiments = client.search_experiments(filter_string="name = 'tariffs'")
        return client, client.search_runs([e.experiment_id for e in experiments])

    def mirrored(self) -> Mirrored:
        client, (run,) = self.runs()
        tags = run.data.tags
        metrics = [
            (original_name(name), m.step, m.value)
            for name in run.data.metrics
            for m in client.get_metric_history(run.info.run_id, name)
        ]
        ours = {
            k: v for k, v in tags.items() if not k.startswith(("mlflow.", "mlops."))
        }
        return Mirrored(
            experiment=client.get_experiment(run.info.experiment_id).name,
            values=dict(run.data.params),
            metrics=metrics,
            tags=ours,
            notes=tags.get("mlflow.note.content", ""),
            status=tags["mlops.status"],
            commit=tags["mlflow.source.git.commit"],
            files=_files(client, run.info.run_id),
        )


def _files(client, run_id, folder=None):
    found = set()
    for entry in client.list_artifacts(run_id, folder):
        found |= _files(client, run_id, entry.path) if entry.is_dir else {entry.path}
    return found


class Wandb:
    name = "wandb"

    def __init__(self, store: FileStore) -> None:
        self.store = store

    def tracker(self):
        return WandbTracker(self.store.folder)

    def abandon(self, tracker):
        """Do as if the tracker's process had died."""
        tracker._run.finish(exit_code=1)

    def files(self):
        return sorted((self.store.folder / "wandb").glob("offline-run-*/*.wandb"))

    def mirrored(self) -> Mirrored:
        (path,) = self.files()
        run = read_offline_run(path)
        metrics = [
            (name, row["mlops/step"], _number(value))
            for row in run.history
            for name, value in row.items()
            if not name.startswith(("_", "mlops/"))
        ]
        facts = run.config.pop("mlops")
        run.config.pop("_wandb", None)
        exit_codes = {"succeeded": 0, "failed": 1, "interrupted": 130, "killed": 137}
        assert run.exit_code in {None, exit_codes.get(facts["status"])}
        return Mirrored(
            experiment=run.project,
            values={
                k: v if isinstance(v, str) else json.dumps(v)
                for k, v in run.config.items()
            },
            metrics=metrics,
            tags=facts["tags"],
            notes=run.notes,
            status=facts["status"],
            commit=run.git_commit,
            files=set(run.artifacts),
        )


def _number(value):
    return float(value) if isinstance(value, str) else value


@pytest.fixture(scope="module")
def empty_database(tmp_path_factory) -> Path:
    """Make MLflow's empty database once: its migrations take seconds."""
    folder = tmp_path_factory.mktemp("mlflow")
    Mlflow(FileStore(folder)).runs()
    return folder / "mlflow.db"


@pytest.fixture
def store(tmp_path: Path, empty_database: Path) -> FileStore:
    (tmp_path / ".mlops").mkdir()
    shutil.copy(empty_database, tmp_path / ".mlops")
    return FileStore(tmp_path / ".mlops")


@pytest.fixture(params=[Mlflow, Wandb], ids=["mlflow", "wandb"])
def side(request, store):
    return request.param(store)


def shipment(side) -> Shipment:
    ledger = SqliteLedger(side.store.folder / "shipping.sqlite")
    return Shipment(
        sample_run.RUN_ID, store=side.store, tracker=side.tracker(), ledger=ledger
    )


def told(run: Run) -> Mirrored:
    """Say what the journal tells, as a tracker should show it."""
    return Mirrored(
        experiment=run.experiment,
        values={
            k: v if isinstance(v, str) else json.dumps(v) for k, v in run.values.items()
        },
        metrics=[(m.name, m.step, m.value) for m in stepped(run.metrics)],
        tags=dict(run.tags),
        notes="\n\n".join(run.notes),
        status=run.status.value,
        commit=run.git.commit if run.git else "",
        files={"notebook/executed.ipynb", "environment/environment.json"},
    )


def assert_equal(side) -> None:
    run = load_run(side.store, sample_run.RUN_ID)
    found, expected = side.mirrored(), told(run)
    assert _sorted(found.metrics) == _sorted(expected.metrics)
    found.metrics = expected.metrics = []
    assert found == expected


def _sorted(metrics):
    return sorted((n, s, "nan" if math.isnan(v) else v) for n, s, v in metrics)


@pytest.mark.parametrize(
    "status",
    [
        RunStatus.SUCCEEDED,
        RunStatus.FAILED,
        RunStatus.INTERRUPTED,
        RunStatus.KILLED,
    ],
)
def test_a_finished_run_is_mirrored_whole(side, status):
    sample_run.finish(sample_run.begin(side.store), status)
    assert shipment(side).advance().is_closed
    assert_equal(side)


def test_a_run_is_mirrored_while_it_grows(side):
    recorder = sample_run.begin(side.store)
    ship = shipment(side)
    assert not ship.advance().is_closed
    sample_run.finish(recorder)
    assert ship.advance().is_closed
    assert_equal(side)


def test_another_process_goes_on_where_one_stopped(side):
    recorder = sample_run.begin(side.store)
    first = shipment(side)
    first.advance()
    side.abandon(first.tracker)
    sample_run.finish(recorder)
    assert shipment(side).advance().is_closed
    assert_equal(side)


def test_repeating_a_shipment_from_the_start_changes_nothing(side):
    sample_run.finish(sample_run.begin(side.store))
    shipment(side).advance()
    (side.store.folder / "shipping.sqlite").unlink()
    assert shipment(side).advance().is_closed
    assert_equal(side)


def test_a_closed_mirror_is_left_alone(side):
    sample_run.finish(sample_run.begin(side.store))
    shipment(side).advance()
    assert shipment(side).advance().is_closed
    assert_equal(side)


def test_a_value_that_changes_shows_its_last_state(side):
    recorder = sample_run.begin(side.store)
    ship = shipment(side)
    ship.advance()
    recorder.value("alpha", 0.75)
    sample_run.finish(recorder)
    ship.advance()
    if side.name == "wandb":
        assert side.mirrored().values["alpha"] == "0.75"
    else:  # MLflow's parameters cannot change: the first stays, a tag tells the last
        _, (run,) = side.runs()
        assert run.data.params["alpha"] == "0.5"
        assert run.data.tags["mlops.value.alpha"] == "0.75"


def test_a_file_can_be_attached_to_a_closed_mirror_or_is_declined(side, tmp_path):
    sample_run.finish(sample_run.begin(side.store))
    reference = shipment(side).advance().reference
    report = tmp_path / "report.html"
    report.write_text("<p>fine</p>")
    taken = side.tracker().attach(reference, report, "report")
    assert taken is (side.name == "mlflow")
    assert ("report/report.html" in side.mirrored().files) is taken

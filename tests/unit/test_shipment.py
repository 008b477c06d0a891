"""A shipment survives a tracker that fails at any call."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from nbship.adapters.store.files import FileStore
from nbship.adapters.store.ledger import SqliteLedger
from nbship.records.mirror import Attachment, Mirror
from nbship.workflow.recording import load_run
from nbship.workflow.shipping import Shipment, stepped
from support import sample_run

if TYPE_CHECKING:
    from pathlib import Path


class FakeTracker:
    """A tracker in memory that fails when it is told to."""

    name = "fake"

    def __init__(self, *, is_resumable: bool = True) -> None:
        self.is_resumable = is_resumable
        self.fails_at = ""
        self.metrics: list = []
        self.closed = None
        self.files: dict[str, Path] = {}

    def open(self, run):
        self._maybe_fail("open")
        if not self.is_resumable:
            self.metrics = []
        return f"mirror of {run.id}"

    def write(self, reference, run, metrics):
        del reference, run
        self._maybe_fail("write")
        self.metrics += metrics

    def close(self, reference, run, files):
        del reference
        self._maybe_fail("close")
        self.closed, self.files = run, dict(files)

    def attach(self, reference, path, folder):
        self._maybe_fail("attach")
        self.files[f"{folder}/{path.name}"] = reference
        return True

    def _maybe_fail(self, call):
        if self.fails_at == call:
            raise ConnectionError("down")


@pytest.fixture
def store(tmp_path):
    return FileStore(tmp_path / ".mlops")


@pytest.fixture
def ledger(store):
    return SqliteLedger(store.folder / "shipping.sqlite")


def shipment(store, ledger, tracker):
    return Shipment(sample_run.RUN_ID, store=store, tracker=tracker, ledger=ledger)


@pytest.mark.parametrize("is_resumable", [True, False])
@pytest.mark.parametrize("call", ["open", "write", "close"])
def test_a_failure_loses_and_doubles_nothing(store, ledger, call, is_resumable):
    recorder = sample_run.begin(store)
    tracker = FakeTracker(is_resumable=is_resumable)
    ship = shipment(store, ledger, tracker)
    if call != "open":
        ship.advance()
    sample_run.finish(recorder)
    tracker.fails_at = call
    with pytest.raises(ConnectionError) as caught:
        ship.advance()
    ship.fail(caught.value)
    assert ledger.mirror(sample_run.RUN_ID, "fake").error == "ConnectionError: down"
    tracker.fails_at = ""
    assert ship.advance().is_closed
    run = load_run(store, sample_run.RUN_ID)
    assert [(m.name, m.step, m.at) for m in tracker.metrics] == [
        (m.name, m.step, m.at) for m in stepped(run.metrics)
    ]
    assert tracker.closed.status is run.status


def test_a_run_that_has_not_begun_is_no_mirror(store, ledger):
    mirror = shipment(store, ledger, FakeTracker()).advance()
    assert mirror == Mirror(run_id=sample_run.RUN_ID, tracker="fake")


def test_an_ended_run_stays_open_while_events_may_come(store, ledger):
    sample_run.finish(sample_run.begin(store))
    ship = shipment(store, ledger, FakeTracker())
    assert not ship.advance(may_close=False).is_closed
    assert ship.has_ended
    assert ship.advance().is_closed


def test_the_closed_mirror_has_the_executed_notebook(store, ledger):
    import nbformat

    sample_run.finish(sample_run.begin(store))
    tracker = FakeTracker()
    shipment(store, ledger, tracker).advance()
    notebook = nbformat.read(tracker.files["notebook/executed.ipynb"], as_version=4)
    nbformat.validate(notebook)
    assert notebook.cells[0].outputs[0].text == "hello\n"


def test_an_attachment_waits_until_the_tracker_takes_it(store, ledger):
    sample_run.finish(sample_run.begin(store))
    tracker = FakeTracker()
    shipment(store, ledger, tracker).advance()
    store.write_bytes(b"x", store.folder / "reports" / "r.html")
    late = Attachment(
        run_id=sample_run.RUN_ID, tracker="fake", path="reports/r.html", folder="report"
    )
    ledger.add_attachment(late)
    tracker.fails_at = "attach"
    with pytest.raises(ConnectionError):
        shipment(store, ledger, tracker).advance()
    assert ledger.attachments(sample_run.RUN_ID, "fake") == (late,)
    tracker.fails_at = ""
    shipment(store, ledger, tracker).advance()
    assert tracker.files["report/r.html"] == f"mirror of {sample_run.RUN_ID}"
    assert ledger.attachments(sample_run.RUN_ID, "fake") == ()


def test_metrics_without_a_step_are_counted_by_name(store):
    recorder = sample_run.begin(store)
    recorder.metric("other", 1)
    metrics = stepped(load_run(store, sample_run.RUN_ID).metrics)
    assert [(m.name, m.step) for m in metrics] == [
        ("loss", 0),
        ("loss", 1),
        ("loss", 2),
        ("recall@5", 0),
        ("other", 0),
    ]

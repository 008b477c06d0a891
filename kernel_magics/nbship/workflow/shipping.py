"""Mirror runs at trackers: from the journal, in the journal's order, repeatable at any point."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from nbship.capture.rebuild import executed_notebook
from nbship.records.codec import json_text
from nbship.records.run import RunStatus
from nbship.workflow.following import RunReader

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from nbship.ports import Ledger, Store, Tracker
    from nbship.records.mirror import Mirror
    from nbship.records.run import Metric, Run


class Shipment:
    """One run on its way to one tracker.

    Parameters
    ----------
    run_id
        The run.
    store
        Holds its journal and files.
    tracker
        Where it is mirrored.
    ledger
        Remembers how far it is.
    """

    def __init__(
        self, run_id: str, *, store: Store, tracker: Tracker, ledger: Ledger
    ) -> None:
        self.run_id = run_id
        self.tracker = tracker
        self.has_ended = False
        self._store = store
        self._ledger = ledger
        self._mirror = ledger.mirror(run_id, tracker.name)
        self._reader = RunReader(store, run_id)
        self._is_open = False

    def advance(self, *, may_close: bool = True) -> Mirror:
        """Bring the mirror up to the journal; close it where the run has ended.

        Parameters
        ----------
        may_close
            False while events may still be added to an ended run.

        Raises
        ------
        Exception
            Whatever the tracker raises; the mirror stays where it was and the call may be
            repeated.
        """
        if self._mirror.is_closed:
            self.has_ended = True
            self._attach()
            return self._mirror
        has_news = self._reader.read()
        if not self._reader.has_started:
            return self._mirror
        run = self._reader.run()
        self.has_ended = run.status is not RunStatus.RUNNING
        if has_news or not self._is_open:
            self._write(run)
        if self.has_ended and may_close:
            self.tracker.close(self._mirror.reference, run, self._files(run))
            self._keep(replace(self._mirror, is_closed=True, error=""))
            self._attach()
        return self._mirror

    def fail(self, error: Exception) -> None:
        """Remember why the last attempt failed; the next one opens the mirror again."""
        self._is_open = False
        text = f"{type(error).__name__}: {error}".splitlines()[0][:300]
        self._keep(replace(self._mirror, error=text))

    def _write(self, run: Run) -> None:
        if not self._is_open:
            reference = self.tracker.open(run)
            known = self._mirror.metrics if self.tracker.is_resumable else 0
            self._keep(replace(self._mirror, reference=reference, metrics=known))
            self._is_open = True
        fresh = stepped(run.metrics)[self._mirror.metrics :]
        self.tracker.write(self._mirror.reference, run, fresh)
        self._keep(replace(self._mirror, metrics=len(run.metrics), error=""))

    def _keep(self, mirror: Mirror) -> None:
        if mirror != self._mirror:
            self._ledger.save(mirror)
            self._mirror = mirror

    def _attach(self) -> None:
        for attachment in self._ledger.attachments(self.run_id, self.tracker.name):
            path = self._store.folder / attachment.path
            if path.is_file():
                self.tracker.attach(self._mirror.reference, path, attachment.folder)
            self._ledger.drop_attachment(attachment)

    def _files(self, run: Run) -> dict[str, Path]:
        folder = self._store.run_folder(self.run_id)
        files = {
            f"{_place(artifact.name)}{artifact.name}": folder / artifact.path
            for artifact in run.artifacts
        }
        if run.cells and run.origin == "live":  # a job keeps its own executed notebook
            path = folder / "executed.ipynb"
            self._store.write_bytes(_as_bytes(run, folder), path)
            files["notebook/executed.ipynb"] = path
        if run.environment is not None:
            path = folder / "environment.json"
            self._store.save(run.environment, path)
            files["environment/environment.json"] = path
        return {name: path for name, path in files.items() if path.is_file()}


def stepped(metrics: Sequence[Metric]) -> tuple[Metric, ...]:
    """Give every metric a step: its own, else its position among those of its name."""
    counts: dict[str, int] = {}
    done = []
    for metric in metrics:
        count = counts.get(metric.name, 0)
        counts[metric.name] = count + 1
        done.append(metric if metric.step is not None else replace(metric, step=count))
    return tuple(done)


def _place(name: str) -> str:
    return "notebook/" if name.endswith(".ipynb") else "files/"


def _as_bytes(run: Run, folder: Path) -> bytes:
    def read_blob(digest: str) -> bytes | None:
        path = folder / "blobs" / digest
        return path.read_bytes() if path.is_file() else None

    text = json_text(executed_notebook(run, read_blob))
    return text.encode("utf-8", "surrogatepass")

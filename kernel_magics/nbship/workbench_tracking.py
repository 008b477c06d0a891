"""The part of the workbench that mirrors runs and releases at trackers."""

from __future__ import annotations

import os
import sys
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from contextlib import AbstractContextManager
    from pathlib import Path

    from nbship.adapters.store.files import FileStore
    from nbship.adapters.store.ledger import SqliteLedger
    from nbship.ports import Tracker
    from nbship.settings import Settings
    from nbship.workflow.publishing import Quay
    from nbship.workflow.shipping import Shipment


class TrackingBench:
    """Wires the trackers; :class:`nbship.workbench.Workbench` has the rest."""

    settings: Settings

    @cached_property
    def store(self) -> FileStore:
        """``.mlops/`` of the project."""
        from nbship.adapters.store.files import FileStore

        return FileStore(self.settings.store)

    @cached_property
    def ledger(self) -> SqliteLedger:
        """How far each run is mirrored."""
        from nbship.adapters.store.ledger import SqliteLedger

        return SqliteLedger(self.settings.store / "shipping.sqlite")

    def trackers(self) -> tuple[Tracker, ...]:
        """Make the trackers that the settings name, each for one run.

        Raises
        ------
        SettingsError
            If neither nbship nor a plug-in has a tracker of that name.
        """
        from nbship.adapters.trackers.choosing import make_tracker

        store, environ = self.settings.store, os.environ
        return tuple(
            make_tracker(
                name, store=store, environ=environ, setting_up=self._mlflow_lock
            )
            for name in self.settings.trackers
        )

    def _mlflow_lock(self) -> AbstractContextManager[bool]:
        from nbship.adapters.store.locks import file_lock

        return file_lock(self.settings.store / "mlflow.lock", wait_s=120.0)

    def shipments(self, run_id: str) -> tuple[Shipment, ...]:
        """Put a run on its way to every tracker."""
        from nbship.workflow.shipping import Shipment

        return tuple(
            Shipment(run_id, store=self.store, tracker=tracker, ledger=self.ledger)
            for tracker in self.trackers()
        )

    def shipping_lock(
        self, run_id: str, *, wait_s: float
    ) -> AbstractContextManager[bool]:
        """Hold a run's shipping apart from other processes."""
        from nbship.adapters.store.locks import file_lock

        return file_lock(self.store.run_folder(run_id) / ".shipper.lock", wait_s=wait_s)

    def start_shipper(
        self, run_id: str, *, watch_pid: int | None = None, is_mirroring: bool = True
    ) -> int:
        """Start the detached process that mirrors a run; see ``nbship.faces.shipper``."""
        from nbship.adapters.probes.processes import start_detached

        words = [
            sys.executable,
            "-m",
            "nbship.faces.shipper",
            str(self.store.folder),
            run_id,
        ]
        words += ["--project", str(self.settings.project)]
        words += ["--watch-pid", str(watch_pid)] if watch_pid else []
        words += [] if is_mirroring else ["--watch-only"]
        log = self.store.run_folder(run_id) / "shipper.log"
        return start_detached(words, environ={}, log=log)

    @property
    def quay(self) -> Quay:
        """What releases are published with."""
        from nbship.workflow.publishing import Quay

        return Quay(
            store=self.store,
            ledger=self.ledger,
            trackers=self.trackers,
            alias=self.settings.alias,
        )

    def publishing_lock(self, *, wait_s: float) -> AbstractContextManager[bool]:
        """Hold the publishing of releases apart from other processes."""
        from nbship.adapters.store.locks import file_lock

        return file_lock(self.settings.store / "publishing.lock", wait_s=wait_s)

    def start_release_shipper(self) -> None:
        """Start the detached process that publishes releases, where trackers are set."""
        from nbship.adapters.probes.processes import start_detached

        if not self.settings.trackers:
            return
        folder = self.store.folder
        words = [sys.executable, "-m", "nbship.faces.release_shipper", str(folder)]
        words += ["--project", str(self.settings.project)]
        start_detached(words, environ={}, log=folder / "publishing.log")

    def birth_of(self, pid: int) -> str | None:
        """Return a token that tells a process from a later one of that pid; None if dead."""
        from nbship.adapters.probes.processes import birth_of

        return birth_of(pid)

    def serve_mlflow(self, port: int) -> str:
        """Serve MLflow's pages over our store until they are stopped; return what to say then."""
        from nbship.adapters.trackers.mlflow_pages import serve

        return serve(self.settings.store, port=port, setting_up=self._mlflow_lock)

    def attach_to_trackers(self, run_id: str, path: Path, folder: str) -> None:
        """Show a file of the store with a run at every tracker that takes one later.

        A process of its own sends it; what it cannot send, ``mlops sync`` will.

        Parameters
        ----------
        run_id
            The run.
        path
            A file in the store, such as a report.
        folder
            Folder among the run's artifacts.
        """
        from nbship.records.mirror import Attachment

        place = path.absolute().relative_to(self.store.folder.absolute()).as_posix()
        for tracker in self.settings.trackers:
            self.ledger.add_attachment(
                Attachment(run_id=run_id, tracker=tracker, path=place, folder=folder)
            )
        if self.settings.trackers:
            self.start_shipper(run_id)

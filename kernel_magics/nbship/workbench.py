"""The composition root: settings in, ports wired to adapters out.

Nothing else picks an adapter. Each port is made when it is first asked for, so that a verb
pays only for what it uses.
"""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nbship.errors import NbshipError
from nbship.ports import Grant
from nbship.records.ids import make_id
from nbship.settings import Settings, find_project, read_settings
from nbship.workbench_capsule import CapsuleBench
from nbship.workbench_releasing import ReleasingBench
from nbship.workbench_sweeps import SweepBench
from nbship.workbench_tracking import TrackingBench
from nbship.workbench_verifying import VerifyingBench

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from nbship.adapters.bundles.ssh_seal import SshSealer
    from nbship.adapters.kernels.processes import Launcher
    from nbship.adapters.store.files import FileStore
    from nbship.ports import (
        Journal,
        Leases,
        Linter,
    )
    from nbship.ports_shipping import Codec, PackageBuilder, PageWriter, Replayer
    from nbship.records.environment import GitState
    from nbship.records.job import Attempt, Job
    from nbship.records.notebook import Notebook
    from nbship.release.pins import Installed
    from nbship.vetting.gate import Gate
    from nbship.workflow.attempts import Worker
    from nbship.workflow.recording import Recorder
    from nbship.workflow.submission import Surroundings
    from nbship.workflow.vetting import Instruments

#: stores made on the spot of which this process has told
_TOLD: set[Path] = set()


class Workbench(
    TrackingBench, SweepBench, CapsuleBench, VerifyingBench, ReleasingBench
):
    """Settings and the ports they wire.

    Parameters
    ----------
    settings
        The settings of one project.
    is_improvised
        True where no project was found and the store is made on the spot.
    """

    #: True where this process executes one attempt and ends
    is_short_lived = False

    def __init__(self, settings: Settings, *, is_improvised: bool = False) -> None:
        self.settings = settings
        self.is_improvised = is_improvised

    @classmethod
    def open(
        cls, start: Path | None = None, *, call: Mapping[str, Any] | None = None
    ) -> Workbench:
        """Open the project that ``start`` lies in.

        That is the nearest ancestor with settings or a store. Where there is none, the
        store is made in ``start``, and stderr says so when the store is first used.
        """
        start = (start or Path.cwd()).resolve()
        project = find_project(start)
        settings = read_settings(project or start, environ=os.environ, call=call)
        return cls(settings, is_improvised=project is None)

    @classmethod
    def over(cls, store: Path, *, project: Path | None = None) -> Workbench:
        """Open one store, wherever it lies; the settings are those of the project it is for."""
        project = project or find_project(store.parent) or store.parent
        settings = read_settings(project, environ=os.environ)
        return cls(replace(settings, store=store))

    @cached_property
    def store(self) -> FileStore:
        """``.mlops/`` of the project."""
        folder = self.settings.store
        if self.is_improvised and folder not in _TOLD:
            _TOLD.add(folder)
            print(  # noqa: T201  # DESIGN: said on stderr, on every face
                f"nbship: no project found; the store is {folder}"
                " (`mlops init` makes a project)",
                file=sys.stderr,
            )
        return self._files

    @cached_property
    def _files(self) -> FileStore:
        from nbship.adapters.store.files import FileStore

        return FileStore(self.settings.store)

    def write_text(self, text: str, path: Path) -> None:
        """Write a whole file or none."""
        self._files.write_bytes(text.encode("utf-8"), path)

    @cached_property
    def sealer(self) -> SshSealer:
        """Seals approvals and bundles with the SSH key of the settings."""
        from nbship.adapters.bundles.ssh_seal import SshSealer

        return SshSealer(self.key_path)

    @property
    def key_path(self) -> Path:
        """Where the private key that seals lies: ``review.key``, else the usual SSH key."""
        from nbship.adapters.bundles.ssh_seal import DEFAULT_KEY

        key = self.settings.key
        return (
            self.settings.project / Path(key).expanduser()
            if key
            else DEFAULT_KEY.expanduser()
        )

    def create_key(self, path: Path) -> str:
        """Write a new key pair and return its public line."""
        from nbship.adapters.bundles.ssh_keys import create_key

        return create_key(path)

    def render_report(self, notebook: Path, facts: object) -> str:
        """Render a notebook file with the facts of its job as one HTML page."""
        from nbship.adapters.notebooks.renderer import render_report

        return render_report(notebook, facts)

    def recorder(self, run_id: str) -> Recorder:
        """Make the recorder of a run."""
        from nbship.workflow.recording import Recorder

        return Recorder(self.store, run_id, self.store.journal(run_id))

    def git_state(self, folder: Path) -> GitState | None:
        """Return the repository that a folder lies in; None without git or repository."""
        from nbship.adapters.probes.git import git_state

        return git_state(folder)

    @cached_property
    def surroundings(self) -> Surroundings:
        """What submitting asks of the machine."""
        from nbship.adapters.probes.clock import local_time_zone
        from nbship.workflow.submission import Surroundings

        settings = self.settings
        return Surroundings(
            interpreter=lambda name: self.kernel(name).python,
            environment=self.environment,
            gpus=self.leases.found,
            environ=os.environ,
            time_zone=local_time_zone(),
            seed=None if settings.seed < 0 else settings.seed,
            is_strict=settings.is_deterministic,
            capsule=self.capsule_tools,
        )

    def notebook(self, path: Path) -> tuple[bytes, Notebook]:
        """Read a notebook's file once: its bytes, and what they hold."""
        from nbship.adapters.notebooks.reader import read_with_bytes

        return read_with_bytes(path)

    def prepared_notebook(self, snapshot: Path, parameters_source: str) -> bytes:
        """Put the injected cell into a snapshot."""
        from nbship.adapters.notebooks.prepared import prepared_notebook

        return prepared_notebook(snapshot, parameters_source)

    def execute_attempt(
        self, job: Job, attempt: Attempt, source: Path, grant: Grant
    ) -> str:
        """Execute a prepared notebook through papermill; return what was raised, or ""."""
        from nbship.adapters.kernels.papermill import order_of, run_papermill

        folder = self.store.attempt_folder(job.id, attempt.number)
        order = order_of(
            job,
            attempt,
            store=self.store.folder,
            folder=folder,
            grant=grant,
            launcher=self.launcher,
        )
        limit_s = self.settings.cell_timeout_s
        try:
            with self.capsule_of(job, order) as whole:
                return run_papermill(whole, source, job=job, cell_timeout_s=limit_s)
        except NbshipError as error:  # why there was nothing to execute
            print(error, file=sys.stderr)  # noqa: T201  # the attempt's log
            return f"{type(error).__name__}: {error.message}"

    @cached_property
    def launcher(self) -> Launcher:
        """Starts kernels: forks warm ones, which die with this process.

        A process that executes one attempt only starts a fresh one: there is nobody to warm it for.
        """
        if self.is_short_lived:
            from nbship.adapters.kernels.launching import FreshLauncher

            return FreshLauncher()
        from nbship.adapters.kernels.warm_launching import WarmLauncher

        return WarmLauncher(self.store.folder / "preloads.json")

    def attempt_worker(
        self, grant: Grant | None = None, *, is_granted: bool = False
    ) -> Worker:
        """Return what executing attempts needs; what was not granted it leases."""
        from nbship.workflow.attempts import Worker
        from nbship.workflow.leasing import leased
        from nbship.workflow.submission import current_lock

        return Worker(
            store=self.store,
            clock=self.clock,
            prepare=self.prepared_notebook,
            execute=self.execute_attempt
            if is_granted
            else leased(self.execute_attempt, self.leases),
            lock=lambda job: current_lock(
                self.kernel(job.kernel_name).python, self.environment
            ),
            grant=grant or Grant(),
        )

    @cached_property
    def leases(self) -> Leases:
        """Leases this machine's GPUs."""
        from nbship.adapters.executors.leases import GpuLeases
        from nbship.adapters.probes.accelerators import survey_gpus

        return GpuLeases(survey_gpus, os.environ)

    @cached_property
    def builder(self) -> PackageBuilder:
        """Builds wheels and their locks."""
        from nbship.adapters.bundles.wheel import WheelBuilder

        return WheelBuilder()

    @cached_property
    def replayer(self) -> Replayer:
        """Replays golden cases in fresh environments."""
        from nbship.adapters.bundles.replay import UvReplayer

        return UvReplayer()

    @cached_property
    def pages(self) -> PageWriter:
        """Writes the pages of bundles."""
        from nbship.adapters.bundles.pages import JinjaPages

        return JinjaPages()

    @cached_property
    def gates(self) -> tuple[Gate, ...]:
        """Every gate: the built-in ones and those of plug-ins."""
        from nbship.plugins import all_gates
        from nbship.vetting.gates import BUILT_IN

        return all_gates(BUILT_IN)

    @cached_property
    def linter(self) -> Linter:
        """Lints notebooks."""
        from nbship.adapters.probes.lint import RuffLinter
        from nbship.vetting.ruff_rules import SELECTED

        return RuffLinter(SELECTED)

    @cached_property
    def vetting_instruments(self) -> Instruments:
        """What dossiers are made with."""
        from nbship.adapters.notebooks.reader import read_notebook
        from nbship.adapters.probes.imports import import_providers, local_modules
        from nbship.workflow.vetting import Instruments

        return Instruments(
            linter=self.linter,
            read_notebook=read_notebook,
            import_providers=import_providers,
            local_modules=local_modules,
        )

    @staticmethod
    def to_graph(model: object, columns: int) -> bytes:
        """Convert a fitted estimator to ONNX; see :mod:`nbship.adapters.codecs.onnx_graph`."""
        from nbship.adapters.codecs.onnx_graph import onnx_graph

        return onnx_graph(model, columns)

    @staticmethod
    def codecs() -> tuple[Codec, ...]:
        """Return what writes captured values: plug-ins first, then in order of preference.

        Raises
        ------
        ExportError
            If a plug-in breaks.
        """
        from nbship.adapters.codecs.registry import all_codecs

        return all_codecs()

    @staticmethod
    def installed_here(modules: Iterable[str]) -> Installed:
        """Look up the distributions of import names in this interpreter."""
        from nbship.adapters.probes.distributions import installed_here

        return installed_here(modules)

    @staticmethod
    def journal_in(run_folder: Path) -> Journal:
        """Open the journal of the run that a kernel is told of by its folder."""
        from nbship.adapters.store.journal import FILE_NAME, FileJournal

        return FileJournal(run_folder / FILE_NAME)

    def new_id(self, kind: str) -> str:
        """Make an id of that kind, now."""
        return make_id(kind, at=self.clock.now(), entropy=self.clock.entropy())

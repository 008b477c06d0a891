"""Ports: what use cases ask of the outside, as protocols that adapters fulfil."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol, TypeVar, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager
    from datetime import datetime
    from pathlib import Path

    from nbship.records.environment import Accelerator, GpuSurvey
    from nbship.records.job import Resources
    from nbship.records.mirror import (
        Attachment,
        Mirror,
        Publication,
        ReleaseMirror,
    )
    from nbship.records.queue import Ticket
    from nbship.records.run import Event, EventKind, Metric, Run
    from nbship.records.vetting import LintFinding

Record = TypeVar("Record")


class Clock(Protocol):
    """Time and identity."""

    def now(self) -> datetime:
        """Return the time, aware, in UTC."""
        ...

    def entropy(self) -> int:
        """Return 20 random bits or more, for ids."""
        ...


class Journal(Protocol):
    """The append-only record of one run."""

    @property
    def path(self) -> Path:
        """The file, for messages and for telling whether it has grown."""
        ...

    def append(self, kind: EventKind, data: Mapping[str, Any]) -> None:
        """Write one event; it is in the file when the call returns."""
        ...

    def events(self) -> Iterator[Event]:
        """Read every whole event, in the order of the file."""
        ...

    def events_from(self, offset_bytes: int) -> Iterator[tuple[Event, int]]:
        """Read whole events from an offset on, each with the offset behind it."""
        ...

    def close(self) -> None:
        """Let go of the file; the next event opens it again."""
        ...


class Linter(Protocol):
    """What knows the rules of Python that any linter knows."""

    def lint(self, sources: Sequence[tuple[str, str]]) -> tuple[LintFinding, ...]:
        """Lint the cells of one notebook, given as (cell id, plain Python), in their order."""
        ...


class Store(Protocol):
    """``.mlops/``: records by id, folders by kind."""

    @property
    def folder(self) -> Path:
        """The folder ``.mlops/`` itself."""
        ...

    def run_folder(self, run_id: str) -> Path:
        """Return ``runs/<run>/``, whether it exists or not."""
        ...

    def job_folder(self, job_id: str) -> Path:
        """Return ``jobs/<job>/``."""
        ...

    def attempt_folder(self, job_id: str, number: int) -> Path:
        """Return ``jobs/<job>/attempts/<number>/``."""
        ...

    def record_path(self, record_id: str) -> Path:
        """Return where a verdict, an approval, a report, an export or a sweep lies."""
        ...

    @property
    def releases(self) -> Path:
        """``releases/``, with ``<name>/<version>/`` for each."""
        ...

    def journal(self, run_id: str) -> Journal:
        """Open the journal of a run for appending and reading."""
        ...

    def ids(self, kind: str) -> tuple[str, ...]:
        """List the ids of ``run``, ``job``, ``verdict``, ``approval``, ``export``, ``sweep``."""
        ...

    def save(self, record: object, path: Path) -> None:
        """Write a record as JSON: a whole file or none."""
        ...

    def load(self, kind: type[Record], path: Path) -> Record:
        """Read a record."""
        ...

    def save_lightly(self, record: object, path: Path) -> None:
        """Write a record that another place holds too: a whole file, not forced to the disk."""
        ...

    def write_bytes(self, data: bytes, path: Path) -> None:
        """Write a file: a whole one or none."""
        ...

    def append(self, data: bytes, path: Path) -> None:
        """Add whole lines to a file, by one write."""
        ...

    def keep_blob(self, run_id: str, digest: str, data: bytes) -> None:
        """Keep bytes as ``runs/<run>/blobs/<sha256>``; what is there already stays."""
        ...

    def link(self, source: Path, path: Path) -> bool:
        """Give a file a second name by ``os.link``; False where another one stands there already."""
        ...

    def whole_folder(self, path: Path) -> AbstractContextManager[Path]:
        """Fill a new folder under another name; it appears whole, or not at all."""
        ...

    def hold(self, path: Path) -> AbstractContextManager[int | None]:
        """Hold a file by ``flock`` while the block runs; None where another process does.

        Gives the descriptor: a process that keeps it open goes on holding the file.
        """
        ...

    def is_held(self, path: Path) -> bool:
        """Tell whether a living process holds the file by ``flock``."""
        ...


class Queue(Protocol):
    """Which jobs are wanted, in what order, and what runs; it survives crashes."""

    def add(
        self, job_ids: Sequence[str], *, priority: int, attempts: int, losses: int
    ) -> None:
        """Want jobs; one that is wanted already keeps its ticket."""
        ...

    def tickets(self) -> tuple[Ticket, ...]:
        """List the tickets in the order that they are taken in."""
        ...

    def when_empty(self, act: Callable[[], object]) -> bool:
        """Do something while no job is wanted and none can become so; False where one is."""
        ...

    def due(self, now: datetime) -> tuple[Ticket, ...]:
        """List, in their order, the tickets that there is something to do about; not all at once."""
        ...

    def earliest(self) -> datetime | None:
        """Return when the first of the waiting tickets may be taken; None where none waits."""
        ...

    def ticket(self, job_id: str) -> Ticket | None:
        """Return the ticket of a job; None where it is not wanted, or has settled."""
        ...

    def take(self, job_id: str, *, attempt: int) -> bool:
        """Note that an attempt begins; False where the ticket is gone or not waiting."""
        ...

    def put_back(self, job_id: str, *, not_before_at: datetime) -> bool:
        """Let a job wait for its next attempt; False where it was given up."""
        ...

    def cancel(self, job_id: str) -> bool:
        """Give a job up; False where it is not wanted."""
        ...

    def drop(self, job_id: str) -> None:
        """Remove the ticket of a job that has settled."""
        ...

    def wait(self, timeout_s: float) -> bool:
        """Wait until another process has changed the queue; False where the time is over."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class Grant:
    """What an attempt was given of the machine."""

    #: variables of the kernel's environment, such as ``CUDA_VISIBLE_DEVICES``; never recorded
    environ: Mapping[str, str] = field(default_factory=dict)
    #: descriptors of locks and leases that the kernel keeps open while it lives
    held_fds: tuple[int, ...] = ()
    #: GPUs that were leased, to be watched while the kernel runs
    gpus: tuple[Accelerator, ...] = ()
    #: True where others mirror the attempt's run, and close it where its process dies
    is_mirrored: bool = False


class Lease(Protocol):
    """What of the machine an attempt holds until it is released."""

    @property
    def grant(self) -> Grant:
        """What the attempt's kernel is told, and what it keeps open."""
        ...

    def release(self) -> None:
        """Let go; what a living kernel keeps open stays leased until it is gone."""
        ...


class Leases(Protocol):
    """The GPUs of this machine, each leased to one attempt at a time."""

    def found(self) -> GpuSurvey:
        """Return the GPUs that may be leased, whether they are free or not."""
        ...

    def acquire(self, resources: Resources) -> Lease | None:
        """Lease what a job asks for; None where others hold it now.

        Raises
        ------
        JobError
            If it can never be given: :func:`nbship.jobs.gpus.refusal` says why.
        StoreError
            If the folder of locks cannot be used.
        """
        ...


class Ledger(Protocol):
    """How far each run and each release is mirrored at each tracker."""

    def mirror(self, run_id: str, tracker: str) -> Mirror:
        """Return the mirror of a run at a tracker; a blank one where there is none yet."""
        ...

    def save(self, mirror: Mirror) -> None:
        """Keep the state of a mirror."""
        ...

    def attachments(self, run_id: str, tracker: str) -> tuple[Attachment, ...]:
        """List the files that a tracker still lacks."""
        ...

    def drop_attachment(self, attachment: Attachment) -> None:
        """Forget a file: the tracker has it, or takes none."""
        ...

    def release_mirror(self, release: str, tracker: str) -> ReleaseMirror:
        """Return the mirror of ``churn/1.2.0`` at a tracker; a blank one where there is none."""
        ...

    def save_release(self, mirror: ReleaseMirror) -> None:
        """Keep the state of a release's mirror."""
        ...


class Tracker(Protocol):
    """Where runs are mirrored. Every call may be repeated; any call may raise."""

    @property
    def name(self) -> str:
        """The name in the settings: ``mlflow``, ``wandb``."""
        ...

    @property
    def is_resumable(self) -> bool:
        """Whether another process can go on where one stopped; else it begins anew."""
        ...

    def open(self, run: Run) -> str:
        """Find or make the mirror of a run and return its reference.

        A tracker that is not resumable drops what an earlier process left.
        """
        ...

    def write(self, reference: str, run: Run, metrics: Sequence[Metric]) -> None:
        """Mirror the run as it stands: its values, tags and notes, and these new metrics.

        Every metric has a step.
        """
        ...

    def close(self, reference: str, run: Run, files: Mapping[str, Path]) -> None:
        """Mirror the run's end and its files, by their path among the tracker's artifacts."""
        ...

    def attach(self, reference: str, path: Path, folder: str) -> bool:
        """Add a file to a closed mirror; False where this tracker cannot."""
        ...


@runtime_checkable
class ModelTracker(Tracker, Protocol):
    """A tracker that takes releases too, as models with versions."""

    def publish(self, publication: Publication) -> str:
        """Show a release, and return its reference; twice gives one version."""
        ...


class Search(Protocol):
    """Chooses the points of a sweep, and learns from what came of them."""

    def ask(self, number: int) -> Mapping[str, Any] | None:
        """Choose the point of that number, from 1; None where there are no more."""
        ...

    def begin(self, number: int, values: Mapping[str, Any]) -> None:
        """Take note of a point that was chosen already."""
        ...

    def report(self, number: int, *, step: int, value: float) -> bool:
        """Take note of a running job's metric; True where the job falls behind."""
        ...

    def tell(self, number: int, value: float | None, *, is_pruned: bool) -> None:
        """Take note of what a job gave; None where it gave nothing to compare."""
        ...

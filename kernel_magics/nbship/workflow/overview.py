"""Use case: see the runs of a project, and how far each has come.

Design is a live or papermill run, Test the run of a job, Production the run whose job was
released. A journal is read again only when it has grown, so that looking every few seconds
at hundreds of runs costs little.
"""

from __future__ import annotations

import math
import threading
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from nbship.capture.folding import fold
from nbship.errors import NbshipError
from nbship.records.overview import LastMetric, Overview, RunRow, Stage
from nbship.records.release import Manifest
from nbship.records.run import EventKind
from nbship.release.sums import MANIFEST

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from nbship.ports import Store
    from nbship.records.run import Event, Metric, Run

#: rows that one look returns where nothing else is asked for
ROW_LIMIT = 200
#: the events that a row is made from; cells and outputs are left out
_WANTED = frozenset({EventKind.RUN_STARTED, EventKind.RUN_ENDED, EventKind.METRIC})

#: size and time of last change of a file
_Stamp = tuple[int, int]


@dataclass(kw_only=True)
class _Released:
    """What the manifests of a store say."""

    #: job id and run id -> ``<name> <version>``, oldest first
    names: dict[str, list[str]] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)

    def of(self, row: RunRow) -> tuple[str, ...]:
        return tuple(self.names.get(row.job_id or "", self.names.get(row.id, ())))


class RunsOverview:
    """Looks at the runs of one store, again and again.

    Parameters
    ----------
    store
        The store to look at.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._rows: dict[str, tuple[_Stamp, RunRow]] = {}
        self._manifests: dict[Path, tuple[_Stamp, Manifest | str]] = {}
        self._lock = threading.Lock()

    def look(
        self, *, project: str = "", folder: str | None = None, limit: int = ROW_LIMIT
    ) -> Overview:
        """Return the newest runs.

        Parameters
        ----------
        project
            Name of the project's folder, handed through.
        folder
            The project's folder as the caller names it, handed through.
        limit
            Number of rows at most.
        """
        with self._lock:
            ids = self._store.ids("run")
            released = self._released()
            shown = list(reversed(ids))[:limit]
            self._rows = {k: v for k, v in self._rows.items() if k in set(shown)}
            rows = tuple(_placed(self._row(run_id), released) for run_id in shown)
        return Overview(
            project=project,
            folder=folder,
            rows=rows,
            total=len(ids),
            remarks=tuple(released.remarks),
        )

    def _row(self, run_id: str) -> RunRow:
        stamp = _stamp(self._store.journal(run_id).path)
        known = self._rows.get(run_id)
        if known is not None and known[0] == stamp:
            return known[1]
        row = read_row(self._store, run_id)
        self._rows[run_id] = (stamp, row)
        return row

    def _released(self) -> _Released:
        released = _Released()
        for path in sorted(self._store.releases.glob(f"*/*/{MANIFEST}")):
            stamp = _stamp(path)
            known = self._manifests.get(path)
            if known is None or known[0] != stamp:
                known = self._manifests[path] = (stamp, self._manifest(path))
            manifest = known[1]
            if isinstance(manifest, str):
                released.remarks.append(manifest)
                continue
            for key in {manifest.job_id, manifest.run_id} - {""}:
                name = f"{manifest.name} {manifest.version}"
                released.names.setdefault(key, []).append(name)
        return released

    def _manifest(self, path: Path) -> Manifest | str:
        try:
            return self._store.load(Manifest, path)
        except NbshipError as error:
            return error.message
        except OSError as error:
            return str(error)


def read_row(store: Store, run_id: str) -> RunRow:
    """Read one run as a row; of a damaged journal as much as is whole, and what was wrong."""
    path = store.journal(run_id).path
    damage: list[str] = []
    events = list(_whole_events(store, run_id, damage))
    try:
        run = fold(run_id, events)
    except (NbshipError, KeyError, TypeError, ValueError) as error:
        damage.append(_worded(error))
        return RunRow(id=run_id, stage=Stage.DESIGN, damage=_without_path(damage, path))
    return _row_of(run, _without_path(damage, path))


def _without_path(damage: list[str], path: Path) -> str:
    return damage[0].removeprefix(f"{path}: ") if damage else ""


def _whole_events(store: Store, run_id: str, damage: list[str]) -> Iterator[Event]:
    try:
        for event in store.journal(run_id).events():
            if event.kind in _WANTED:
                yield event
    except (NbshipError, OSError) as error:
        damage.append(_worded(error))


def _row_of(run: Run, damage: str) -> RunRow:
    return RunRow(
        id=run.id,
        stage=Stage.TEST if run.origin == "job" or run.job_id else Stage.DESIGN,
        status=run.status,
        experiment=run.experiment,
        notebook=run.notebook,
        started_at=run.started_at,
        ended_at=run.ended_at,
        cause=run.cause,
        job_id=run.job_id,
        metrics=tuple(map(_last_metric, run.last_metrics.values())),
        damage=damage,
    )


def _last_metric(metric: Metric) -> LastMetric:
    return LastMetric(
        name=metric.name,
        value=metric.value if math.isfinite(metric.value) else None,
        step=metric.step,
        unit=metric.unit,
    )


def _placed(row: RunRow, released: _Released) -> RunRow:
    releases = released.of(row)
    return replace(row, stage=Stage.PRODUCTION, releases=releases) if releases else row


def _stamp(path: Path) -> _Stamp:
    try:
        status = path.stat()
    except OSError:
        return (-1, 0)
    return (status.st_size, status.st_mtime_ns)


def _worded(error: Exception) -> str:
    if isinstance(error, NbshipError):
        return error.message
    return f"{type(error).__name__}: {error}"

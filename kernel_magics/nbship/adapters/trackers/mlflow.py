"""MLflow: a mirror of runs in one local SQLite store, or at the server the user names."""

from __future__ import annotations

import getpass
import os
from typing import TYPE_CHECKING, Any

from nbship.adapters.trackers.naming import mlflow_name, parameter_text
from nbship.records.run import RunStatus

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from contextlib import AbstractContextManager
    from datetime import datetime
    from pathlib import Path

    from nbship.records.mirror import Publication
    from nbship.records.run import Metric, Run

RUN_TAG = "mlops.run"
#: MLflow's limits for one ``log_batch``
_METRICS_PER_BATCH = 1000
_ENTRIES_PER_BATCH = 100
#: no telemetry; and a server that is down must not hold us for minutes, as MLflow's own
#: patience would
_ENVIRON = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "DO_NOT_TRACK": "true",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "10",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
}
#: MLflow's pages then show training runs first, and not those of language models
_KIND = {"mlflow.experimentKind": "custom_model_development"}
_STATUSES = {
    RunStatus.RUNNING: "RUNNING",
    RunStatus.SUCCEEDED: "FINISHED",
    RunStatus.FAILED: "FAILED",
    RunStatus.INTERRUPTED: "KILLED",
    RunStatus.KILLED: "KILLED",
}


class MlflowTracker:
    """Mirrors runs through ``MlflowClient``; MLflow's fluent state is never touched.

    Parameters
    ----------
    uri
        Tracking URI, absolute.
    artifact_root
        ``file:`` URI for the artifacts of experiments made here; "" leaves it to the server.
    setting_up
        Makes the lock that is held while a local store is made: its migrations do not stand
        two processes.
    """

    name = "mlflow"
    is_resumable = True

    def __init__(
        self,
        uri: str,
        *,
        artifact_root: str,
        setting_up: Callable[[], AbstractContextManager[object]],
    ) -> None:
        self._uri = uri
        self._artifact_root = artifact_root
        self._setting_up = setting_up
        self._known_client: Any = None
        self._sent_values: dict[str, str] = {}
        self._sent_tags: dict[str, str] = {}

    def open(self, run: Run) -> str:
        """Find the run by its tag, else create it."""
        client = self._client()
        experiment = self._experiment(run.experiment or "default")
        found = client.search_runs(
            [experiment],
            filter_string=f"tags.`{RUN_TAG}` = '{run.id}'",
            max_results=1,
        )
        mirror = (
            found[0]
            if found
            else client.create_run(
                experiment,
                start_time=_milliseconds(run.started_at),
                run_name=run.id,
                tags={RUN_TAG: run.id, "mlflow.user": getpass.getuser()},
            )
        )
        self._sent_values = dict(mirror.data.params)
        self._sent_tags = dict(mirror.data.tags)
        return str(mirror.info.run_id)

    def write(self, reference: str, run: Run, metrics: Sequence[Metric]) -> None:
        """Write new metrics, new values and changed tags, in as few calls as MLflow allows."""
        from mlflow.entities import Metric as MlflowMetric

        entries = [
            MlflowMetric(
                mlflow_name(m.name),
                m.value,
                _milliseconds(m.at),
                m.step,
                run_id=reference,
            )
            for m in metrics
        ]
        for piece in _pieces(entries, _METRICS_PER_BATCH):
            self._client().log_batch(reference, metrics=piece)
        self._write_values(reference, run)
        self._write_tags(reference, tags_of(run))

    def close(self, reference: str, run: Run, files: Mapping[str, Path]) -> None:
        """Add the files and set the end's time and status."""
        for place, path in files.items():
            self.attach(reference, path, place.rpartition("/")[0])
        ended_at = run.ended_at or run.started_at
        self._client().set_terminated(
            reference, _STATUSES[run.status], _milliseconds(ended_at)
        )

    def attach(self, reference: str, path: Path, folder: str) -> bool:
        """Add a file; MLflow takes it at any time."""
        self._client().log_artifact(reference, str(path), folder or None)
        return True

    def publish(self, publication: Publication) -> str:
        """Log a release as a model and register it; what is there already stays as it is."""
        from nbship.adapters.trackers.mlflow_registry import publish

        client = self._client()
        experiment = self._experiment(publication.experiment or "default")
        found = client.search_runs(
            [experiment],
            filter_string=f"tags.`{RUN_TAG}` = '{publication.manifest.run_id}'",
            max_results=1,
        )
        run_id = str(found[0].info.run_id) if found else None
        return publish(client, publication, experiment=experiment, run_id=run_id)

    def _write_values(self, reference: str, run: Run) -> None:
        from mlflow.entities import Param

        texts = {mlflow_name(n): parameter_text(v) for n, v in run.values.items()}
        new = {n: t for n, t in texts.items() if n not in self._sent_values}
        for piece in _pieces(list(new.items()), _ENTRIES_PER_BATCH):
            self._client().log_batch(reference, params=[Param(n, t) for n, t in piece])
        self._sent_values |= new
        changed = {n: t for n, t in texts.items() if self._sent_values[n] != t}
        self._write_tags(reference, {f"mlops.value.{n}": t for n, t in changed.items()})

    def _write_tags(self, reference: str, tags: Mapping[str, str]) -> None:
        from mlflow.entities import RunTag

        new = {n: t for n, t in tags.items() if self._sent_tags.get(n) != t}
        for piece in _pieces(list(new.items()), _ENTRIES_PER_BATCH):
            self._client().log_batch(reference, tags=[RunTag(n, t) for n, t in piece])
        self._sent_tags |= new

    def _client(self) -> Any:  # noqa: ANN401  # MLflow has no types here
        if self._known_client is None:
            for name, value in _ENVIRON.items():
                os.environ.setdefault(name, value)
            from mlflow import MlflowClient

            with self._setting_up():
                client = MlflowClient(tracking_uri=self._uri)
                client.search_experiments(max_results=1)
            self._known_client = client
        return self._known_client

    def _experiment(self, name: str) -> str:
        client = self._client()
        known = client.get_experiment_by_name(name)
        if known is not None:
            return str(known.experiment_id)
        from mlflow.exceptions import MlflowException

        place = (
            {"artifact_location": self._artifact_root} if self._artifact_root else {}
        )
        try:
            return str(client.create_experiment(name, tags=_KIND, **place))
        except MlflowException:
            known = client.get_experiment_by_name(name)  # another process was first
            if known is None:
                raise
            return str(known.experiment_id)


def tags_of(run: Run) -> dict[str, str]:
    """Return the tags of a run's mirror: the user's, MLflow's own names, and ours."""
    tags = {mlflow_name(name): value for name, value in run.tags.items()}
    tags |= {
        "mlflow.source.type": "NOTEBOOK" if run.origin == "live" else "JOB",
        "mlflow.source.name": run.notebook or run.id,
        "mlops.status": run.status.value,
        "mlops.origin": run.origin,
    }
    if run.notes:
        tags["mlflow.note.content"] = "\n\n".join(run.notes)
    if run.cause:
        tags["mlops.cause"] = run.cause
    if run.job_id:
        tags["mlops.job"] = run.job_id
    if run.environment is not None:
        tags["mlops.python"] = run.environment.python_version
    if run.git is not None:
        tags |= {
            "mlflow.source.git.commit": run.git.commit,
            "mlflow.source.git.branch": run.git.branch,
            "mlflow.source.git.repoURL": run.git.remote_url,
            "mlflow.source.git.dirty": str(run.git.is_dirty).lower(),
        }
    return {name: text for name, text in tags.items() if text}


def _milliseconds(at: datetime) -> int:
    return int(at.timestamp() * 1000)


def _pieces(items: list[Any], size: int) -> Iterable[list[Any]]:
    return (items[start : start + size] for start in range(0, len(items), size))

"""Weights & Biases: an offline run in ``.mlops/wandb``, for ``wandb sync`` to upload."""

from __future__ import annotations

import json
import os
import shutil
from typing import TYPE_CHECKING, Any

from nbship.records.digest import digest_text
from nbship.records.run import RunStatus

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from nbship.records.mirror import Publication
    from nbship.records.run import Metric, Run

_STEP = "mlops/step"
_EXIT_CODES = {
    RunStatus.RUNNING: 0,
    RunStatus.SUCCEEDED: 0,
    RunStatus.FAILED: 1,
    RunStatus.INTERRUPTED: 130,
    RunStatus.KILLED: 137,
}
#: W&B refuses longer tags; the whole text stands in the config
_TAG_LENGTH = 64
_PROJECT_LENGTH = 128
_RUN_ID_LENGTH = 64
#: what every run of ours is made with
_PLAIN: dict[str, Any] = {
    "reinit": "create_new",  # leaves the user's own runs alone
    "console": "off",
    "silent": True,
    "symlink": False,
    "x_disable_stats": True,
    "x_disable_machine_info": True,
    "x_save_requirements": False,
    "disable_code": True,
    "save_code": False,
    "disable_git": True,
    "x_transaction_log_flush_interval": 1.0,  # what a crash may lose, in seconds
}


class WandbTracker:
    """Mirrors runs as offline runs. An offline run cannot be resumed: it is written anew.

    Parameters
    ----------
    folder
        The store's folder; W&B makes ``wandb/`` in it.
    """

    name = "wandb"
    is_resumable = False

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._run: Any = None
        self._sent: dict[str, Any] = {}
        self._defined: set[str] = set()

    def open(self, run: Run) -> str:
        """Begin the offline run; one that an earlier process left is removed."""
        self._leave()
        for left in (self._folder / "wandb").glob(f"offline-run-*-{run.id}"):
            shutil.rmtree(left)
        self._set_folders()
        import wandb

        self._run = wandb.init(
            project=_project(run.experiment),
            id=run.id,
            name=run.id,
            group=run.notebook[-_PROJECT_LENGTH:] or None,
            job_type=run.origin,
            mode="offline",
            dir=str(self._folder),
            settings=wandb.Settings(**_settings(run)),
        )
        self._run.define_metric(_STEP, hidden=True)
        self._sent, self._defined = {}, set()
        return str(self._run.dir).rpartition("/")[0]

    def write(self, reference: str, run: Run, metrics: Sequence[Metric]) -> None:
        """Write new metrics, each with its own step and time, and what changed beside them."""
        del reference
        for metric in metrics:
            if metric.name not in self._defined:
                self._run.define_metric(metric.name, step_metric=_STEP)
                self._defined.add(metric.name)
            self._run.log(
                {
                    metric.name: metric.value,
                    _STEP: metric.step,
                    "_timestamp": metric.at.timestamp(),
                }
            )
        self._write_config(run)

    def close(self, reference: str, run: Run, files: Mapping[str, Path]) -> None:
        """Add the files as one artifact and finish with the exit code of the status."""
        del reference
        import wandb

        if files:
            artifact = wandb.Artifact(f"{run.id}-files", type="run-files")
            for place, path in files.items():
                artifact.add_file(
                    str(path), name=place, policy="immutable", skip_cache=True
                )
            self._run.log_artifact(artifact)
        self._run.finish(exit_code=_EXIT_CODES[run.status])
        self._run = None

    def attach(self, reference: str, path: Path, folder: str) -> bool:
        """Decline: a finished offline run takes nothing more."""
        del reference, path, folder
        return False

    def publish(self, publication: Publication) -> str:
        """Write a release as an artifact of an offline run; one that is there is removed."""
        from nbship.adapters.trackers.wandb_models import log_model

        name = _run_id(publication)
        for left in (self._folder / "wandb").glob(f"offline-run-*-{name}"):
            shutil.rmtree(left)
        self._set_folders()
        import wandb

        run = wandb.init(
            project=_project(publication.experiment),
            id=name,
            name=publication.name,
            job_type="release",
            mode="offline",
            dir=str(self._folder),
            config={"mlops": publication.tags},
            settings=wandb.Settings(**_PLAIN),
        )
        try:
            log_model(run, publication)
        except BaseException:
            run.finish(exit_code=1)
            raise
        run.finish(exit_code=0)
        return str(run.dir).rpartition("/")[0]

    def _write_config(self, run: Run) -> None:
        config = {**run.values, "mlops": _facts(run)}
        changed = {k: v for k, v in config.items() if self._sent.get(k) != v}
        if changed:
            self._run.config.update(changed, allow_val_change=True)
            self._sent |= json.loads(json.dumps(changed))
        tags = tuple(f"{k}={v}"[:_TAG_LENGTH] for k, v in run.tags.items())
        if tags != self._sent.get("\0tags"):
            self._run.tags = tags
            self._sent["\0tags"] = tags
        notes = "\n\n".join(run.notes)
        if notes and notes != self._sent.get("\0notes"):
            self._run.notes = notes
            self._sent["\0notes"] = notes

    def _leave(self) -> None:
        if self._run is not None:
            run, self._run = self._run, None
            run.finish(exit_code=1)

    def _set_folders(self) -> None:
        place = self._folder / "wandb"
        for variable, name in (
            ("WANDB_DATA_DIR", "data"),
            ("WANDB_CACHE_DIR", "cache"),
            ("WANDB_CONFIG_DIR", "config"),
        ):
            (place / name).mkdir(parents=True, exist_ok=True)
            os.environ[variable] = str(place / name)
        os.environ["WANDB_ERROR_REPORTING"] = "false"
        os.environ["WANDB_SILENT"] = "true"


def _facts(run: Run) -> dict[str, Any]:
    """Return what W&B has no place of its own for."""
    return {
        "run": run.id,
        "status": run.status.value,
        "cause": run.cause,
        "origin": run.origin,
        "notebook": run.notebook,
        "job": run.job_id or "",
        "tags": dict(run.tags),
    }


def _run_id(publication: Publication) -> str:
    """Name the run of a release; W&B takes 64 characters."""
    name = f"release-{publication.manifest.name}-{publication.manifest.version}"
    if len(name) <= _RUN_ID_LENGTH:
        return name
    return f"{name[: _RUN_ID_LENGTH - 13]}-{digest_text(name)[:12]}"


def _settings(run: Run) -> dict[str, Any]:
    settings: dict[str, Any] = dict(_PLAIN)
    if run.git is not None and run.git.commit:
        settings["git_commit"] = run.git.commit
        settings["git_remote_url"] = run.git.remote_url or None
    if run.notebook:
        settings["program"] = run.notebook
    return settings


def _project(experiment: str) -> str:
    clean = "".join("-" if c in "/\\#?%:" else c for c in experiment or "default")
    return clean[:_PROJECT_LENGTH]

"""Make a tracker by the name that settings give it."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

from nbship.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from contextlib import AbstractContextManager
    from pathlib import Path

    from nbship.ports import Tracker

_BUILT_IN = ("mlflow", "wandb")


def make_tracker(
    name: str,
    *,
    store: Path,
    environ: Mapping[str, str],
    setting_up: Callable[[], AbstractContextManager[object]],
) -> Tracker:
    """Make the tracker of that name: one of ours, else a plug-in's.

    Parameters
    ----------
    name
        As in the setting ``trackers``.
    store
        The store's folder; local mirrors lie in it.
    environ
        The process's variables.
    setting_up
        Makes the lock that is held while a local MLflow store is made.

    Raises
    ------
    SettingsError
        If there is none of that name.
    """
    if name == "mlflow":
        from nbship.adapters.trackers.mlflow import MlflowTracker

        uri, artifact_root = mlflow_addresses(store, environ)
        return MlflowTracker(uri, artifact_root=artifact_root, setting_up=setting_up)
    if name == "wandb":
        from nbship.adapters.trackers.wandb import WandbTracker

        return WandbTracker(store)
    plugins = _plugins()
    if name in plugins:
        return plugins[name]
    near = difflib.get_close_matches(name, (*_BUILT_IN, *plugins), n=1)
    raise SettingsError(
        f"setting trackers: no tracker {name!r}"
        + (f"; did you mean {near[0]!r}?" if near else ""),
        hint="Name mlflow, wandb or an installed plug-in.",
    )


def mlflow_addresses(store: Path, environ: Mapping[str, str]) -> tuple[str, str]:
    """Return MLflow's tracking URI and the root of its artifacts.

    They are the user's where ``MLFLOW_TRACKING_URI`` is set, with artifacts as that store
    places them; else a SQLite file and a folder in our store, as absolute URIs.
    """
    given = environ.get("MLFLOW_TRACKING_URI")
    if given:
        return given, ""
    absolute = store.absolute()
    return f"sqlite:///{absolute / 'mlflow.db'}", (absolute / "mlartifacts").as_uri()


def _plugins() -> dict[str, Tracker]:
    from nbship.plugins import load_plugins

    loaded = load_plugins("nbship.trackers", error=SettingsError)
    return {plugin.name: plugin for _, plugin in loaded}

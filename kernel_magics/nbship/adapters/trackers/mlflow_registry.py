"""The registered versions of a model at MLflow: one for a release, however often it is sent."""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nbship.adapters.trackers.mlflow_models import write_model

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nbship.records.mirror import Publication

DIGEST_TAG = "mlops.digest"
_READY = "READY"
_VARIABLE = "MLFLOW_TRACKING_URI"


def publish(
    client: Any,  # noqa: ANN401  # MLflow has no types here
    publication: Publication,
    *,
    experiment: str,
    run_id: str | None,
) -> str:
    """Log, register and point the alias to a release; each step is made once.

    Parameters
    ----------
    client
        ``MlflowClient``.
    publication
        The release.
    experiment, run_id
        Where its model is shown; the run's mirror, where there is one.

    Returns
    -------
    str
        ``models:/churn/3``, as ``mlflow.pyfunc.load_model`` takes it.
    """
    name = publication.manifest.name
    _demand_registered(client, name)
    version = _version_of(client, publication)
    if version is None:
        model_id = _logged_model(
            client, publication, experiment=experiment, run_id=run_id
        )
        with _everywhere(client.tracking_uri):
            version = client.create_model_version(
                name,
                source=f"models:/{model_id}",
                run_id=run_id,
                tags=publication.tags,
                description=publication.description,
                model_id=model_id,
            )
    if publication.alias:
        client.set_registered_model_alias(name, publication.alias, version.version)
    return f"models:/{name}/{version.version}"


@contextlib.contextmanager
def _everywhere(uri: str) -> Iterator[None]:
    """Let MLflow's registry find logged models: it asks the process's address, not the client's."""
    import mlflow

    before = mlflow.get_tracking_uri() if mlflow.is_tracking_uri_set() else None
    variable = os.environ.get(_VARIABLE)
    mlflow.set_tracking_uri(uri)
    try:
        yield
    finally:
        mlflow.set_tracking_uri(before)
        os.environ.pop(_VARIABLE, None)  # set_tracking_uri writes it too
        if variable is not None:
            os.environ[_VARIABLE] = variable


def _demand_registered(client: Any, name: str) -> None:  # noqa: ANN401
    from mlflow.exceptions import MlflowException

    if client.search_registered_models(filter_string=f"name = '{name}'"):
        return
    try:
        client.create_registered_model(name)
    except MlflowException:
        if not client.search_registered_models(filter_string=f"name = '{name}'"):
            raise  # else another process was first


def _version_of(client: Any, publication: Publication) -> Any:  # noqa: ANN401
    token = None
    query = f"name = '{publication.manifest.name}'"
    while True:
        page = client.search_model_versions(query, page_token=token)
        for version in page:
            if version.tags.get(DIGEST_TAG) == publication.digest:
                return version
        token = page.token
        if not token:
            return None


def _logged_model(
    client: Any,  # noqa: ANN401
    publication: Publication,
    *,
    experiment: str,
    run_id: str | None,
) -> str:
    """Upload the model, unless an earlier try did; what that left half done is removed."""
    query = f"tags.`{DIGEST_TAG}` = '{publication.digest}'"
    for left in client.search_logged_models([experiment], filter_string=query):
        if str(left.status) == _READY:
            return str(left.model_id)
        client.delete_logged_model(left.model_id)
    with tempfile.TemporaryDirectory(prefix="nbship-model-") as place:
        folder = Path(place, "model")
        write_model(publication, folder)
        logged = client.create_logged_model(
            experiment,
            name=publication.manifest.name,
            source_run_id=run_id,
            tags=publication.tags,
        )
        client.log_model_artifacts(logged.model_id, str(folder))
    client.finalize_logged_model(logged.model_id, _READY)
    return str(logged.model_id)

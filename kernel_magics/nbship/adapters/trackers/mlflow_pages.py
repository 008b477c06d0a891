"""MLflow's own pages over our store, on loopback."""

from __future__ import annotations

import contextlib
import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from typing import TYPE_CHECKING

from nbship.adapters.trackers.choosing import mlflow_addresses
from nbship.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

_HOST = "127.0.0.1"
_PATIENCE_S = 10
_PAUSE_S = 0.2
_ENVIRON = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "DO_NOT_TRACK": "true",
    "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
    "MLFLOW_LOGGING_LEVEL": "WARNING",
}
#: MLflow's own libraries warn about each other, and each request would be a line
_QUIET = {"PYTHONWARNINGS": "ignore"}
_QUIET_WORDS = ["--uvicorn-opts", "--log-level warning"]


def serve(
    store: Path, *, port: int, setting_up: Callable[[], AbstractContextManager[object]]
) -> str:
    """Run ``mlflow server`` on loopback until Ctrl-C or SIGTERM.

    Parameters
    ----------
    store
        The store's folder.
    port
        Port on 127.0.0.1.
    setting_up
        Makes the lock that is held while the database is made.

    Returns
    -------
    str
        What to say when it has ended, or where the user's own server answers.

    Raises
    ------
    StoreError
        If the port is taken, or the server fails.
    """
    uri, artifact_root = mlflow_addresses(store, os.environ)
    if uri.startswith(("http:", "https:")):
        return f"MLflow runs at {uri} (MLFLOW_TRACKING_URI)"
    _check_free(port)
    _make_database(uri, setting_up)
    words = [sys.executable, "-m", "mlflow", "server", "--workers", "1"]
    words += ["--host", _HOST, "--port", str(port), "--backend-store-uri", uri]
    words += ["--registry-store-uri", uri]
    words += ["--default-artifact-root", artifact_root] if artifact_root else []
    child = subprocess.Popen(
        [*words, *_QUIET_WORDS],
        env={**_QUIET, **os.environ, **_ENVIRON},
        start_new_session=True,
    )
    code = _wait(child, port)
    if code not in {0, -signal.SIGTERM, -signal.SIGINT, 128 + signal.SIGTERM}:
        raise StoreError(
            f"mlflow server ended with code {code}",
            hint="Read its last lines above.",
        )
    return "MLflow has ended"


def _wait(child: subprocess.Popen[bytes], port: int) -> int:
    with _signals_as_interrupts():
        try:
            while child.poll() is None and not _answers(port):
                time.sleep(_PAUSE_S)
            if child.poll() is None:
                print(  # noqa: T201  # said while the server holds the terminal
                    f"MLflow: http://{_HOST}:{port} (Ctrl-C ends it)", flush=True
                )
            return child.wait()
        except KeyboardInterrupt:
            _end(child)
            return 0
        finally:
            if child.poll() is None:
                _end(child)


def _answers(port: int) -> bool:
    request = http.client.HTTPConnection(_HOST, port, timeout=1)
    try:
        request.request("GET", "/health")
        return request.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        request.close()


def _end(child: subprocess.Popen[bytes]) -> None:
    """End the server with the workers it started."""
    for kind in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, kind)
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(_PATIENCE_S)
            return


@contextlib.contextmanager
def _signals_as_interrupts() -> Iterator[None]:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _check_free(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((_HOST, port))
        except OSError as error:
            raise StoreError(
                f"port {port} on {_HOST} cannot be used: {error.strerror}",
                hint="Give another one: `mlops ui --port 5001`.",
            ) from error


def _make_database(
    uri: str, setting_up: Callable[[], AbstractContextManager[object]]
) -> None:
    os.environ.update(_ENVIRON)
    from mlflow import MlflowClient

    with setting_up():
        MlflowClient(tracking_uri=uri).search_experiments(max_results=1)

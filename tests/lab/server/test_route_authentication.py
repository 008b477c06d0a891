"""No route of nbship answers without authentication."""

from __future__ import annotations

import warnings

import pytest
from jupyter_server.serverapp import ServerApp
from jupyter_server.utils import JupyterServerAuthWarning

pytestmark = pytest.mark.lab


def test_every_method_of_every_route_wants_authentication(tmp_path, monkeypatch):
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(tmp_path))
    ServerApp.clear_instance()
    app = ServerApp(
        allow_unauthenticated_access=False,
        jpserver_extensions={"nbship_lab": True},
        reraise_server_extension_failures=True,
    )
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        app.initialize(argv=[], find_extensions=False, new_httpserver=False)
    ServerApp.clear_instance()
    complaints = [w for w in caught if issubclass(w.category, JupyterServerAuthWarning)]
    assert [str(warning.message) for warning in complaints] == []

"""``mlops ui``: MLflow's own pages over the store."""

import os
import socket
import subprocess
import sys
import urllib.request


def test_the_address_is_told_when_it_answers_and_nothing_else_is(tmp_path):
    (tmp_path / "mlops.toml").write_text("")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = subprocess.Popen(
        [sys.executable, "-m", "nbship.faces.cli", "ui", "--port", str(port)],
        cwd=tmp_path,
        env={k: v for k, v in os.environ.items() if not k.startswith("MLFLOW")},
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        said = server.stdout.readline()
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/") as page:
            status = page.status
    finally:
        server.terminate()
        rest, _ = server.communicate(timeout=30)

    assert said == f"MLflow: http://127.0.0.1:{port} (Ctrl-C ends it)\n"
    assert status == 200
    assert rest == "MLflow has ended\n"

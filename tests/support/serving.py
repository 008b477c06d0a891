"""Exported packages laid out as installed, and servers started from them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import httpx

from nbship.adapters.bundles.wheel import WheelBuilder, read_wheel
from nbship.workflow.bundle_files import read_capture
from support.executed import ExecutedNotebook

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_START_S = 120.0

MATRIX = """
import numpy as np
from sklearn.datasets import make_classification
{imports}
X, y = make_classification(300, 6, n_informative=4, random_state=1)
y = np.array(["no", "yes"])[y]
"""
FRAME = (
    MATRIX
    + """
import pandas as pd
X = pd.DataFrame(X, columns=["age", "height", "weight", "pulse", "dose", "days"])
X["days"] = (X["days"] * 10).round().astype("int64")
"""
)


def site_of(folder: Path, name: str, capture: Path, **more: Any) -> Path:
    """Lay a capture's package out as if its wheel was installed into ``folder/site``."""
    record = read_capture(capture)
    origin = {"name": name, "package": name, "version": "1.0.0", "job": "job-1", **more}
    wheel = WheelBuilder().build(record, capture, into=folder, origin=origin)
    for path, content in read_wheel(wheel).items():
        target = folder / "site" / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
    return folder / "site"


def estimator_site(  # noqa: PLR0913  # what an estimator is made of
    folder: Path,
    name: str,
    *,
    imports: str,
    fit: str,
    frame: bool = False,
    declared: str = "",
    **origin: Any,
) -> Path:
    """Capture a fitted estimator ``model`` of a notebook, and lay its package out."""
    text = (FRAME if frame else MATRIX).replace("{imports}", imports)
    golden = f"import nbship\nnbship.golden(model, {declared})" if declared else ""
    notebook = ExecutedNotebook(
        text, f"model = {fit}", "X_test = X[:40]", golden, roots=()
    )
    notebook.capture(folder / "capture", "model")
    return site_of(folder, name, folder / "capture", **origin)


class ServerProcess:
    """``python -m PACKAGE serve`` on a port of its own, with the lines of its log.

    The package lies below ``site``, or is installed where ``python`` is.
    """

    def __init__(
        self, site: Path | None, name: str, *words: str, python: Path | None = None
    ) -> None:
        self.site = site
        environ = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
        if site is not None:
            environ["PYTHONPATH"] = str(site)
        command = [str(python or sys.executable), "-m", name, "serve", "--port", "0"]
        self.process = subprocess.Popen(
            [*command, *words],
            env=environ,
            stderr=subprocess.PIPE,
            text=True,
            cwd=python.parent if python else site and site.parent,
        )
        self.lines: list[str] = []
        self._began = threading.Event()
        self._reader = threading.Thread(target=self._read)
        self._reader.start()
        self._began.wait(_START_S)
        started = [line for line in self.events("started") if "address" in line]
        if not started:
            self._close()
            raise AssertionError("".join(self.lines))
        self.address = started[0]["address"]
        self.client = httpx.Client(base_url=f"http://{self.address}", timeout=60)

    def events(self, name: str) -> list[dict[str, Any]]:
        """Return the lines of the log about one kind of event."""
        found = [json.loads(line) for line in self.lines if line.startswith("{")]
        return [line for line in found if line["event"] == name]

    def wait_ready(self) -> ServerProcess:
        """Wait until readiness says yes.

        Raises
        ------
        AssertionError
            If it does not within two minutes.
        """
        deadline = time.monotonic() + _START_S
        while time.monotonic() < deadline:
            answer = self.client.get("/v2/health/ready")
            if answer.status_code == 200:
                return self
            time.sleep(0.02)
        raise AssertionError(answer.text, self.lines)

    def wait_for(self, event: str) -> list[dict[str, Any]]:
        """Wait until the log tells of an event; return its lines.

        Raises
        ------
        AssertionError
            If it does not within two minutes.
        """
        deadline = time.monotonic() + _START_S
        while time.monotonic() < deadline:
            if found := self.events(event):
                return found
            time.sleep(0.02)
        raise AssertionError(self.lines)

    def end(self) -> int:
        """Tell it to end; return its exit code."""
        self.client.close()
        self.process.terminate()
        return self._close()

    def _close(self) -> int:
        code = self.process.wait(_START_S)
        self._reader.join()
        assert self.process.stderr is not None
        self.process.stderr.close()
        return code

    def _read(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.lines.append(line)
            if '"started"' in line:
                self._began.set()
        self._began.set()


@contextmanager
def served(site: Path, name: str, *words: str) -> Iterator[ServerProcess]:
    """Have a server that is ready, and that ends as it should."""
    server = ServerProcess(site, name, *words).wait_ready()
    try:
        yield server
    except BaseException:
        server.end()
        raise
    assert server.end() == 0

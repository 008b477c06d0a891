"""How each server is started and asked, and what it costs."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import psutil

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

HERE = Path(__file__).parent
_START_S = 180.0


@dataclass(kw_only=True)
class Server:
    """One way to serve a model."""

    name: str
    #: port -> the command
    command: Callable[[int], list[str]]
    path: str
    #: rows -> the body of a request
    body: Callable[[list[dict[str, float]]], Any]
    #: answer -> the predictions
    read: Callable[[Any], list[Any]]
    environ: Mapping[str, str] = field(default_factory=dict)
    cwd: Path | None = None


class Running:
    """A started server: its time to the first answer, memory, and load."""

    def __init__(self, server: Server, rows: list[dict[str, float]], log: Path) -> None:
        self.server = server
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}{server.path}"
        environ = {**os.environ, **server.environ, "OMP_NUM_THREADS": "1"}
        started = time.perf_counter()
        with log.open("w") as stream:
            self.process = subprocess.Popen(
                server.command(self.port),
                env=environ,
                cwd=server.cwd,
                stdout=stream,
                stderr=stream,
            )
        self.first = self._first_answer(rows, log)
        self.cold_start_s = time.perf_counter() - started

    def _first_answer(self, rows: list[dict[str, float]], log: Path) -> list[Any]:
        body = self.server.body(rows)
        deadline = time.monotonic() + _START_S
        while time.monotonic() < deadline and self.process.poll() is None:
            try:
                answer = httpx.post(self.url, json=body, timeout=30)
            except httpx.TransportError:
                answer = None
            if answer is not None and answer.status_code == httpx.codes.OK:
                return self.server.read(answer.json())
            time.sleep(0.02)
        self.end()
        raise SystemExit(
            f"{self.server.name} did not answer:\n{log.read_text()[-3000:]}"
        )

    def memory_mib(self) -> float:
        """Add up the proportional memory of all its processes."""
        parent = psutil.Process(self.process.pid)
        family = [parent, *parent.children(recursive=True)]
        return sum(one.memory_full_info().pss for one in family) / 1024**2

    def load(self, body: Path, *, connections: int, seconds: float) -> dict[str, float]:
        """Ask as fast as it answers, over so many connections.

        Raises
        ------
        SystemExit
            If wrk is not installed.
        """
        wrk = shutil.which("wrk")
        if wrk is None:
            raise SystemExit("wrk is missing: apt-get install wrk")
        words = [wrk, "-t1", f"-c{connections}", f"-d{seconds}s", "-s"]
        done = subprocess.run(
            [*words, str(HERE / "load.lua"), self.url],
            env={**os.environ, "BODY": str(body)},
            capture_output=True,
            text=True,
            check=True,
        )
        found = json.loads(done.stdout.strip().splitlines()[-1])
        return {
            "requests_per_s": found["requests"] / (found["duration_us"] / 1e6),
            "p50_ms": found["p50_us"] / 1000,
            "p99_ms": found["p99_us"] / 1000,
            "failed": found["failed"],
        }

    def end(self) -> None:
        """End it and its processes."""
        parent = psutil.Process(self.process.pid)
        family = parent.children(recursive=True)
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
        for one in family:
            if one.is_running():
                one.kill()


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def servers(
    folder: Path, *, site: Path, workers: int, pythons: Mapping[str, str]
) -> dict[str, Server]:
    """Describe every server for the model of a folder."""
    plain = {
        "body": lambda rows: {"instances": rows},
        "read": lambda answer: answer["predictions"],
        "path": "/predict",
    }
    ours = [sys.executable, "-m", "bench_model", "serve", "--workers", str(workers)]
    own = {"environ": {"PYTHONPATH": str(site)}, **plain}
    model = {"MODEL": str(folder / "model.joblib")}
    fastapi, mlflow = (
        pythons.get(name, sys.executable) for name in ("fastapi", "mlflow")
    )
    found = [
        Server(name="ours", command=lambda port: [*ours, "--port", str(port)], **own),
        Server(
            name="ours, author's code",
            command=lambda port: [*ours, "--port", str(port), "--only-author"],
            **own,
        ),
        Server(
            name="fastapi",
            command=lambda port: [
                *(fastapi, "-m", "uvicorn", "fastapi_app:app", "--no-access-log"),
                *("--port", str(port), "--workers", str(workers)),
            ],
            environ=model,
            cwd=HERE,
            **plain,
        ),
        Server(
            name="mlflow",
            command=lambda port: [
                *(mlflow, "-m", "mlflow", "models", "serve", "--env-manager", "local"),
                *("-m", str(folder / "mlflow"), "-h", "127.0.0.1", "-p", str(port)),
                *("-w", str(workers)),
            ],
            path="/invocations",
            body=lambda rows: {"dataframe_records": rows},
            read=lambda answer: answer["predictions"],
            environ={"PATH": f"{Path(mlflow).parent}:{os.environ['PATH']}"},
        ),
    ]
    return {server.name: server for server in found}

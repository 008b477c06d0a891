"""A server that is started, asked and measured."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
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

    def memory_mib(self) -> dict[str, float]:
        """Add up the memory of all its processes: shared parts once (PSS), and as often (RSS)."""
        parent = psutil.Process(self.process.pid)
        found = [
            one.memory_full_info() for one in (parent, *parent.children(recursive=True))
        ]
        return {
            "memory_mib": sum(one.pss for one in found) / 1024**2,
            "rss_mib": sum(one.rss for one in found) / 1024**2,
            "processes": len(found),
        }

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
        words = [wrk, "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "30s"]
        done = subprocess.run(
            [*words, "-s", str(HERE / "load.lua"), self.url],
            env={**os.environ, "BODY": str(body)},
            capture_output=True,
            text=True,
            check=True,
        )
        found = json.loads(done.stdout.strip().splitlines()[-1])
        return {
            "requests": found["requests"],
            "seconds": found["duration_us"] / 1e6,
            "p50_ms": found["p50_us"] / 1000,
            "p99_ms": found["p99_us"] / 1000,
            "failed": found["failed"],
        }

    def end(self) -> None:
        """End it and its processes."""
        if self.process.poll() is not None:
            return
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

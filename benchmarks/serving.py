"""Exported packages that serve, beside other servers of the same fitted models, in one run.

    python benchmarks/serving.py [--seconds 2] [--rounds 2] [--connections 1 16 64] [--rows 1 256]
        [--models logistic forest boosting] [--peers ours fastapi …] [--workers 1]
        [--environments FOLDER] [--python mlflow=PATH/python] [--json FILE]

The load generator is wrk, one thread, closed loop: it shows what a server can do, not how it
behaves when asked at a fixed rate. It runs on the same cores as the servers. All servers of a
model are started, each with the same number of worker processes and one thread of BLAS; each
one's answers are compared with the model's own before anything is measured, and all are
warmed up; then they take turns, so that what else the machine does meets all of them. A loop
that calls the model without any server is the yardstick. BentoML and MLServer get environments
of their own in a cache folder, made once from the package index that pip knows.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import joblib

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "benchmarks")]

from serving_peers.environments import (  # noqa: E402
    PACKAGES,
    cache_folder,
    python_of,
    versions_of,
)
from serving_peers.known import EXACT, GRAPH, INEXACT, OURS, PEERS, Place  # noqa: E402
from serving_peers.servers import Running  # noqa: E402

from nbship import golden  # noqa: E402
from support.executed import ExecutedNotebook  # noqa: E402
from support.serving import site_of  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd

FEATURES = 30
DATA = f"""
import pandas as pd
from sklearn.datasets import make_classification
from sklearn.ensemble import GradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
X, y = make_classification(2000, {FEATURES}, n_informative=12, random_state=1)
X = pd.DataFrame(X, columns=[f"f{{n}}" for n in range({FEATURES})])
"""
MODELS = {
    "logistic": "make_pipeline(StandardScaler(), LogisticRegression()).fit(X, y)",
    "forest": "RandomForestClassifier(100, random_state=1).fit(X, y)",
    "boosting": "GradientBoostingClassifier(random_state=1).fit(X, y)",
}
HEAD = (
    f"{'model':9} {'server':20} {'rows':>4} {'conns':>5} {'requests/s':>11} "
    f"{'p50 ms':>8} {'p99 ms':>8} {'MiB':>6} {'start s':>8} {'of the loop':>11}"
)


def prepared(folder: Path, name: str) -> tuple[Any, pd.DataFrame]:
    """Fit a model, export it without and with a graph, and save it for the peers."""
    notebook = ExecutedNotebook(
        DATA, f"model = {MODELS[name]}", "X_test = X[:40]", roots=()
    )
    model, frame = notebook.namespace["model"], notebook.namespace["X"]
    for package in (EXACT, INEXACT):
        if package == INEXACT:
            golden(model, onnx=True, rtol=1e-5)
        capture = folder / package / "capture"
        notebook.capture(capture, "model")
        site_of(folder / package, package, capture)
    joblib.dump(model, folder / "model.joblib")
    return model, frame


def reason_against_graph(site: Path) -> str:
    """Say why the package with a graph does not answer by it; "" where it does."""
    done = subprocess.run(
        [sys.executable, "-m", INEXACT, "info", "--json"],
        cwd=site,
        capture_output=True,
        text=True,
        check=True,
    )
    serving = json.loads(done.stdout)["serving"]
    return "" if "ONNX" in serving["answers"] else str(serving["why"])


def save_for_mlflow(model: Any, frame: pd.DataFrame, folder: Path) -> None:
    import mlflow.sklearn
    from mlflow.models import infer_signature

    mlflow.sklearn.save_model(
        model,
        folder / "mlflow",
        signature=infer_signature(frame, model.predict(frame[:5])),
        serialization_format="cloudpickle",
        pip_requirements=[],
    )


def loop_per_s(model: Any, frame: pd.DataFrame, seconds: float) -> float:
    """Call the model again and again, with the data frame made already."""
    started, calls = time.perf_counter(), 0
    while time.perf_counter() - started < seconds:
        model.predict(frame)
        calls += 1
    return calls / (time.perf_counter() - started)


def measured(options: argparse.Namespace) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    pythons = pythons_of(options)
    print(HEAD, flush=True)
    for name in options.models:
        with tempfile.TemporaryDirectory(
            prefix="nbship-serving-", ignore_cleanup_errors=True
        ) as temporary:
            folder = Path(temporary)
            model, frame = prepared(folder, name)
            if "mlflow" in options.peers:
                save_for_mlflow(model, frame, folder)
            place = Place(
                folder=folder,
                site=folder / EXACT / "site",
                graph_site=folder / INEXACT / "site",
                workers=options.workers,
                pythons=pythons,
            )
            for row in _of_model(model, frame, place, options):
                rows.append({"model": name, **row})
                print(_line(rows[-1]), flush=True)
    return rows


def pythons_of(options: argparse.Namespace) -> dict[str, str]:
    """Return the interpreters of peers that have one of their own."""
    given = dict(text.split("=", 1) for text in options.python)
    for peer in PACKAGES:
        if peer not in given and any(p.startswith(peer) for p in options.peers):
            given[peer] = python_of(peer, options.environments)
    return given


def _of_model(
    model: Any, frame: pd.DataFrame, place: Place, options: argparse.Namespace
) -> Iterator[dict[str, Any]]:
    """Start every server, and let them take turns."""
    loops = {
        count: loop_per_s(model, frame[:count], min(2, options.seconds))
        for count in options.rows
    }
    records = frame.to_dict("records")
    started: list[Running] = []
    try:
        reason = reason_against_graph(place.graph_site)
        if reason:
            print(f"{GRAPH}: not used: {reason}", flush=True)
        for peer in options.peers:
            if peer == GRAPH and reason:
                continue
            server = PEERS[peer](place)
            log = place.folder / f"{peer}.txt"
            started.append(Running(server, records[:8], log))
            _check(started[-1], model.predict(frame[:8]).tolist())
        for count in options.rows:
            bodies = [_body(one, records[:count], place.folder) for one in started]
            for one, body in zip(started, bodies, strict=True):
                one.load(body, connections=4, seconds=1)
            for connections in options.connections:
                yield from _turns(started, bodies, loops, count, connections, options)
    finally:
        for one in started:
            one.end()


def _check(running: Running, wanted: list[Any]) -> None:
    if running.first != wanted:
        raise SystemExit(f"{running.server.name}: {running.first} where {wanted}")


def _body(running: Running, records: list[dict[str, float]], folder: Path) -> Path:
    path = folder / f"{running.server.name}.json"
    path.write_text(json.dumps(running.server.body(records)))
    return path


def _turns(  # noqa: PLR0913, PLR0917
    started: list[Running],
    bodies: list[Path],
    loops: dict[int, float],
    count: int,
    connections: int,
    options: argparse.Namespace,
) -> Iterator[dict[str, Any]]:
    """Measure every server once a round; the first one changes."""
    found: dict[str, list[dict[str, float]]] = {}
    rounds = options.rounds if count == 1 < connections else 1
    seconds = options.seconds if count == 1 else options.seconds + 1
    pairs = list(zip(started, bodies, strict=True))
    for number in range(rounds):
        for one, body in pairs[number:] + pairs[:number]:
            lap = one.load(body, connections=connections, seconds=seconds)
            found.setdefault(one.server.name, []).append(lap)
    for one in started:
        laps = found[one.server.name]
        speed = sum(x["requests"] for x in laps) / sum(x["seconds"] for x in laps)
        yield {
            "server": one.server.name,
            "rows": count,
            "connections": connections,
            "requests_per_s": speed,
            "p50_ms": statistics.mean(x["p50_ms"] for x in laps),
            "p99_ms": statistics.mean(x["p99_ms"] for x in laps),
            "failed": sum(x["failed"] for x in laps),
            "cold_start_s": one.cold_start_s,
            "of_the_loop": speed / loops[count],
            **one.memory_mib(),
            "laps": laps,
        }


def _line(row: dict[str, Any]) -> str:
    failed = f"  {row['failed']} FAILED" if row["failed"] else ""
    return (
        f"{row['model']:9} {row['server']:20} {row['rows']:4} {row['connections']:5} "
        f"{row['requests_per_s']:11.1f} {row['p50_ms']:8.2f} {row['p99_ms']:8.2f} "
        f"{row['memory_mib']:6.0f} {row['cold_start_s']:8.2f} {row['of_the_loop']:11.2f}"
        f"{failed}"
    )


def _ratios(rows: list[dict[str, Any]]) -> None:
    """Compare the exact path with each peer, where both were measured."""
    found = {(r["model"], r["rows"], r["connections"], r["server"]): r for r in rows}
    for (model, count, connections, server), row in found.items():
        ours = found.get((model, count, connections, OURS))
        if ours and not server.startswith(OURS):
            faster = ours["requests_per_s"] / row["requests_per_s"]
            sooner = row["p99_ms"] / ours["p99_ms"]
            place = f"{model}, {count} rows, {connections} connections"
            print(
                f"{place}: ours / {server} = {faster:.1f}, p99 {sooner:.1f} times less"
            )


def _facts(options: argparse.Namespace) -> dict[str, Any]:
    """Say what was measured with what."""
    names = ("mlflow", "fastapi", "uvicorn", "scikit-learn", "numpy", "pandas")
    own = versions_of(sys.executable, names)
    others = {
        peer: versions_of(python, (peer, "uvicorn", "scikit-learn", "numpy"))
        for peer, python in pythons_of(options).items()
    }
    return {
        "python": platform.python_version(),
        "cpus": len(os.sched_getaffinity(0)),
        "load": list(os.getloadavg()),
        "versions": {"here": own, **others},
        "arguments": {
            name: str(getattr(options, name))
            for name in (
                "seconds",
                "rounds",
                "connections",
                "rows",
                "models",
                "workers",
            )
        },
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=1, help="turns for one row")
    parser.add_argument("--connections", type=int, nargs="+", default=[1, 16])
    parser.add_argument("--rows", type=int, nargs="+", default=[1])
    parser.add_argument("--models", nargs="+", choices=MODELS, default=["logistic"])
    parser.add_argument("--peers", nargs="+", choices=PEERS, default=list(PEERS))
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--environments", type=Path, default=cache_folder())
    parser.add_argument("--python", nargs="*", default=[], metavar="PEER=PYTHON")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    facts = _facts(options)
    rows = measured(options)
    _ratios(rows)
    if options.json:
        found = json.dumps({**facts, "rows": rows}, indent=1)
        options.json.write_text(found + "\n", "utf-8")


if __name__ == "__main__":
    main()

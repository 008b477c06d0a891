"""Exported packages that serve, beside other servers of the same fitted models, in one run.

    python benchmarks/serving.py [--seconds 3] [--connections 1 16 64] [--rows 1 256]
        [--models logistic forest boosting] [--peers ours fastapi mlflow] [--workers 1]
        [--python mlflow=PATH/python] [--json FILE]

The load generator is wrk, one thread, closed loop: it shows what a server can do, not how it
behaves when asked at a fixed rate. Servers take turns, each with the same number of workers
and one thread of BLAS; every server's answers are compared with the model's own before it is
measured. A loop that calls the model without any server is the yardstick.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import joblib

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "benchmarks")]

from serving_peers.servers import Running, servers  # noqa: E402

from support.executed import ExecutedNotebook  # noqa: E402
from support.serving import site_of  # noqa: E402

if TYPE_CHECKING:
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


def prepared(folder: Path, name: str) -> tuple[Any, pd.DataFrame, Path]:
    """Fit a model, export it, and save it for the peers."""
    notebook = ExecutedNotebook(
        DATA, f"model = {MODELS[name]}", "X_test = X[:40]", roots=()
    )
    notebook.capture(folder / "capture", "model")
    site = site_of(folder, "bench_model", folder / "capture")
    model, frame = notebook.namespace["model"], notebook.namespace["X"]
    joblib.dump(model, folder / "model.joblib")
    return model, frame, site


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
    pythons = dict(text.split("=", 1) for text in options.python)
    print(HEAD, flush=True)
    for name in options.models:
        with tempfile.TemporaryDirectory(prefix="nbship-serving-") as temporary:
            folder = Path(temporary)
            model, frame, site = prepared(folder, name)
            if "mlflow" in options.peers:
                save_for_mlflow(model, frame, folder)
            known = servers(folder, site=site, workers=options.workers, pythons=pythons)
            loops = {
                count: loop_per_s(model, frame[:count], options.seconds)
                for count in options.rows
            }
            for peer in options.peers:
                for row in _one(known[peer], model, frame, loops, folder, options):
                    rows.append({"model": name, **row})
                    print(_line(rows[-1]), flush=True)
    return rows


def _one(server, model, frame, loops, folder, options):  # noqa: PLR0913, PLR0917
    records = frame.to_dict("records")
    running = Running(server, records[:8], folder / "log.txt")
    try:
        wanted = model.predict(frame[:8]).tolist()
        if running.first != wanted:
            raise SystemExit(f"{server.name}: {running.first} where {wanted}")
        for count in options.rows:
            body = folder / "body.json"
            body.write_text(json.dumps(server.body(records[:count])))
            running.load(body, connections=4, seconds=min(1, options.seconds))
            for connections in options.connections:
                found = running.load(
                    body, connections=connections, seconds=options.seconds
                )
                yield {
                    "server": server.name,
                    "rows": count,
                    "connections": connections,
                    **found,
                    "memory_mib": running.memory_mib(),
                    "cold_start_s": running.cold_start_s,
                    "of_the_loop": found["requests_per_s"] / loops[count],
                }
    finally:
        running.end()


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
    found = {
        (r["model"], r["rows"], r["connections"], r["server"]): r["requests_per_s"]
        for r in rows
    }
    for (model, count, connections, server), speed in found.items():
        ours = found.get((model, count, connections, "ours"))
        if ours and server != "ours":
            place = f"{model}, {count} rows, {connections} connections"
            print(f"{place}: ours / {server} = {ours / speed:.1f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=int, default=1)
    parser.add_argument("--connections", type=int, nargs="+", default=[1, 16])
    parser.add_argument("--rows", type=int, nargs="+", default=[1])
    parser.add_argument("--models", nargs="+", choices=MODELS, default=["logistic"])
    peers = ["ours", "ours, author's code", "fastapi", "mlflow"]
    parser.add_argument("--peers", nargs="+", default=peers)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--python", nargs="*", default=[], metavar="PEER=PYTHON")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    rows = measured(options)
    _ratios(rows)
    if options.json:
        options.json.write_text(json.dumps(rows, indent=1) + "\n")


if __name__ == "__main__":
    main()

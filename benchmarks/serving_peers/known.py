"""The servers that are compared, each started as its own pages advise for production."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from serving_peers.servers import HERE, Server

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

#: what a model is saved as for each, below its folder
JOBLIB, MLFLOW = "model.joblib", "mlflow"
OURS, AUTHOR = "ours", "ours, author's code"
TENSORS, GRAPH = "ours, tensors", "ours, ONNX"
#: import names of the exact package, and of the one whose author asks for a graph
EXACT, INEXACT = "bench_model", "bench_graph"


@dataclass(kw_only=True)
class Place:
    """Where a fitted model lies, and how many processes may answer."""

    folder: Path
    site: Path
    #: where the package with a graph lies
    graph_site: Path
    workers: int
    pythons: Mapping[str, str]

    def python(self, peer: str) -> str:
        """Return the interpreter of a peer."""
        return self.pythons.get(peer, sys.executable)


def ours(place: Place, name: str, *words: str, **more: Any) -> Server:
    package, site = EXACT, place.site
    if name == GRAPH:
        package, site = INEXACT, place.graph_site
    command = [sys.executable, "-m", package, "serve"]
    command += ["--workers", str(place.workers), "--log", "errors", *words]
    return Server(
        name=name,
        command=lambda port: [*command, "--port", str(port)],
        environ={"PYTHONPATH": str(site)},
        **(more or _plain()),
    )


def tensors(place: Place) -> Server:
    """Ask ours by the Open Inference Protocol, a tensor for each column."""
    path = "/v2/models/bench_model/infer"
    return ours(place, TENSORS, path=path, body=_columns, read=_first_output)


def fastapi(place: Place) -> Server:
    words = ["-m", "uvicorn", "fastapi_app:app", "--no-access-log"]
    words += ["--workers", str(place.workers)]
    return Server(
        name="fastapi",
        command=lambda port: [place.python("fastapi"), *words, "--port", str(port)],
        environ={"MODEL": str(place.folder / JOBLIB)},
        cwd=HERE,
        **_plain(),
    )


def mlflow(place: Place) -> Server:
    python = place.python("mlflow")
    words = [python, "-m", "mlflow", "models", "serve", "--env-manager", "local"]
    words += ["-m", str(place.folder / MLFLOW), "-w", str(place.workers)]
    return Server(
        name="mlflow",
        command=lambda port: [*words, "-h", "127.0.0.1", "-p", str(port)],
        path="/invocations",
        body=lambda rows: {"dataframe_records": rows},
        read=lambda answer: answer["predictions"],
        environ={"PATH": f"{Path(python).parent}:{os.environ['PATH']}"},
    )


def bentoml(place: Place) -> Server:
    """Serve arrays with adaptive batching; ``bentoml serve`` without --reload is production."""
    words = [place.python("bentoml"), "-m", "bentoml", "serve", "bento_service:Model"]
    words += ["--host", "127.0.0.1", "--working-dir", str(HERE)]
    return Server(
        name="bentoml",
        command=lambda port: [*words, "--port", str(port)],
        path="/predict",
        body=lambda rows: {"rows": [list(row.values()) for row in rows]},
        read=lambda answer: answer,
        environ={
            "MODEL": str(place.folder / JOBLIB),
            "WORKERS": str(place.workers),
            "BENTOML_HOME": str(place.folder / "bentoml"),
            "BENTOML_DO_NOT_TRACK": "True",
        },
        cwd=HERE,
    )


def mlserver(place: Place, name: str, **settings: Any) -> Server:
    """Serve with MLServer's own runtime for scikit-learn."""
    folder = place.folder / name.replace(", ", "-")
    model = {
        "name": "bench",
        "implementation": "mlserver_sklearn.SKLearnModel",
        "parameters": {"uri": str(place.folder / JOBLIB), "version": "1"},
        **settings,
    }
    python = place.python("mlserver")

    def command(port: int) -> list[str]:
        folder.mkdir(exist_ok=True)
        server = {
            "debug": False,
            "host": "127.0.0.1",
            "http_port": port,
            "grpc_port": port + 1,
            "metrics_port": port + 2,
            "parallel_workers": place.workers,
        }
        (folder / "settings.json").write_text(json.dumps(server), "utf-8")
        (folder / "model-settings.json").write_text(json.dumps(model), "utf-8")
        return [str(Path(python).parent / "mlserver"), "start", str(folder)]

    return Server(
        name=name,
        command=command,
        path="/v2/models/bench/infer",
        body=_matrix,
        read=_first_output,
        cwd=place.folder,
    )


def mlserver_batching(place: Place) -> Server:
    """Let it wait a millisecond for company: what its batching costs beside what it gains."""
    return mlserver(
        place, "mlserver, batching", max_batch_size=64, max_batch_time=0.001
    )


#: name -> what describes it
PEERS: dict[str, Callable[[Place], Server]] = {
    OURS: lambda place: ours(place, OURS),
    TENSORS: tensors,
    GRAPH: lambda place: ours(place, GRAPH),
    AUTHOR: lambda place: ours(place, AUTHOR, "--only-author"),
    "fastapi": fastapi,
    "mlflow": mlflow,
    "bentoml": bentoml,
    "mlserver": lambda place: mlserver(place, "mlserver"),
    "mlserver, batching": mlserver_batching,
}


def _plain() -> dict[str, Any]:
    return {
        "path": "/predict",
        "body": lambda rows: {"instances": rows},
        "read": lambda answer: answer["predictions"],
    }


def _matrix(rows: list[dict[str, float]]) -> dict[str, Any]:
    data = [list(row.values()) for row in rows]
    shape = [len(rows), len(rows[0])]
    return {"inputs": [{"name": "x", "shape": shape, "datatype": "FP64", "data": data}]}


def _columns(rows: list[dict[str, float]]) -> dict[str, Any]:
    return {
        "inputs": [
            {
                "name": name,
                "shape": [len(rows)],
                "datatype": "FP64",
                "data": [row[name] for row in rows],
            }
            for name in rows[0]
        ]
    }


def _first_output(answer: dict[str, Any]) -> list[Any]:
    return answer["outputs"][0]["data"]

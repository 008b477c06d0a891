"""Releases as models of MLflow: loaded where nothing is installed, with the answers of the notebook."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml

from nbship.adapters.trackers.mlflow_models import write_model
from nbship.release.signature import signature_of
from nbship.resources import shipped_module
from nbship.workflow.bundle_files import regular_files
from nbship.workflow.pickle_scan import pickle_failures
from support.captures import write_capture, write_frame_capture
from support.models import publication_of_capture
from support.release_pairs import DEARER_MODULE, DEARER_SIGNATURE, dearer_cases

if TYPE_CHECKING:
    from nbship.records.mirror import Publication

SCRIPT = Path(__file__).resolve().parents[1] / "support" / "ask_model.py"

ARRAY_MODULE = """import numpy as np


def score(X):
    return np.asarray(X, dtype=np.float32) @ np.array([0.5, 2.0, -1.0], dtype=np.float32)
"""
NESTED_MODULE = """def total(basket, bought_at, weights=None, note=float("nan")):
    at = bought_at.isoformat()
    return {
        "sum": sum(item["price"] * item["count"] for item in basket),
        "at": at,
        "weights": sum(weights) if weights else 0.0,
        "note": note,
    }
"""
MONTHS_MODULE = """import pandas as pd


def ages(frame):
    out = frame[["count"]].copy()
    out["month"] = frame["born"].dt.month
    out["half"] = frame["size"].astype("float64") / 2
    return out
"""


def of_function(folder: Path, module: str, calls, parameters) -> Path:
    """Write the capture of a module's one function, recorded by calling it."""
    names: dict = {}
    exec(module, names)  # noqa: S102  # the fixture's own text
    name = next(line for line in module.splitlines() if line.startswith("def "))
    function = names[name.split()[1].partition("(")[0]]
    encode = shipped_module("_values").encode
    cases = [
        {
            "case": number,
            "args": [encode(item) for item in args],
            "kwargs": {key: encode(item) for key, item in named.items()},
            "output": encode(function(*args, **named)),
            "origin": "cell c1",
        }
        for number, (args, named) in enumerate(calls, 1)
    ]
    return write_capture(
        folder,
        module=module,
        recorded=cases,
        signature=signature_of(cases, parameters=parameters),
        name=function.__name__,
    )


def capture_of(kind: str, folder: Path) -> Path:
    import datetime as dt

    import numpy as np
    import pandas as pd

    if kind == "calls":
        return write_capture(
            folder,
            module=DEARER_MODULE,
            signature=DEARER_SIGNATURE,
            recorded=dearer_cases(),
        )
    if kind == "frame":
        return write_frame_capture(folder)
    if kind == "array":
        rows = np.arange(24, dtype=np.float32).reshape(8, 3) / 7
        return of_function(folder, ARRAY_MODULE, [([rows], {})], ["X"])
    if kind == "keyword":
        rows = np.arange(24, dtype=np.float64).reshape(8, 3) / 7
        return of_function(folder, ARRAY_MODULE, [([], {"X": rows})], ["X"])
    if kind == "dtypes":
        frame = pd.DataFrame(
            {
                "born": pd.to_datetime(["2020-01-31", "2021-12-01", None]),
                "count": pd.array([1, None, 3], dtype="Int64"),
                "size": np.array([0.1, 0.2, 0.3], dtype=np.float32),
            },
            index=[7, 9, 11],
        )
        return of_function(folder, MONTHS_MODULE, [([frame], {})], ["frame"])
    basket = [{"price": 2.5, "count": 2}, {"price": 0.3, "count": 1}]
    at = dt.datetime(2026, 11, 23, 9, 15, 0, 250, tzinfo=dt.UTC)
    calls = [
        ([basket, at], {}),
        ([basket[:1], at], {"weights": (1.5, 2.0)}),
        ([basket, at], {"weights": (1.5, 2.0), "note": 1.5}),
    ]
    return of_function(
        folder, NESTED_MODULE, calls, ["basket", "bought_at", "weights", "note"]
    )


KINDS = ("calls", "frame", "array", "keyword", "dtypes", "nested")


@pytest.fixture(scope="module")
def answered(tmp_path_factory) -> dict[str, dict]:
    """Ask models of all kinds, loaded side by side by a process without nbship."""
    folder, words = tmp_path_factory.mktemp("kinds"), []
    for kind in KINDS:
        capture = capture_of(kind, folder / kind / "capture")
        told = publication_of_capture(capture, folder / kind / "bundle")
        write_model(told, folder / kind / "model")
        words += [folder / kind / "model", capture / "golden.jsonl"]
    environ = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    done = subprocess.run(
        [sys.executable, "-P", SCRIPT, *words],
        env={**environ, "MLFLOW_DISABLE_TELEMETRY": "true"},
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert "Warning" not in done.stderr
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    return dict(zip(KINDS, lines, strict=True))


@pytest.mark.parametrize(
    ("kind", "cases"),
    list(zip(KINDS, (25, 1, 1, 1, 1, 3), strict=True)),
)
def test_a_model_answers_as_the_notebook_did(answered, kind, cases):
    found = answered[kind]

    assert found["differences"] == []
    assert (found["cases"], found["nbship"]) == (cases, False)


def test_models_of_one_package_are_loaded_side_by_side(answered):
    packages = {found["package"] for found in answered.values()}

    assert len(packages) == len(KINDS)
    assert {name.partition("_")[0] for name in packages} == {"birds"}


@pytest.fixture(scope="module")
def model(tmp_path_factory) -> Path:
    """The model of the dearer fares, with a lock of two distributions."""
    folder = tmp_path_factory.mktemp("model")
    capture = capture_of("calls", folder / "capture")
    told = publication_of_capture(capture, folder / "bundle")
    lock = "".join(
        f"{name}=={version} \\\n    --hash=sha256:{digit * 64}\n"
        for name, version, digit in (("packaging", "26.3", "1"), ("six", "1.17.0", "2"))
    )
    (folder / "bundle" / "requirements.lock").write_text(lock, "utf-8")
    pins = {"packaging": "26.3", "six": "1.17.0"}
    write_model(_with_pins(told, pins), folder / "model")
    return folder / "model"


def _with_pins(told: Publication, pins: dict[str, str]) -> Publication:
    import dataclasses

    return dataclasses.replace(told, pins=pins)


def test_the_folder_names_no_place_and_holds_no_pickle(model):
    files = regular_files(model)
    failures, count = pickle_failures(files)

    assert failures == []
    assert count == len(files)
    for name, path in files.items():
        if not name.endswith(".whl"):
            assert str(model.parent) not in path.read_text("utf-8"), name
    flavor = yaml.safe_load((model / "MLmodel").read_text())["flavors"][
        "python_function"
    ]
    assert flavor["model_code_path"] == "released_model.py"
    assert flavor["loader_module"] == "mlflow.pyfunc.loaders.code_model"


def test_its_environment_is_made_from_the_lock_with_hashes(model):
    from mlflow.version import VERSION

    environment = yaml.safe_load((model / "python_env.yaml").read_text())
    requirements = (model / "requirements.txt").read_text()

    assert environment["build_dependencies"][-1] == f"mlflow=={VERSION}"
    assert environment["dependencies"] == ["-r requirements.txt"]
    assert requirements.startswith("packaging==26.3 \\\n    --hash=sha256:1111")
    conda = yaml.safe_load((model / "conda.yaml").read_text())
    assert conda["dependencies"][-1] == {
        "pip": [f"mlflow=={VERSION}", "packaging==26.3", "six==1.17.0"]
    }


def test_the_signature_is_the_releases_own(model):
    found = yaml.safe_load((model / "MLmodel").read_text())

    assert json.loads(found["signature"]["inputs"]) == [
        {"type": "string", "name": "zone", "required": True},
        {"type": "double", "name": "km", "required": True},
        {"type": "double", "name": "tip", "required": False},
    ]
    assert json.loads(found["signature"]["outputs"]) == [
        {"type": "string", "name": "zone", "required": True},
        {"type": "double", "name": "price", "required": True},
        {"type": "boolean", "name": "is_long", "required": True},
    ]
    assert json.loads((model / "input_example.json").read_text()) == {
        "columns": ["zone", "km"],
        "data": [["B", 0.75]],
    }


def test_a_wheel_that_is_not_the_released_one_is_not_loaded(model, tmp_path):
    import shutil

    copy = shutil.copytree(model, tmp_path / "model")
    (wheel,) = (copy / "artifacts").glob("*.whl")
    wheel.write_bytes(wheel.read_bytes() + b"\0")

    done = subprocess.run(
        [
            sys.executable,
            "-c",
            f"import mlflow; mlflow.pyfunc.load_model({str(copy)!r})",
        ],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )

    assert done.returncode != 0
    assert "was released" in done.stderr


@pytest.mark.full
def test_mlflows_own_command_predicts_and_names_what_is_wrong(model, tmp_path):
    (tmp_path / "in.json").write_text(
        json.dumps(
            {"dataframe_records": [{"zone": "B", "km": 12.5}, {"zone": "A", "km": 2.0}]}
        )
    )

    done = _mlflow(tmp_path, "predict", "-m", model, "-i", tmp_path / "in.json", "-o", tmp_path / "out.json")  # fmt: skip

    assert done.returncode == 0, done.stderr
    assert json.loads((tmp_path / "out.json").read_text()) == {
        "predictions": [
            {"zone": "B", "price": (3.0 + 0.9 * 12.5) * 1.1, "is_long": True},
            {"zone": "A", "price": 4.7, "is_long": False},
        ]
    }


def _mlflow(folder: Path, *words) -> subprocess.CompletedProcess:
    return subprocess.run(
        [
            sys.executable,
            "-m",
            "mlflow",
            "models",
            *map(str, words),
            "--env-manager",
            "local",
        ],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


@pytest.mark.full
def test_mlflows_own_server_answers_and_refuses_with_a_status_of_the_400s(model):
    from support.live_kernel import wait_until

    port = _free_port()
    words = [
        "models",
        "serve",
        "-m",
        str(model),
        "-p",
        str(port),
        "--env-manager",
        "local",
    ]
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"  # it starts uvicorn
    server = subprocess.Popen(
        [sys.executable, "-m", "mlflow", *words],
        env={**os.environ, "PATH": path},
        cwd=model.parent,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        wait_until(
            lambda: _get(port, "/ping") == 200, what="the server", timeout_s=120.0
        )
        right = _post(
            port, {"dataframe_records": [{"zone": "A", "km": 2.0, "tip": 1.0}]}
        )
        wrong = _post(port, {"dataframe_records": [{"zone": "X", "km": 2.0}]})
    finally:
        os.killpg(server.pid, 15)
        server.wait(60)

    assert right == (
        200,
        {"predictions": [{"zone": "A", "price": 5.7, "is_long": False}]},
    )
    assert wrong[0] == 400
    assert "zone: 'X' is none of 'A', 'B'" in wrong[1]["message"]


def _free_port() -> int:
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _get(port: int, path: str) -> int:
    try:
        with urllib.request.urlopen(
            f"http://127.0.0.1:{port}{path}", timeout=5
        ) as reply:
            return reply.status
    except OSError:
        return 0


def _post(port: int, body: dict) -> tuple[int, dict]:
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/invocations",
        data=json.dumps(body).encode(),
        headers={"Content-Type": "application/json"},
    )
    try:
        with urllib.request.urlopen(request, timeout=30) as reply:
            return reply.status, json.loads(reply.read())
    except urllib.error.HTTPError as error:
        return error.code, json.loads(error.read())

"""From a live kernel to the trackers: by processes that leave nothing behind."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from nbship.adapters.store.files import FileStore
from nbship.adapters.store.ledger import SqliteLedger
from nbship.records.run import CellStatus, RunStatus
from nbship.workflow.recording import load_run
from support import sample_run
from support.commands import LONG_S, mlops
from support.live_kernel import LiveKernel, wait_until
from support.wandb_reader import read_offline_run

pytestmark = pytest.mark.kernel
TRACKERS = {"MLOPS_TRACKERS": "mlflow,wandb"}


def ledger_of(folder: Path) -> SqliteLedger:
    return SqliteLedger(folder / ".mlops" / "shipping.sqlite")


def is_mirrored(folder: Path, run_id: str) -> bool:
    mirrors = ledger_of(folder).mirrors(run_id)
    return len(mirrors) == 2 and all(mirror.is_closed for mirror in mirrors)


def processes_of(run_id: str) -> list[str]:
    """List the commands of living processes that were started for a run."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            command = path.read_bytes().replace(b"\0", b" ").decode()
        except OSError:
            continue
        if run_id in command:
            found.append(command)
    return found


def mlflow_run(folder: Path):
    from mlflow import MlflowClient

    client = MlflowClient(f"sqlite:///{folder}/.mlops/mlflow.db")
    experiments = client.search_experiments(filter_string="name = 'path'")
    (run,) = client.search_runs([e.experiment_id for e in experiments])
    return client, run


def test_a_live_run_reaches_both_trackers_and_no_process_stays(tmp_path):
    kernel = LiveKernel(tmp_path, TRACKERS)
    try:
        kernel.run("%load_ext nbship\nimport nbship\n%mlops start path")
        kernel.run("alpha = 0.5", cell_id="p", tags=["parameters"])
        kernel.run("for i in range(20): nbship.log(loss=1 / (i + 1), step=i)")
        kernel.run("%mlops tag data=v2\n%mlops note fine")
        kernel.run("%mlops stop")
        run = kernel.last_run()
        wait_until(
            lambda: is_mirrored(tmp_path, run.id), what="mirrors", timeout_s=LONG_S
        )
        wait_until(lambda: not processes_of(run.id), what="the shipper to end")
    finally:
        kernel.close()
    run = kernel.last_run()
    client, mirror = mlflow_run(tmp_path)
    history = client.get_metric_history(mirror.info.run_id, "loss")
    assert sorted((m.step, m.value) for m in history) == [
        (m.step, m.value) for m in run.metrics
    ]
    assert mirror.data.params == {"alpha": "0.5"}
    assert mirror.data.tags["data"] == "v2"
    assert mirror.info.status == "FINISHED"
    assert mirror.info.start_time == int(run.started_at.timestamp() * 1000)
    (path,) = (tmp_path / ".mlops" / "wandb").glob("offline-run-*/*.wandb")
    offline = read_offline_run(path)
    rows = [(row["mlops/step"], row["loss"]) for row in offline.history]
    assert rows == [(m.step, m.value) for m in run.metrics]
    assert (offline.config["alpha"], offline.exit_code) == (0.5, 0)
    assert not (tmp_path / "mlruns").exists()


def test_a_kernel_killed_in_a_cell_leaves_a_run_closed_as_killed(tmp_path):
    kernel = LiveKernel(tmp_path)
    try:
        kernel.run("%load_ext nbship\nimport nbship\n%mlops start path")
        kernel.send(
            "nbship.log(loss=0.5, step=1)\nprint('fitting')\nimport time\n"
            "time.sleep(600)",
            cell_id="fit",
        )
        wait_until(
            lambda: "fitting" in str(kernel.last_run().cells[-1].outputs),
            what="the cell to be under way",
        )
        kernel.kill()
        wait_until(
            lambda: kernel.last_run().status is not RunStatus.RUNNING,
            what="the run to be closed",
        )
    finally:
        kernel.close()
    run = kernel.last_run()
    assert run.status is RunStatus.KILLED
    assert run.cause.startswith("the kernel was killed in cell fit [2] ('nbship.log(")
    assert run.cells[-1].status is CellStatus.KILLED
    assert run.last_metrics["loss"].value == 0.5
    assert run.cells[-1].outputs[0]["text"] == "fitting\n"
    wait_until(lambda: not processes_of(run.id), what="the shipper to end")


@pytest.mark.full
def test_a_tracker_that_is_down_slows_nobody_and_sync_brings_the_rest(tmp_path):
    dead = {"MLFLOW_TRACKING_URI": f"http://127.0.0.1:{free_port()}"}
    kernel = LiveKernel(tmp_path, {"MLOPS_TRACKERS": "mlflow", **dead})
    try:
        kernel.run("%load_ext nbship\nimport nbship\n%mlops start path")
        reply = kernel.run(
            "import time\nbegun = time.monotonic()\n"
            "for i in range(200): nbship.log(loss=i, step=i)\n"
            "print(time.monotonic() - begun)"
        )
        assert float(reply.text) < 5
        kernel.run("%mlops stop")
        run_id = kernel.last_run().id
        wait_until(
            lambda: not processes_of(run_id),
            what="the shipper to give up",
            timeout_s=LONG_S,
        )
    finally:
        kernel.close()
    refused = mlops(tmp_path, "sync", MLOPS_TRACKERS="mlflow", **dead)
    assert (refused.returncode, run_id in refused.stdout) == (1, True)
    done = mlops(tmp_path, "sync", MLOPS_TRACKERS="mlflow")
    assert (done.returncode, done.stdout) == (0, "mlflow: 1 complete\n")
    client, mirror = mlflow_run(tmp_path)
    assert len(client.get_metric_history(mirror.info.run_id, "loss")) == 200


def test_sync_closes_a_run_whose_kernel_and_shipper_both_died(tmp_path):
    store = FileStore(tmp_path / ".mlops")
    recorder = sample_run.begin(store)
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    recorder.start(pid=dead.pid, host=os.uname().nodename, birth="1")
    recorder.start_cell(cell_id="last", source="fit()", execution_count=9)
    done = mlops(tmp_path, "sync", MLOPS_TRACKERS="")
    assert done.returncode == 0
    run = load_run(store, sample_run.RUN_ID)
    assert run.status is RunStatus.KILLED
    assert run.cause == "the kernel was killed in cell last [9] ('fit()')"


def test_sync_leaves_a_run_alone_whose_kernel_lives(tmp_path):
    store = FileStore(tmp_path / ".mlops")
    recorder = sample_run.begin(store)
    recorder.start(pid=os.getpid(), host=os.uname().nodename)
    done = mlops(tmp_path, "sync", MLOPS_TRACKERS="wandb")
    assert (done.returncode, done.stdout) == (0, "wandb: 1 running\n")
    assert load_run(store, sample_run.RUN_ID).status is RunStatus.RUNNING


def test_the_report_is_attached_after_the_runs_end(tmp_path):
    from nbship.workbench import Workbench

    store = FileStore(tmp_path / ".mlops")
    sample_run.finish(sample_run.begin(store))
    report = store.folder / "reports" / "report-x.html"
    store.write_bytes(b"<p>fine</p>", report)
    Workbench.over(store.folder).attach_to_trackers(sample_run.RUN_ID, report, "report")
    wait_until(
        lambda: not ledger_of(tmp_path).attachments(sample_run.RUN_ID, "mlflow"),
        what="the report to be shipped",
        timeout_s=LONG_S,
    )
    client = mlflow_client(tmp_path)
    experiment = client.get_experiment_by_name("tariffs")
    (mirror,) = client.search_runs([experiment.experiment_id])
    (found,) = client.list_artifacts(mirror.info.run_id, "report")
    assert found.path == "report/report-x.html"
    wait_until(lambda: not processes_of(sample_run.RUN_ID), what="its process to end")


def mlflow_client(folder: Path):
    from mlflow import MlflowClient

    return MlflowClient(f"sqlite:///{folder}/.mlops/mlflow.db")


@pytest.mark.full
def test_the_pages_of_mlflow_show_the_run_and_end_with_the_command(tmp_path):
    store = FileStore(tmp_path / ".mlops")
    sample_run.finish(sample_run.begin(store))
    assert mlops(tmp_path, "sync", MLOPS_TRACKERS="mlflow").returncode == 0
    port = free_port()
    server = subprocess.Popen(
        [sys.executable, "-m", "nbship.faces.cli", "ui", "--port", str(port)],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        wait_until(
            lambda: answer(port, "/health") == "OK", what="pages", timeout_s=LONG_S
        )
        body = answer(
            port, "/ajax-api/2.0/mlflow/experiments/search", {"max_results": 10}
        )
        assert "tariffs" in [e["name"] for e in json.loads(body)["experiments"]]
    finally:
        server.terminate()
        out, _ = server.communicate(timeout=60)
    assert server.returncode == 0, out
    assert f"http://127.0.0.1:{port}" in out
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", port)) != 0


def test_a_taken_port_is_refused_in_one_message(tmp_path):
    (tmp_path / ".mlops").mkdir()
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        refused = mlops(tmp_path, "ui", "--port", port)
    assert refused.returncode == 3
    assert f"port {port} on 127.0.0.1 cannot be used" in refused.stderr


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def answer(port: int, path: str, body: dict | None = None) -> str:
    data = json.dumps(body).encode() if body else None
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}{path}",
        data=data,
        headers={"Content-Type": "application/json"},
    )
    try:
        with urllib.request.urlopen(request, timeout=10) as reply:
            return reply.read().decode()
    except OSError:
        return ""

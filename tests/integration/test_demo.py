"""The demo does what the README says, and each command that it prints works as printed."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from nbship.records.digest import digest_file, digest_tree
from support.releases import Forger

ROOT = Path(__file__).resolve().parents[2]
pytestmark = [pytest.mark.full, pytest.mark.kernel, pytest.mark.xdist_group("demo")]


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    folder = tmp_path_factory.mktemp("demo") / "project"
    done = _walk(folder)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
    return folder, done.stdout


def _walk(folder):
    return subprocess.run(
        [sys.executable, "binder/demo.py", str(folder)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )


def _commands(text):
    block = text.partition("Look further:\n")[2]
    return [line.strip() for line in block.splitlines() if line.strip()]


def test_the_demo_names_places_that_exist(demo):
    text = demo[1].partition("Where things lie:")[2]

    places = re.findall(
        r"^  (run|executed notebook|verdict|report|bundle) +(\S+)$", text, re.MULTILINE
    )

    assert [name for name, _ in places] == [
        "run",
        "executed notebook",
        "verdict",
        "report",
        "bundle",
    ]
    assert [path for _, path in places if not (ROOT / path).exists()] == []


def test_the_demo_takes_under_five_minutes(demo):
    _, text = demo

    assert int(re.search(r"^Done in (\d+) s", text, re.MULTILINE)[1]) < 300


def test_the_demo_prints_three_commands_and_the_first_two_work_verbatim(demo):
    _, text = demo
    commands = _commands(text)

    assert len(commands) == 3
    for command in commands[:2]:
        done = subprocess.run(
            ["sh", "-c", command],
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert done.returncode == 0, command + done.stdout + done.stderr


def test_the_third_command_serves_mlflow_on_this_machine_alone(demo):
    _, text = demo
    command = _commands(text)[2].partition("#")[0]
    port = int(re.search(r"--port (\d+)", command)[1])
    with socket.socket() as probe:
        if probe.connect_ex(("127.0.0.1", port)) == 0:
            pytest.fail(f"port {port} is taken on this machine: free it and repeat")

    server = subprocess.Popen(
        ["sh", "-c", f"exec sh -c '{command}'"], cwd=ROOT, start_new_session=True
    )
    try:
        assert _answers(f"http://127.0.0.1:{port}/health")
    finally:
        os.killpg(server.pid, signal.SIGINT)
        server.wait(60)


def _answers(url):
    end = time.monotonic() + 120
    while time.monotonic() < end:
        try:
            with urllib.request.urlopen(url, timeout=5) as response:
                return response.status == 200
        except OSError:
            time.sleep(0.5)
    return False


def test_the_demo_may_be_repeated_and_then_reuses_what_stands(demo):
    folder, _ = demo
    before = sorted(p.name for p in (folder / ".mlops" / "jobs").glob("job-*"))

    again = _walk(folder)

    assert again.returncode == 0, again.stdout[-4000:] + again.stderr[-4000:]
    assert sorted(p.name for p in (folder / ".mlops" / "jobs").glob("job-*")) == before
    assert len(list((folder / ".mlops" / "releases").glob("*/*/manifest.json"))) == 1


def test_the_state_that_ships_is_the_state_of_the_vetted_kernel(demo):
    folder, _ = demo
    outcome = json.loads(
        next((folder / ".mlops" / "jobs").glob("*/outcome.json")).read_text()
    )
    manifest = json.loads(
        next((folder / ".mlops" / "releases").glob("*/*/manifest.json")).read_text()
    )
    attempt = (
        folder
        / ".mlops"
        / "jobs"
        / outcome["job_id"]
        / "attempts"
        / str(outcome["attempt"])
    )

    captured = digest_tree(attempt / "roots" / "predict")

    assert outcome["roots"][0]["digest"] == captured == manifest["capture_digest"]


def _bundle(folder):
    return next((folder / ".mlops" / "releases").glob("*/*/manifest.json")).parent


def _verify(bundle):
    return subprocess.run(
        [sys.executable, "-m", "nbship.faces.cli", "verify", str(bundle)],
        cwd=bundle.parent,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def test_a_forged_golden_number_of_the_demo_is_named_although_all_is_recomputed(
    demo, tmp_path
):
    forger = Forger(_bundle(demo[0]), tmp_path)

    def change(data):
        first, *rest = data.splitlines(keepends=True)
        case = json.loads(first)
        columns = case["output"]["$frame"]["columns"]
        chance = next(column for column in columns if column["name"] == "chance")
        chance["values"][7] += 0.01
        return b"".join([json.dumps(case).encode() + b"\n", *rest])

    forger.rewrite("tests/golden.jsonl", change)
    forger.rewrite_wheel("golden.jsonl", change)
    forger.rewrite_capture(
        golden_digest=digest_file(forger.bundle / "tests/golden.jsonl")
    )
    done = _verify(forger.recompute())

    assert done.returncode == 1
    assert "replay: case 1: row 7, column 'chance'" in done.stdout + done.stderr


def test_a_changed_line_of_the_demos_module_is_named(demo, tmp_path):
    copy = shutil.copytree(_bundle(demo[0]), tmp_path / "copy")
    module = copy / "src" / "model.py"
    module.write_text(module.read_text().replace("SURE = 0.8", "SURE = 0.7"))

    done = _verify(copy)

    assert done.returncode == 1
    assert "src/model.py" in done.stdout + done.stderr


def test_mlflow_holds_parameters_metrics_notebook_report_and_says_there_was_no_repository(
    demo,
):
    from mlflow import MlflowClient

    folder, _ = demo
    client = MlflowClient(f"sqlite:///{folder / '.mlops' / 'mlflow.db'}")
    (experiment,) = [e for e in client.search_experiments() if e.name == "penguins"]
    (run,) = client.search_runs([experiment.experiment_id])
    paths = {
        f.path
        for name in ("notebook", "report")
        for f in client.list_artifacts(run.info.run_id, name)
    }

    assert run.info.status == "FINISHED"
    assert run.data.params == {
        "test_share": "0.25",
        "seed": "7",
        "trees": "150",
        "fill": "median",
    }
    assert set(run.data.metrics) == {"accuracy", "log_loss"}
    assert "notebook/notebook.ipynb" in paths
    assert any(path.startswith("report/") and path.endswith(".html") for path in paths)
    assert "mlflow.source.git.commit" not in run.data.tags


def _mlops(folder, *words):
    return subprocess.run(
        [sys.executable, "-m", "nbship.faces.cli", *words],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


@pytest.fixture(scope="module")
def second(demo):
    """A second release of the demo, with fewer trees."""
    folder = demo[0]
    answers = []
    for words in (
        ("submit", "penguins.ipynb", "-p", "trees=40", "--json"),
        ("vet", "last", "--json"),
        ("approve", "last", "--reason", "fewer trees, and still accurate", "--json"),
        ("release", "last", "--name", "penguins", "--version", "1.0.1", "--json"),
        ("sync", "--json"),
    ):
        done = _mlops(folder, *words)
        assert done.returncode == 0, (
            f"{words}: {done.stdout[-2000:]}{done.stderr[-2000:]}"
        )
        answers.append(json.loads(done.stdout))
    return folder, answers[3]


def test_a_second_release_is_compared_with_the_first(second):
    folder, made = second

    done = _mlops(folder, "diff", "penguins/1.0.0", "penguins", "--json")
    diff = json.loads(done.stdout)
    outputs = {output["name"]: output for output in diff["answers"]["outputs"]}
    chance = outputs["chance"]

    assert done.returncode == 1, done.stderr
    assert made["remark"].startswith("version 1.0.1 is lower than 1.1.0")
    assert (diff["level"], diff["suggested_version"]) == ("minor", "1.1.0")
    assert (chance["rows"], chance["equal"] < chance["rows"]) == (88, True)
    assert 0 < chance["largest_absolute"] < 1
    assert (diff["code"], diff["requirements"]) == ([], [])
    assert {change["level"] for change in diff["signature"]} <= {"patch"}
    assert diff["state"]
    assert 0.05 < diff["latency"]["ratio"] < 1
    assert diff["changelog_entry"].startswith("## [1.0.1] - ")
    bundle = folder / ".mlops" / "releases" / "penguins" / "1.0.1"
    assert (
        (bundle / "CHANGELOG.md")
        .read_text()
        .startswith(f"# Changelog\n\n{diff['changelog_entry']}")
    )


def test_mlflow_loads_each_release_with_the_answers_of_its_notebook(second):
    from mlflow import MlflowClient

    folder, _ = second
    uri = f"sqlite:///{folder / '.mlops' / 'mlflow.db'}"
    client = MlflowClient(uri)
    found = client.search_model_versions("name = 'penguins'")
    versions = {v.tags["mlops.version"]: v for v in found}
    newest = client.get_model_version_by_alias("penguins", "released")
    words = []
    for name, version in sorted(versions.items()):
        bundle = folder / ".mlops" / "releases" / "penguins" / name
        words += [
            f"models:/penguins/{version.version}",
            bundle / "tests" / "golden.jsonl",
        ]
    done = subprocess.run(
        [sys.executable, "-P", ROOT / "tests" / "support" / "ask_model.py", *words],
        cwd=folder,
        env={**os.environ, "MLFLOW_TRACKING_URI": uri},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )

    assert done.returncode == 0, done.stderr[-3000:]
    told = [json.loads(line) for line in done.stdout.splitlines()]
    assert sorted(versions) == ["1.0.0", "1.0.1"]
    assert newest.version == versions["1.0.1"].version
    assert all(version.run_id for version in found)
    assert [item["differences"] for item in told] == [[], []]
    assert len({item["package"] for item in told}) == 2


def test_the_demo_leaves_no_process_behind(demo):
    folder, _ = demo

    commands = [
        path.read_bytes()
        for path in Path("/proc").glob("[0-9]*/cmdline")
        if path.exists()
    ]

    assert [command for command in commands if str(folder).encode() in command] == []

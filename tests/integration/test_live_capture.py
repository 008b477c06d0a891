"""What a live notebook does is in its journal, as it happened."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from nbship.records.run import CellStatus, RunStatus
from support.live_kernel import LiveKernel, wait_until

pytestmark = pytest.mark.kernel


@pytest.fixture(scope="module")
def kernel(tmp_path_factory):
    live = LiveKernel(tmp_path_factory.mktemp("live"))
    assert live.run("%load_ext nbship\nimport nbship").status == "ok"
    yield live
    live.close()


@pytest.fixture
def run(kernel):
    """Start a run and, after the test, stop it where the test did not."""
    assert kernel.run("%mlops start tests").status == "ok"
    yield kernel
    if kernel.last_run().status is RunStatus.RUNNING:
        assert kernel.run("%mlops stop").status == "ok"


def test_cells_are_recorded_with_source_order_and_outcome(run):
    run.run("a = 1", cell_id="one")
    run.run("1/0", cell_id="two")
    run.run("a = 2", cell_id="one")
    cells = run.last_run().cells[1:]
    assert [(c.id, c.cell_id, c.source, c.status) for c in cells] == [
        ("2-one", "one", "a = 1", CellStatus.OK),
        ("3-two", "two", "1/0", CellStatus.FAILED),
        ("4-one", "one", "a = 2", CellStatus.OK),
    ]
    assert cells[1].error["ename"] == "ZeroDivisionError"
    counts = [c.execution_count for c in cells]
    assert counts == list(range(counts[0], counts[0] + 3))


def test_outputs_are_recorded_in_their_order(run):
    run.run(
        "import sys\nfrom IPython.display import display\nprint('out')\n"
        "print('err', file=sys.stderr)\ndisplay({'text/plain': 'shown'}, raw=True)\n42"
    )
    outputs = run.last_run().cells[-1].outputs
    assert [(o["output_type"], o.get("name")) for o in outputs] == [
        ("stream", "stdout"),
        ("stream", "stderr"),
        ("display_data", None),
        ("execute_result", None),
    ]
    assert outputs[3]["data"]["text/plain"] == "42"


def test_a_display_that_is_updated_keeps_its_last_state(run):
    run.run(
        "from IPython.display import display\n"
        "h = display({'text/plain': 'first'}, raw=True, display_id=True)\n"
        "h.update({'text/plain': 'last'}, raw=True)"
    )
    (output,) = run.last_run().cells[-1].outputs
    assert output["data"]["text/plain"] == "last"


def test_a_large_output_lies_beside_the_journal(run):
    run.run("print('x' * 50_000)")
    (output,) = run.last_run().cells[-1].outputs
    digest = output["text"]["blob"]
    blob = run.folder / ".mlops" / "runs" / run.last_run().id / "blobs" / digest
    assert blob.read_text() == "x" * 50_000 + "\n"


def test_the_parameters_cell_gives_the_runs_values(run):
    run.run(
        "from pathlib import Path\nfrom datetime import date\n"
        "alpha: float = 0.5\nsteps = [1, 2]\nwhere = Path('data')\nday = date(2026, 1, 2)",
        cell_id="p",
        tags=["parameters"],
    )
    assert run.last_run().values == {
        "alpha": 0.5,
        "steps": [1, 2],
        "where": "data",
        "day": "2026-01-02",
    }


def test_metrics_are_owned_by_the_cell_that_logged_them(run):
    run.run("for i in range(3): nbship.log(loss=1 / (i + 1), step=i)", cell_id="fit")
    run.run(
        "%mlops log acc=max([0.5, 0.9]) --unit share --direction maximize",
        cell_id="acc",
    )
    metrics = run.last_run().metrics
    assert [(m.name, m.step, m.execution_id) for m in metrics] == [
        ("loss", 0, "2-fit"),
        ("loss", 1, "2-fit"),
        ("loss", 2, "2-fit"),
        ("acc", None, "3-acc"),
    ]
    assert (metrics[3].value, metrics[3].unit) == (0.9, "share")


def test_tags_and_notes_are_recorded(run):
    run.run("%mlops tag data=v2 owner='Ada L'")
    run.run("%mlops note one line")
    run.run("%%mlops note\ntwo\nlines")
    found = run.last_run()
    assert found.tags == {"data": "v2", "owner": "Ada L"}
    assert found.notes == ("one line", "two\nlines")


def test_an_interrupted_cell_is_interrupted(run):
    request = run.send("print('begun')\nimport time\ntime.sleep(60)", cell_id="slow")
    wait_until(
        lambda: any("begun" in str(o) for o in run.last_run().cells[-1].outputs),
        what="the cell to begin",
    )
    run.interrupt()
    run.wait(request)
    assert run.last_run().cells[-1].status is CellStatus.INTERRUPTED


def test_an_interrupted_async_cell_is_interrupted(run):
    request = run.send(
        "import asyncio\nprint('begun')\nwhile True: await asyncio.sleep(0.05)",
        cell_id="slow",
    )
    wait_until(
        lambda: any("begun" in str(o) for o in run.last_run().cells[-1].outputs),
        what="the cell to begin",
    )
    run.interrupt()
    run.wait(request)
    assert run.last_run().cells[-1].status is CellStatus.INTERRUPTED


def test_async_cells_and_what_they_print_are_recorded(run):
    run.run("import asyncio\nprint('before')\nawait asyncio.sleep(0)\nprint('after')")
    cell = run.last_run().cells[-1]
    assert cell.status is CellStatus.OK
    assert [o["text"] for o in cell.outputs] == ["before\nafter\n"]


@pytest.mark.parametrize(
    ("source", "ename"),
    [
        ("raise SystemExit(3)", "SystemExit"),
        ("def (", "SyntaxError"),
        ("%no_such_magic", "UsageError"),
        ("%mlops nonsense", "UsageError"),
    ],
)
def test_every_way_to_fail_is_a_failed_cell(run, source, ename):
    run.run(source)
    cell = run.last_run().cells[-1]
    assert (cell.status, cell.error["ename"]) == (CellStatus.FAILED, ename)


def test_a_nested_run_cell_is_part_of_its_cell(run):
    before = len(run.last_run().cells)
    run.run("get_ipython().run_cell('print(1)')\nprint(2)", cell_id="outer")
    run.run("%%capture\nprint('captured')", cell_id="captured")
    cells = run.last_run().cells[before:]
    assert [c.cell_id for c in cells] == ["outer", "captured"]
    assert cells[0].outputs[0]["text"] == "1\n2\n"
    assert cells[1].outputs == ()


def test_a_fork_records_no_cell_and_may_log(run):
    before = len(run.last_run().cells)
    run.run(
        "import os\npid = os.fork()\n"
        "if pid == 0:\n"
        "    print('from the child')\n"
        "    nbship.log(child=1)\n"
        "    get_ipython().run_cell('x = 1')\n"
        "    os._exit(0)\n"
        "_ = os.waitpid(pid, 0)",
        cell_id="fork",
    )
    found = run.last_run()
    assert [c.cell_id for c in found.cells[before:]] == ["fork"]
    # Python 3.12 and newer warn on stderr about forks of processes with threads
    said = [o["text"] for o in found.cells[-1].outputs if o.get("name") != "stderr"]
    assert said == []
    assert found.last_metrics["child"].value == 1


def test_threads_log_without_losing_a_line(run):
    run.run(
        "from concurrent.futures import ThreadPoolExecutor\n"
        "with ThreadPoolExecutor(4) as pool:\n"
        "    list(pool.map(lambda i: (nbship.log(m=i), print(i)), range(200)))"
    )
    metrics = [m for m in run.last_run().metrics if m.name == "m"]
    assert sorted(m.value for m in metrics) == list(range(200))


def test_start_again_is_a_notice_and_another_name_is_refused(run):
    reply = run.run("%mlops start tests")
    assert (reply.status, "is active already" in reply.text) == ("ok", True)
    reply = run.run("%mlops start other")
    assert (reply.ename, len(reply.traceback)) == ("RunError", 2)
    assert reply.traceback[1] == "hint: Stop it first: `%mlops stop`."


def test_two_runs_in_one_cell_share_its_source(run):
    run.run("%mlops stop\n%mlops start second", cell_id="both")
    found = run.last_run()
    assert found.experiment == "second"
    assert [c.cell_id for c in found.cells] == ["both"]


def test_stop_can_say_that_the_run_failed(run):
    run.run("%mlops stop --failed --cause 'loss exploded'")
    found = run.last_run()
    assert (found.status, found.cause) == (RunStatus.FAILED, "loss exploded")


def test_without_a_run_log_says_how_to_start_one(kernel):
    reply = kernel.run("nbship.log(loss=1)")
    assert reply.ename == "RunError"
    assert reply.traceback[-1] == "hint: Start one: `%mlops start NAME`."


def test_a_metric_that_is_no_number_is_refused_and_nothing_is_recorded(run):
    reply = run.run("%mlops log a=1 b='text'")
    assert reply.ename == "UsageError"
    assert run.last_run().metrics == ()


def test_the_extension_can_be_reloaded_in_a_run(run):
    run.run("%reload_ext nbship")
    run.run("b = 1", cell_id="after")
    assert run.last_run().cells[-1].cell_id == "after"


def test_wiping_the_namespace_does_not_end_the_run(run):
    run.run("%reset -f")
    run.run("import nbship; nbship.log(m=1)")
    assert run.last_run().last_metrics["m"].value == 1


def test_status_is_a_widget_with_html_and_text(run):
    run.run("nbship.log(loss=0.25, step=1)")
    reply = run.run("%mlops status")
    (data,) = [c["data"] for kind, c in reply.messages if kind == "display_data"]
    assert set(data) == {
        "text/plain",
        "text/html",
        "application/vnd.jupyter.widget-view+json",
    }
    assert 'role="img"' in data["text/html"].replace("'", '"')
    assert "loss 0.25 (step 1)" in data["text/plain"]


def test_status_as_json_is_json(run):
    reply = run.run("%mlops status --json")
    assert json.loads(reply.text)["experiment"] == "tests"


def test_verbs_and_options_are_completed(kernel):
    reply = kernel.run(
        "ip = get_ipython()\n"
        "print(ip.complete('st', '%mlops st', 9)[1])\n"
        "print(ip.complete('--s', '%mlops log --s', 14)[1])"
    )
    assert "'status'" in reply.text
    assert "'--step'" in reply.text


def test_git_and_environment_are_recorded(tmp_path):
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@b"]
    subprocess.run([*git, "init", "-q", "-b", "main", tmp_path], check=True)
    url = "https://ada:secret@example.org/x.git"
    subprocess.run(["git", "remote", "add", "origin", url], cwd=tmp_path, check=True)
    (tmp_path / "a.txt").write_text("a")
    subprocess.run(["git", "add", "a.txt"], cwd=tmp_path, check=True)
    subprocess.run([*git, "commit", "-qm", "a"], cwd=tmp_path, check=True)
    kernel = LiveKernel(tmp_path)
    try:
        kernel.run("%load_ext nbship\n%mlops start e")
        kernel.run("%mlops stop")
        wait_until(
            lambda: kernel.last_run().environment is not None, what="the environment"
        )
    finally:
        kernel.close()
    found = kernel.last_run()
    assert (found.git.branch, found.git.is_dirty) == ("main", False)
    assert found.git.remote_url == "https://example.org/x.git"
    assert found.environment.executable == sys.executable
    assert found.environment.version_of("ipykernel")


def test_the_notebook_is_copied_where_it_is_found(tmp_path):
    path = tmp_path / "study.ipynb"
    path.write_text('{"cells": []}')
    kernel = LiveKernel(tmp_path, {"JPY_SESSION_NAME": str(path)})
    try:
        kernel.run("%load_ext nbship\n%mlops start")
        kernel.run("%mlops stop")
    finally:
        kernel.close()
    found = kernel.last_run()
    assert (found.notebook, found.experiment) == ("study.ipynb", "study")
    copy = tmp_path / ".mlops" / "runs" / found.id / "notebook.ipynb"
    assert copy.read_text() == '{"cells": []}'
    assert [a.name for a in found.artifacts] == ["notebook.ipynb"]


def test_a_kernel_that_ends_without_stop_leaves_a_truthful_run(tmp_path):
    kernel = LiveKernel(tmp_path)
    kernel.run("%load_ext nbship\n%mlops start e")
    kernel.shut_down()
    found = kernel.last_run()
    assert found.status is RunStatus.INTERRUPTED
    assert found.cause == "the kernel ended without %mlops stop"


def test_a_kernel_that_ends_after_a_failed_cell_leaves_a_failed_run(tmp_path):
    kernel = LiveKernel(tmp_path)
    kernel.run("%load_ext nbship\n%mlops start e")
    kernel.run("raise ValueError('no data')", cell_id="load")
    kernel.shut_down()
    found = kernel.last_run()
    assert found.status is RunStatus.FAILED
    assert "load" in found.cause
    assert found.cause.endswith("failed: ValueError: no data")


def test_in_a_jobs_kernel_start_attaches_to_the_jobs_run(tmp_path):
    folder = tmp_path / ".mlops" / "runs" / "run-20261123-120000-0000"
    folder.mkdir(parents=True)
    head = {"experiment": "planned", "origin": "job", "notebook": "n.ipynb"}
    event = {
        "schema": "event/1",
        "kind": "run_started",
        "at": "2026-11-23T12:00:00+00:00",
        "monotonic_ns": 0,
        "pid": 1,
        "data": head,
    }
    (folder / "journal.jsonl").write_text(json.dumps(event) + "\n")
    kernel = LiveKernel(tmp_path, {"MLOPS_RUN_DIR": str(folder)})
    try:
        kernel.run("import nbship\nnbship.log(early=1)")
        kernel.run("%load_ext nbship\n%mlops start named")
        kernel.run("x = 1", cell_id="p", tags=["parameters"])
        kernel.run("%mlops log loss=0.5")
        kernel.run("%mlops stop")
        assert kernel.run("nbship.log(late=1)").ename == "RunError"
    finally:
        kernel.close()
    assert list((tmp_path / ".mlops" / "runs").iterdir()) == [folder]
    found = kernel.last_run()
    assert (found.experiment, found.status) == ("named", RunStatus.RUNNING)
    assert {m.name for m in found.metrics} == {"early", "loss"}
    assert (found.cells, found.values) == ((), {})

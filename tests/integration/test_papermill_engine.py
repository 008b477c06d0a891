"""``papermill --engine nbship`` from a plain shell: what it records, and that it never lies."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys

import pytest

from nbship.records.run import CellStatus, RunStatus
from support.notebook_files import (
    cells_of,
    journal_says,
    only_run,
    wait_for,
    write_notebook,
)

pytestmark = pytest.mark.kernel


@pytest.fixture
def project(tmp_path):
    (tmp_path / "mlops.toml").write_text("trackers = []\n")
    return tmp_path


def start(folder, *words, **environ):
    return subprocess.Popen(
        [sys.executable, "-m", "papermill", "--engine", "nbship", *map(str, words)],
        cwd=folder,
        env={**os.environ, **environ},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),  # noqa: PLW1509
    )


def papermill(folder, *words, **environ):
    process = start(folder, *words, **environ)
    out, err = process.communicate(timeout=120)
    return process.returncode, out + err


def test_a_notebook_without_any_magic_becomes_a_run(project):
    write_notebook(
        project / "in.ipynb",
        "print('rate', lr)",
        "open('data.csv').read()",
        parameters="lr: float = 0.1  # learning rate\nname: str = 'a'",
    )
    (project / "data.csv").write_text("a\n1\n")

    code, text = papermill(project, "in.ipynb", "out.ipynb", "-p", "lr", "0.5")

    assert code == 0, text
    run = only_run(project / ".mlops")
    metadata = json.loads((project / "out.ipynb").read_text())["metadata"]
    assert metadata["mlops"] == {"run_id": run.id}
    assert metadata["papermill"]["parameters"] == {"lr": 0.5}
    assert (run.status, run.origin, run.notebook) == (
        RunStatus.SUCCEEDED,
        "papermill",
        "in.ipynb",
    )
    assert run.values == {"lr": 0.5, "name": "a"}
    assert [(cell.cell_id, cell.status) for cell in run.cells] == [
        ("parameters", CellStatus.OK),
        ("injected-parameters", CellStatus.OK),
        ("c1", CellStatus.OK),
        ("c2", CellStatus.OK),
    ]
    assert run.cells[2].outputs[0]["text"] == "rate 0.5\n"
    assert [(file.path, file.size_bytes) for file in run.data] == [("data.csv", 4)]
    assert [file.name for file in run.artifacts] == ["notebook.ipynb"]
    assert run.environment.version_of("papermill")


def test_without_a_project_the_store_lies_beside_the_output_and_stderr_says_so(
    tmp_path,
):
    for name in ("here", "there"):
        (tmp_path / name).mkdir()
    write_notebook(tmp_path / "here" / "in.ipynb", "1 + 1")

    code, text = papermill(
        tmp_path, "here/in.ipynb", "there/out.ipynb", MLOPS_TRACKERS=""
    )

    assert code == 0, text
    assert f"the store is {tmp_path / 'there' / '.mlops'}" in text
    assert only_run(tmp_path / "there" / ".mlops").status is RunStatus.SUCCEEDED


def test_values_without_a_parameters_cell_are_used_and_noted(project):
    write_notebook(project / "in.ipynb", "print(lr)")

    code, text = papermill(project, "in.ipynb", "out.ipynb", "-p", "lr", "1")

    assert code == 0, text
    run = only_run(project / ".mlops")
    assert run.values == {"lr": 1}
    assert "no cell is tagged 'parameters'" in run.notes[0]
    assert run.cells[-1].outputs[0]["text"] == "1\n"


def test_a_store_that_cannot_be_written_stops_no_notebook(project):
    (project / ".mlops").write_text("a file in the way")
    write_notebook(project / "in.ipynb", "1 + 1")

    code, text = papermill(project, "in.ipynb", "out.ipynb")

    assert code == 0, text
    assert text.count("executed and not recorded") == 1
    assert cells_of(project / "out.ipynb")["c1"] == ("completed", False, ["2"])


def test_an_exception_fails_run_and_cell(project):
    write_notebook(project / "in.ipynb", "print('before')", "1 / 0", "3")

    code, _ = papermill(project, "in.ipynb", "out.ipynb")

    assert code == 1
    run = only_run(project / ".mlops")
    assert run.status is RunStatus.FAILED
    assert run.cause == "ZeroDivisionError: division by zero in cell c2 ('1 / 0')"
    assert [cell.status for cell in run.cells] == [CellStatus.OK, CellStatus.FAILED]
    assert run.cells[1].error["ename"] == "ZeroDivisionError"
    assert cells_of(project / "out.ipynb")["c3"] == ("pending", None, [])


KILLED = "import os, signal\nprint('in it', flush=True)\nos.kill(os.getpid(), {})"


def test_a_kernel_killed_in_a_cell_leaves_a_killed_run_that_names_the_cell(project):
    kill = KILLED.format("signal.SIGKILL").replace("os.kill", "__import__('time').sleep(1); os.kill")  # fmt: skip
    write_notebook(project / "in.ipynb", "print('before')", kill, "3")

    code, _ = papermill(project, "in.ipynb", "out.ipynb")

    assert code == 138
    run = only_run(project / ".mlops")
    assert run.status is RunStatus.KILLED
    assert "killed by SIGKILL" in run.cause
    assert "in cell c2" in run.cause
    assert [cell.status for cell in run.cells] == [CellStatus.OK, CellStatus.KILLED]
    assert run.cells[1].outputs[0]["text"] == "in it\n"
    cells = cells_of(project / "out.ipynb")
    assert cells["c1"] == ("completed", False, ["before\n"])
    assert cells["c2"][:2] == ("failed", True)
    assert cells["c2"][2][0] == "in it\n"
    assert cells["c2"][2][1].startswith("DeadKernelError: the kernel was killed by")
    assert cells["c3"] == ("pending", None, [])


def test_a_cell_over_its_time_fails_run_and_cell(project):
    write_notebook(project / "in.ipynb", "import time\ntime.sleep(600)", "2")

    code, _ = papermill(project, "in.ipynb", "out.ipynb", "--execution-timeout", "2")

    assert code == 1
    run = only_run(project / ".mlops")
    assert run.status is RunStatus.FAILED
    assert "took longer than its limit of 2 s in cell c1" in run.cause
    cells = cells_of(project / "out.ipynb")
    assert cells["c1"][:2] == ("failed", True)
    assert cells["c2"] == ("pending", None, [])


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 1)]
)
def test_a_signal_interrupts_the_run_and_keeps_its_outputs(project, number, code):
    source = "import time\nprint('in it', flush=True)\ntime.sleep(600)"
    write_notebook(project / "in.ipynb", source, "2")
    process = start(project, "in.ipynb", "out.ipynb")
    wait_for(lambda: journal_says(project / ".mlops", '"text": "in it'))

    process.send_signal(number)
    process.communicate(timeout=60)

    assert process.returncode == code
    run = only_run(project / ".mlops")
    assert run.status is RunStatus.INTERRUPTED
    assert run.cells[0].status is CellStatus.INTERRUPTED
    cells = cells_of(project / "out.ipynb")
    assert cells["c1"][:2] == ("failed", True)
    assert cells["c1"][2][0] == "in it\n"
    assert cells["c2"] == ("pending", None, [])


def test_papermill_itself_killed_leaves_a_run_closed_as_killed(project):
    source = "import time\nprint('in it', flush=True)\ntime.sleep(600)"
    write_notebook(project / "in.ipynb", source)
    process = start(project, "in.ipynb", "out.ipynb")
    wait_for(lambda: journal_says(project / ".mlops", '"text": "in it'))

    process.kill()
    process.communicate(timeout=60)

    wait_for(lambda: journal_says(project / ".mlops", '"run_ended"'))
    run = only_run(project / ".mlops")
    assert run.status is RunStatus.KILLED
    assert "c1" in run.cause
    assert run.cells[0].outputs[0]["text"] == "in it\n"


def test_an_exception_that_a_tag_allows_fails_no_run(project):
    write_notebook(project / "in.ipynb", "1 / 0", "2", tags={1: ["raises-exception"]})

    papermill(project, "in.ipynb", "out.ipynb")

    run = only_run(project / ".mlops")
    assert run.status is RunStatus.SUCCEEDED
    assert [cell.status for cell in run.cells] == [CellStatus.FAILED, CellStatus.OK]


def test_a_notebook_that_leaves_by_exit_0_succeeds(project):
    write_notebook(project / "in.ipynb", "import sys; sys.exit(0)", "2")

    code, text = papermill(project, "in.ipynb", "out.ipynb")

    assert code == 0, text
    run = only_run(project / ".mlops")
    assert run.status is RunStatus.SUCCEEDED
    assert [cell.cell_id for cell in run.cells] == ["c1"]


def test_cells_without_ids_get_the_readers_ids(project):
    path = write_notebook(project / "in.ipynb", "1", "2", parameters="x = 1")
    document = json.loads(path.read_text())
    document["nbformat_minor"] = 4
    for cell in document["cells"]:
        del cell["id"]
    path.write_text(json.dumps(document))

    code, text = papermill(project, "in.ipynb", "out.ipynb", "-p", "x", "2")

    assert code == 0, text
    assert list(cells_of(project / "out.ipynb")) == [
        "cell-0",
        "injected-parameters",
        "cell-1",
        "cell-2",
    ]


def test_importing_papermill_does_not_load_the_engine():
    code = (
        "import sys, papermill; "
        "loaded = {m for m in sys.modules if m.startswith('nbship.')}; "
        "assert loaded == "
        "{'nbship.version', 'nbship.variables', 'nbship.faces', "
        "'nbship.faces.engine'}, loaded"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_the_engine_can_be_imported_before_papermill():
    code = (
        "from nbship.faces.engine import NbshipEngine; import papermill.engines as e; "
        "assert e.papermill_engines.get_engine('nbship') is NbshipEngine"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("first", ["nbship.faces.engine", "papermill"])
@pytest.mark.parametrize(("choice", "is_ours"), [("1", True), ("0", False)])
def test_one_variable_makes_the_engine_papermills_default(first, choice, is_ours):
    code = (
        f"import {first}, papermill.engines as e; "
        "from nbship.faces.engine import NbshipEngine as ours; "
        "found = {e.papermill_engines.get_engine(n) is ours for n in (None, 'nbclient')}; "
        f"assert found == {{{is_ours}}}"
    )
    environ = {**os.environ, "MLOPS_PAPERMILL_DEFAULT": choice}
    subprocess.run([sys.executable, "-c", code], check=True, env=environ)

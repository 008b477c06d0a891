"""What the engine's client makes of a kernel's messages, and of kernels that misbehave."""

from __future__ import annotations

import fcntl
import json
import os
import sys
import time

import papermill
import pytest
from nbclient.exceptions import CellTimeoutError
from nbformat.v4 import new_code_cell, new_notebook

from nbship.adapters.kernels.client import NbshipClient
from nbship.adapters.kernels.conversation import GRACE_S
from nbship.adapters.kernels.launching import FreshLauncher
from nbship.adapters.kernels.saving import SparingManager
from nbship.adapters.kernels.terms import Terms
from support.notebook_files import only_run, write_notebook

pytestmark = pytest.mark.kernel


@pytest.fixture
def project(tmp_path, monkeypatch):
    (tmp_path / "mlops.toml").write_text("trackers = []\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def execute(project, *sources, **options):
    write_notebook(project / "in.ipynb", *sources)
    return papermill.execute_notebook(
        str(project / "in.ipynb"),
        str(project / "out.ipynb"),
        engine_name="nbship",
        progress_bar=False,
        **options,
    )


def outputs(nb):
    return [[dict(output) for output in cell.outputs] for cell in nb.cells]


def text_of(nb, index=0):
    return "".join(output.get("text", "") for output in nb.cells[index].outputs)


def test_prints_are_one_output_and_a_progress_bar_is_its_last_state(project):
    source = """
import sys
for i in range(300):
    print(i, flush=True)
print("to stderr", file=sys.stderr, flush=True)
for i in range(100):
    print(f"\\r{i:>3} %", end="", flush=True)
print()
"""
    nb = execute(project, source)

    first, second, third = nb.cells[0].outputs
    assert first.text == "".join(f"{i}\n" for i in range(300))
    assert (second.name, second.text) == ("stderr", "to stderr\n")
    assert third.text == " 99 %\n"
    run = only_run(project / ".mlops")
    assert [o["text"] for o in run.cells[0].outputs] == [
        first.text,
        second.text,
        third.text,
    ]
    saved = json.loads((project / "out.ipynb").read_text())
    assert len(saved["cells"][0]["outputs"]) == 3


def test_displays_are_updated_in_the_notebook_and_on_disk(project):
    nb = execute(
        project,
        "from IPython.display import display\nh = display('old', display_id=True)",
        "h.update('new')",
    )

    saved = json.loads((project / "out.ipynb").read_text())
    for cells in (nb.cells, saved["cells"]):
        (output,) = cells[0]["outputs"]
        assert "".join(output["data"]["text/plain"]) == "'new'"


def test_output_is_cleared_when_the_next_one_comes(project):
    nb = execute(
        project,
        "from IPython.display import clear_output\n"
        "print('a'); clear_output(wait=True); print('b')",
        "print('c'); clear_output(wait=True)",
    )

    assert [text_of(nb, 0), text_of(nb, 1)] == ["b\n", "c\n"]


def test_an_output_widget_takes_what_is_printed_in_it(project):
    nb = execute(
        project,
        "import ipywidgets\nout = ipywidgets.Output()\nwith out:\n    print('inside')\n"
        "print('outside')",
    )

    assert text_of(nb) == "outside\n"
    states = nb.metadata.widgets["application/vnd.jupyter.widget-state+json"]["state"]
    kept = [state["state"].get("outputs") for state in states.values()]
    assert [{"name": "stdout", "output_type": "stream", "text": "inside\n"}] in kept


def test_input_is_refused(project):
    with pytest.raises(papermill.PapermillExecutionError) as caught:
        execute(project, "input('name?')")

    assert caught.value.ename == "StdinNotImplementedError"


def test_a_cell_that_takes_too_long_is_interrupted_where_that_is_wanted(project):
    nb = execute(
        project,
        "try:\n    import time; time.sleep(60)\n"
        "except KeyboardInterrupt:\n    print('interrupted')",
        "print('next')",
        execution_timeout=1,
        interrupt_on_timeout=True,
    )

    assert [text_of(nb, 0), text_of(nb, 1)] == ["interrupted\n", "next\n"]


def test_a_cell_that_is_given_up_may_still_clean_up(project):
    source = (
        "import time\ntry:\n    time.sleep(60)\n"
        "finally:\n    open('cleaned', 'w').close()"
    )
    with pytest.raises(CellTimeoutError):
        execute(project, source, execution_timeout=1)

    assert (project / "cleaned").exists()


def test_a_kernel_that_does_not_end_is_ended(project):
    began_s = time.monotonic()

    nb = execute(
        project,
        "import atexit, signal, time\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "atexit.register(time.sleep, 600)\n"
        "import os; print(os.getpid())",
    )

    assert time.monotonic() - began_s < 4 * GRACE_S + 60
    with pytest.raises(ProcessLookupError):
        os.kill(int(text_of(nb)), 0)


def test_a_foreign_kernel_manager_is_talked_to_by_nbclient(project):
    sources = ("print('a', flush=True)\nprint('b')\n1", "import os; os.getpid()")

    ours = execute(project, *sources)
    theirs = execute(
        project, *sources, kernel_manager_class="jupyter_client.AsyncKernelManager"
    )

    assert outputs(ours)[0] == outputs(theirs)[0]
    assert text_of(theirs) == "a\nb\n"


@pytest.fixture
def kernel(project, monkeypatch):
    """Install a kernel that is started by another program than Python, by its ports."""

    def install(**spec):
        folder = project / "share" / "kernels" / "wrapped"
        folder.mkdir(parents=True)
        script = f'exec "{sys.executable}" -m ipykernel_launcher -f "$0"'
        known = {
            "argv": ["/bin/sh", "-c", script, "{connection_file}"],
            "display_name": "wrapped",
            "language": "python",
            "env": {"FROM_SPEC": "told ${HOME_OF_IT}"},
        }
        (folder / "kernel.json").write_text(json.dumps(known | spec))
        monkeypatch.setenv("JUPYTER_PATH", str(project / "share"))
        monkeypatch.setenv("HOME_OF_IT", "there")

    return install


def test_a_kernel_in_a_wrapper_is_reached_through_ports(project, kernel):
    kernel(interrupt_mode="message")

    nb = execute(
        project,
        "import os; print(os.environ['FROM_SPEC'])",
        "try:\n    import time; time.sleep(60)\n"
        "except KeyboardInterrupt:\n    print('interrupted')",
        kernel_name="wrapped",
        execution_timeout=2,
        interrupt_on_timeout=True,
    )

    assert [text_of(nb, 0), text_of(nb, 1)] == ["told there\n", "interrupted\n"]


def test_a_kernel_that_dies_at_its_start_says_so(project, kernel):
    kernel(argv=["/bin/false", "{connection_file}"])

    with pytest.raises(RuntimeError, match="Kernel died before replying"):
        execute(project, "1", kernel_name="wrapped")

    assert "Kernel died" in only_run(project / ".mlops").cause


class Silent:
    """A listener that takes no note."""

    def __getattr__(self, name):
        return lambda *_words, **_options: None


def test_a_kernel_holds_a_lock_until_it_ends_and_what_it_starts_does_not(project):
    lock = os.open(project / "lock", os.O_RDWR | os.O_CREAT)
    fcntl.flock(lock, fcntl.LOCK_EX)
    source = f"""
import fcntl, os, subprocess, sys
again = os.open("lock", os.O_RDWR)
try:
    fcntl.flock(again, fcntl.LOCK_EX | fcntl.LOCK_NB)
except BlockingIOError:
    print("held")
code = "import os; os.fstat({lock})"
print(subprocess.run([sys.executable, "-c", code], close_fds=False, stderr=-1).returncode)
"""
    nb = new_notebook(cells=[new_code_cell(source)])
    nb.metadata["papermill"] = {}
    nb.cells[0].metadata["tags"] = []
    manager = SparingManager(nb, target=None, progress_bar=False)
    manager.notebook_start()
    terms = Terms(launcher=FreshLauncher(), held_fds=(lock,))

    NbshipClient(
        manager, listener=Silent(), terms=terms, kernel_name="python3"
    ).execute()

    assert text_of(nb) == "held\n1\n"
    os.close(lock)
    again = os.open(project / "lock", os.O_RDWR)
    fcntl.flock(again, fcntl.LOCK_EX | fcntl.LOCK_NB)
    os.close(again)

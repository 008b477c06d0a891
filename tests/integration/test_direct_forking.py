"""A process is copied between two cells: the copies go on as the original would have."""

import signal
import sys
from pathlib import Path

import pytest

from nbship.adapters.kernels.processes import ForkRefusedError, KernelStart
from nbship.adapters.kernels.warm_launching import WarmLauncher
from support.direct_runs import kernel_environ
from support.kernel_probes import run_cell

pytestmark = [
    pytest.mark.kernel,
    pytest.mark.skipif(sys.platform != "linux", reason="forking needs Linux"),
]

LEADING = """
import os, random, numpy as np
random.seed(1); np.random.seed(2); rng = np.random.default_rng(3)
table = {'a': [1, 2]}
drawn = random.random(), np.random.rand(), rng.random()
product = np.ones((400, 400)) @ np.ones((400, 400))
"""
NEXT = """
print(random.random(), np.random.rand(), rng.random(), random.gauss(0, 1), drawn, table, hash('a'))
print((product @ product).sum(), len(In), _ih[1] == In[1])
table['a'].append(3)
"""
REFUSALS = {
    "import threading, time\nt = threading.Thread(target=time.sleep, args=(20,), daemon=True)\nt.start()": "2 threads",
    "f = open('log.txt', 'w')": "log.txt open",
    "import subprocess\np = subprocess.Popen(['sleep', '20'])": "processes of its own",
    "import tempfile\nd = tempfile.TemporaryDirectory()": "temporary",
    "import tempfile\nd = tempfile.mkdtemp()": "temporary",
    "import asyncio\nt = asyncio.get_running_loop().create_task(asyncio.sleep(20))\nawait asyncio.sleep(0)": "asynchronous",
    "import signal\nsignal.alarm(20)": "timer",
    "import socket\ns = socket.socket()": "socket",
    "import mmap\nm = mmap.mmap(-1, 4096)": "shares memory",
}


@pytest.fixture(scope="module")
def warm():
    launcher = WarmLauncher()
    yield launcher
    launcher.close()


@pytest.fixture
def converse(warm, tmp_path):
    """Start processes that run cells directly; all are ended."""
    started = []

    def start(environ=None):
        argv = [sys.executable, "-m", "ipykernel_launcher", "-f", "none"]
        argv.append("--HistoryManager.hist_file=:memory:")
        talk = warm.converse(
            KernelStart(
                argv=tuple(argv),
                connection_file=Path("none"),
                environ={**kernel_environ(), "PYTHONHASHSEED": "0", **(environ or {})},
                cwd=tmp_path,
                imports=("numpy",),
            )
        )
        talk.wait_ready(60.0)
        started.append(talk)
        return talk

    yield start
    for talk in started:
        talk.shutdown()


def test_copies_go_on_as_a_process_of_their_own_would(converse):
    shared = converse()
    run_cell(shared, LEADING)
    copies = [shared.fork(environ={"JOB": str(number)}) for number in range(3)]
    alone = converse()
    run_cell(alone, LEADING)

    expected = run_cell(alone, NEXT)
    for number, copy in enumerate(copies):
        assert run_cell(copy, NEXT) == expected
        assert run_cell(copy, "os.environ['JOB']") == f"['{number}']"
        assert run_cell(copy, "1/0") == "<ZeroDivisionError: division by zero>"
    assert run_cell(shared, NEXT) == expected
    for copy in copies:
        copy.shutdown()
        assert copy.process.poll() == 0


def test_copies_have_their_own_folder_session_and_streams(converse, tmp_path):
    shared = converse()
    run_cell(shared, "import os; x = 1")
    (tmp_path / "one").mkdir()
    copy = shared.fork(cwd=tmp_path / "one")

    told = run_cell(copy, "print(os.getcwd(), os.getsid(0) == os.getpid())")
    os_told = run_cell(copy, "import os; n = os.system('echo from-sh')")

    assert (told, os_told) == (f"{tmp_path / 'one'} True", "from-sh")
    assert run_cell(copy, "import asyncio; await asyncio.sleep(0.01); x") == "[1]"
    copy.shutdown()


def test_a_copy_can_be_copied_and_dies_with_the_original(converse):
    shared = converse()
    run_cell(shared, "x = 1")
    copy = shared.fork()
    run_cell(copy, "x += 1")
    again = copy.fork()

    assert run_cell(again, "x") == "[2]"
    shared.process.send_signal(signal.SIGKILL)
    assert copy.process.wait(10.0) == -signal.SIGKILL
    assert again.process.wait(10.0) == -signal.SIGKILL
    copy.close()
    again.close()


def test_hanging_up_kills_a_copy(converse):
    shared = converse()
    copy = shared.fork()
    other = shared.fork()
    pid = copy.process.pid
    copy.close()

    assert run_cell(other, "1") == "[1]"
    gone = f"import os, select\nfor i in range(100):\n    if not os.path.exists('/proc/{pid}'): break\n    select.select([], [], [], 0.1)\nprint(i < 99)"
    assert run_cell(other, gone) == "True"
    other.shutdown()


@pytest.mark.parametrize("source", REFUSALS)
def test_a_process_that_holds_what_cannot_be_shared_is_not_copied(converse, source):
    shared = converse()
    run_cell(shared, source)

    with pytest.raises(ForkRefusedError, match=REFUSALS[source]):
        shared.fork()
    assert run_cell(shared, "5") == "[5]"

"""The whole isolation suite: what notebooks may notice, asked of a fresh and of a forked kernel.

Libraries that are installed are preloaded; torch only where it is.
"""

import os
import signal
import subprocess
import sys
from dataclasses import replace

import pytest

from nbship.adapters.kernels.launching import FreshLauncher
from nbship.adapters.kernels.warm_launching import WarmLauncher
from support.kernel_probes import ask
from support.notebook_files import wait_for

pytestmark = [
    pytest.mark.kernel,
    pytest.mark.full,
    pytest.mark.skipif(sys.platform != "linux", reason="warm kernels need Linux"),
]

LIBRARIES = "import numpy, pandas, scipy.linalg, sklearn.ensemble, matplotlib.pyplot"
THREADS = """
import numpy as np, scipy.linalg
from threadpoolctl import threadpool_info
np.ones((300, 300)) @ np.ones((300, 300))
print(sorted((i['internal_api'], i['num_threads']) for i in threadpool_info() if i['internal_api'] == 'openblas'))"""
#: asked in a kernel of its own each
ALONE = {
    "modules after an import": "import pandas, sys; print(sorted(sys.modules))",
    "modules of matplotlib alone": "import matplotlib, sys; print(hasattr(matplotlib, 'pyplot'), sorted(sys.modules))",
    "modules of scikit-learn": "import sklearn.linear_model, sys; print(sorted(sys.modules))",
    "warnings filters after imports": "import warnings, numpy, pandas, sklearn, matplotlib.pyplot; print(warnings.filters)",
    "threads of BLAS": THREADS,
    "threads of BLAS asked for in a cell": "import os; os.environ['OPENBLAS_NUM_THREADS'] = '1'; os.environ['OMP_NUM_THREADS'] = '1'\n"
    + THREADS,
    "inline figures": "import matplotlib.pyplot as plt\nplt.plot([1, 2])\nprint(plt.get_backend(), plt.isinteractive(), plt.rcParams['figure.dpi'])",
    "logging of libraries": "import logging, pandas, sklearn, matplotlib\nprint([(n, l.level, len(l.handlers)) for n, l in sorted(logging.root.manager.loggerDict.items()) if isinstance(l, logging.Logger) and l.handlers])",
}
#: cells of one kernel
TOGETHER = {
    "specifications": "import importlib.util as u, numpy\nfor n in ('numpy', 'pandas', 'scipy.linalg', 'nothing'):\n    s = u.find_spec(n); print(s and (s.name, s.origin, s.cached, list(s.submodule_search_locations or [])))\nprint(numpy.__spec__.name, type(numpy.__spec__.loader), numpy.__loader__.name, numpy.__file__)",
    "options of pandas": "import pandas as pd\nprint(pd.options.display.max_columns, pd.options.display.width, pd.DataFrame([range(30)]))",
    "seeded generators": "import random, numpy as np\nrandom.seed(1); np.random.seed(2)\nprint(random.random(), np.random.rand(), np.random.default_rng(3).random())",
    "results of BLAS": "import numpy as np\na = np.random.default_rng(0).random((500, 500)); print(repr(np.linalg.inv(a @ a.T + np.eye(500)).sum()))",
    "OpenMP": "from sklearn.ensemble import HistGradientBoostingRegressor as H\nimport numpy as np\nX = np.random.default_rng(0).random((500, 5)); print(repr(H(max_iter=5).fit(X, X.sum(1)).score(X, X.sum(1))))",
    "joblib": "from joblib import Parallel, delayed\nprint(Parallel(2)(delayed(abs)(-i) for i in range(3)))",
    "multiprocessing by fork": "import multiprocessing as mp\ndef f(x): return x * x\nwith mp.get_context('fork').Pool(2) as p: print(p.map(f, range(4)))\nprint(mp.current_process().name, mp.parent_process(), mp.get_start_method())",
    "multiprocessing by spawn": "import multiprocessing as mp, math\nwith mp.get_context('spawn').Pool(1) as p: print(p.map(math.sqrt, [4, 9]))",
    "subprocesses": 'import subprocess, sys\nprint(subprocess.run([sys.executable, \'-c\', \'import sys, os; print(sys.path[1:], os.environ.get("OPENBLAS_NUM_THREADS"), os.environ.get("JE_ARROW_MALLOC_CONF"), len(os.listdir("/proc/self/fd")))\'], capture_output=True, text=True).stdout)',
    "%matplotlib inline": "%matplotlib inline\nimport matplotlib.pyplot as plt\nplt.plot([1, 2]); plt.show(); print(plt.get_backend())",
    "temporary folder": "import tempfile; print(tempfile.gettempdir())",
    "reimport": "import sys, json, colorsys\nfirst = colorsys; del sys.modules['colorsys']\nimport colorsys; print(first is colorsys)\nimport importlib; print(importlib.reload(json) is json)",
    "magics": "%load_ext autoreload\n%autoreload 2\nr = %timeit -n1 -r1 -o -q 1\nprint(r.loops)",
    "input": "input('x')",
    "display updates": "from IPython.display import display\nh = display('a', display_id=True)\nh.update('b')",
    "recursion": "def f(): return f()\nf()",
    "decimal, locale, time": "import decimal, datetime, time\nprint(decimal.getcontext().prec, time.strftime('%Z'), datetime.datetime(2024, 7, 1).astimezone().tzinfo)",
}
ENVIRONMENTS = {
    "hash seed": ({"PYTHONHASHSEED": "7"}, "print(hash('a'), sorted({'a', 'b', 'c'}, key=hash))"),
    "back end by variable": (
        {"MPLBACKEND": "agg"},
        "import matplotlib.pyplot as plt\nplt.plot([1, 2]); plt.show(); print(plt.get_backend())",
    ),
    "threads by variable": ({"OMP_NUM_THREADS": "1"}, THREADS),
    "time zone": ({"TZ": "Asia/Tokyo"}, "import time; print(time.tzname, time.localtime(0).tm_hour)"),
    "warnings by variable": ({"PYTHONWARNINGS": "error"}, "import warnings; print(warnings.filters[:2])"),
    "locale": ({"LC_ALL": "C"}, "import locale, sys; print(locale.setlocale(locale.LC_ALL), sys.getfilesystemencoding())"),
    "temporary folder": ({"TMPDIR": "/dev/shm"}, "import tempfile; print(tempfile.gettempdir())"),  # noqa: S108
    "path": ({"PYTHONPATH": "/nowhere"}, "import sys; print([p for p in sys.path if 'nowhere' in p])"),
    "no GPU": ({"CUDA_VISIBLE_DEVICES": ""}, "import os; print(repr(os.environ['CUDA_VISIBLE_DEVICES']))"),
}  # fmt: skip
TORCH = {
    "seeds": "import torch; torch.manual_seed(0); print(torch.rand(3), torch.initial_seed())",
    "threads": "import torch; print(torch.get_num_threads(), torch.get_num_interop_threads(), torch.cuda.is_initialized())",
    "training": "import torch\ntorch.manual_seed(0); m = torch.nn.Linear(4, 1); o = torch.optim.SGD(m.parameters(), .1)\nfor _ in range(3):\n    o.zero_grad(); l = m(torch.ones(2, 4)).sum(); l.backward(); o.step()\nprint(l)",
    "loaders": "import torch\nfrom torch.utils.data import DataLoader, TensorDataset\nprint(sum(b[0].sum().item() for b in DataLoader(TensorDataset(torch.arange(8.)), num_workers=2)))",
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("notebook")


@pytest.fixture(scope="module")
def warm(folder):
    """A launcher whose servers have learnt what these kernels import."""
    launcher = WarmLauncher()
    for _ in range(2):
        ask(launcher, LIBRARIES, cwd=folder)
    yield launcher
    launcher.close()


def both(warm, *sources, cwd, **options):
    fresh = ask(FreshLauncher(), *sources, cwd=cwd, **options)
    forked = ask(warm, *sources, cwd=cwd, **options)
    assert forked.remark.startswith("forked"), forked.remark
    return fresh, replace(forked, remark=fresh.remark)


@pytest.mark.parametrize("name", ALONE)
def test_a_forked_kernel_answers_as_a_fresh_one(warm, folder, name):
    fresh, forked = both(warm, ALONE[name], cwd=folder)

    assert forked.texts == fresh.texts


def test_cell_after_cell_answers_as_in_a_fresh_one(warm, folder):
    fresh, forked = both(warm, *TOGETHER.values(), cwd=folder)

    assert dict(zip(TOGETHER, forked.texts, strict=True)) == dict(
        zip(TOGETHER, fresh.texts, strict=True)
    )


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_the_environment_counts_as_it_does_for_a_fresh_one(warm, folder, name):
    environ, source = ENVIRONMENTS[name]

    fresh, forked = both(warm, source, cwd=folder, environ=environ)

    assert forked.texts == fresh.texts


@pytest.mark.torch
@pytest.mark.parametrize("name", TORCH)
def test_torch_answers_as_in_a_fresh_one(warm, folder, name):
    fresh, forked = both(warm, TORCH[name], cwd=folder)

    assert forked.texts == fresh.texts


@pytest.mark.torch
def test_torch_is_put_back_with_what_earlier_kernels_had_it_import(folder):
    launcher = WarmLauncher()
    try:
        answers = [ask(launcher, TORCH["training"], cwd=folder) for _ in range(6)]
    finally:
        launcher.close()

    assert [one.texts for one in answers] == [answers[0].texts] * 6
    assert "_remote_module_non_scriptable" in answers[-1].remark  # of torch._dynamo


@pytest.mark.parametrize(
    "source",
    [
        "import random; print(random.random())",
        "import numpy as np; print(np.random.rand(), np.random.default_rng().random())",
        "import uuid, tempfile, secrets; print(uuid.uuid4(), tempfile.mktemp(), secrets.token_hex())",
        "import multiprocessing as mp; print(bytes(mp.current_process().authkey))",
    ],
)
def test_two_forked_kernels_draw_differently(warm, folder, source):
    one, other = (ask(warm, source, cwd=folder) for _ in range(2))

    assert one.remark.startswith("forked")
    assert other.remark.startswith("forked")
    assert one.texts != other.texts


def test_a_module_beside_the_notebook_hides_an_installed_one(warm, tmp_path):
    (tmp_path / "pandas.py").write_text("print('local'); X = 1")

    fresh, forked = (
        ask(launcher, "import pandas; print(pandas.X)", cwd=tmp_path)
        for launcher in (FreshLauncher(), warm)
    )

    assert forked.texts == fresh.texts == ["local\n1"]
    assert forked.remark == (
        "fresh: pandas.py in the working folder hides a preloaded module"
    )


def test_a_module_on_a_path_that_a_cell_adds_hides_an_installed_one(warm, tmp_path):
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "joblib.py").write_text("X = 'own'")
    source = "import sys; sys.path.insert(0, 'own')\nimport joblib; print(joblib.X)"

    fresh, forked = both(warm, source, cwd=tmp_path)

    assert forked.texts == fresh.texts


def test_what_a_kernel_leaves_for_its_end_is_done(warm, tmp_path):
    source = """
import atexit, threading, time
atexit.register(lambda: open('atexit', 'w').write('x'))
unclosed = open('unclosed', 'w'); unclosed.write('data')
class A:
    def __del__(self): open('deleted', 'w').write('x')
a = A()
def last():
    time.sleep(0.3); open('thread', 'w').write('x')
threading.Thread(target=last).start()
"""
    found = []
    for name, launcher in (("fresh", FreshLauncher()), ("forked", warm)):
        place = tmp_path / name
        place.mkdir()
        answers = ask(launcher, source, cwd=place)
        files = {path.name: path.read_text() for path in place.iterdir()}
        found.append((files, answers.exit_code))

    assert found[0] == found[1]
    assert found[0][0] == {
        "atexit": "x",
        "unclosed": "data",
        "deleted": "x",
        "thread": "x",
    }


def test_an_interrupt_stops_a_cell_and_not_the_kernel(warm, folder):
    sources = "import time\ntime.sleep(60)", "print('alive')"

    fresh, forked = both(warm, *sources, cwd=folder, interrupt_after_s=0.5)

    assert forked == fresh
    assert forked.texts == ["<KeyboardInterrupt: >", "alive"]


def test_kernels_die_with_their_owner(folder):
    """Killed, the owner says nothing to anybody; server and kernels end all the same."""
    owner = """
import os, sys
from pathlib import Path
from nbship.adapters.kernels.warm_launching import WarmLauncher
from support.kernel_probes import kernel, run_cell
folder = Path(sys.argv[1])
with kernel(WarmLauncher(), cwd=folder) as talk:
    run_cell(talk, "import time")
    print(talk.process.pid, run_cell(talk, "import os; print(os.getppid())"), flush=True)
    run_cell(talk, "time.sleep(60)")
"""
    process = subprocess.Popen(
        [sys.executable, "-c", owner, str(folder)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    with process:
        kernel_pid, server_pid = map(int, process.stdout.readline().split())
        os.kill(kernel_pid, 0)
        process.send_signal(signal.SIGKILL)
        process.wait()

    for pid in (kernel_pid, server_pid):
        wait_for(lambda pid=pid: not _lives(pid))


def _lives(pid):
    try:
        with open(f"/proc/{pid}/stat") as file:  # noqa: PTH123
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_a_module_that_starts_threads_is_found_out_and_left_alone(folder, tmp_path):
    """The first server is given up, the next one does without; nothing hangs."""
    launcher = WarmLauncher(tmp_path / "preloads.json")
    try:
        first = ask(launcher, "import pyarrow.dataset", cwd=folder)
        again = ask(launcher, "import pyarrow.dataset, sys; print(1)", cwd=folder)
    finally:
        launcher.close()

    assert first.texts == [""]
    assert again.texts == ["1"]
    assert again.remark.startswith("forked")

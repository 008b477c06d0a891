"""Cells that run without the kernel's protocol give the outputs that a kernel gives."""

import sys

import pytest
from nbclient.exceptions import DeadKernelError

from nbship.adapters.kernels.direct import DirectRefusedError
from nbship.adapters.kernels.foreseeing import needs_kernel
from nbship.adapters.kernels.warm_launching import WarmLauncher
from support.direct_runs import execute

pytestmark = [
    pytest.mark.kernel,
    pytest.mark.skipif(sys.platform != "linux", reason="forking needs Linux"),
]

CORPUS = {
    "prints": [
        "print('a'); print('b', end='')",
        "import sys; print('out'); print('err', file=sys.stderr); print('more')",
        "for i in range(300): print(i, 'x' * 50)",
        "print('\\x1b[31mred\\x1b[0m', 'äöü €', '\\r50%\\r100%')",
    ],
    "descriptors": [
        "import os, ctypes; os.system('echo from-sh; echo bad >&2')",
        "print('before'); os.system('echo between'); print('after')",
        "c = ctypes.CDLL(None); c.puts(b'from-c'); c.fflush(None);",
        "import subprocess; subprocess.run(['echo', 'child'])",
        "!echo bang\nx = !echo kept\nx",
        "n = os.write(2, b'raw\\n')",
    ],
    "results": [
        "1 + 1",
        "_ + 1",
        "None",
        "{'a': [1, 2], 'b': {'c': 3}}",
        "'text;'",
        "3;",
        "_, __, Out[1], In[1]",
        "class A:\n    def _repr_html_(self): return '<b>a</b>'\n    def __repr__(self): return 'A'\nA()",
        "class B:\n    def __repr__(self): raise ValueError('no')\nB()  # raises",
    ],
    "displays": [
        "from IPython.display import *\ndisplay(1, 'two', HTML('<i>3</i>'))",
        "h = display('first', display_id=True)\nh.update('second')",
        "h.update('third'); print('later')",
        "print('gone'); clear_output(); print('stays')",
        "print('gone'); clear_output(wait=True); display('stays')",
        "display({'text/plain': 'a', 'application/json': {'k': 1}}, raw=True)",
        "Image(data=b'\\x89PNG\\r\\n\\x1a\\n')",
        "print('a'); display('b'); print('c'); import sys; sys.stderr.write('d')",
        "Markdown('**m**'), Latex('$x$')",
        "Javascript('1')",
    ],
    "exceptions": [
        "def f(x):\n    return 1 / x\nf(0)  # raises",
        "raise ValueError('text\\nof lines')  # raises",
        "try:\n    {}['k']\nexcept KeyError as e:\n    raise RuntimeError('outer') from e  # raises",
        "import json; json.loads('{')  # raises",
        "x = = 1  # raises",
        "assert 1 == 2, 'why'  # raises",
        "import sys; sys.exit(3)  # raises",
        "raise KeyboardInterrupt  # raises",
        "name_that_is_not  # raises",
    ],
    "magics": [
        "%%bash\necho one; echo two >&2",
        "%%capture got\nprint('hidden')",
        "got.stdout",
        "%time 1",
        "%who",
        "r = %timeit -n1 -r1 -o -q 1\nr.loops",
        "%%writefile note.txt\nhello",
        "%cat note.txt",
        "%load_ext autoreload\n%autoreload 2",
        "%config InlineBackend.figure_format = 'png'",
        "%precision 3\n3.14159",
        "?print",
        "%history",
    ],
    "await": [
        "import asyncio\nasync def f():\n    await asyncio.sleep(0.01)\n    return 5\nawait f()",
        "async with asyncio.timeout(1):\n    print('in')",
        "await asyncio.gather(f(), f())",
        "async def g():\n    1 / 0\nawait g()  # raises",
    ],
    "messages": [
        "import logging; logging.warning('w'); logging.getLogger('x').error('e')",
        "logging.basicConfig(level='INFO', force=True); logging.info('shown')",
        "import warnings; warnings.warn('careful')",
        "def f(): warnings.warn('once', DeprecationWarning)\nf(); f()",
        "import pprint; pprint.pprint({'a': list(range(40))})",
        "from tqdm import tqdm\nfor i in tqdm(range(3), disable=None, bar_format='{n}/{total}'): pass",
        "import multiprocessing as mp\np = mp.get_context('fork').Process(target=print, args=('kid',)); p.start(); p.join()",
    ],
    "libraries": [
        "import pandas as pd, numpy as np\npd.DataFrame({'a': range(100), 'b': 'x'})",
        "pd.options.display.max_columns, pd.options.display.width, pd.Series([1, 2]).describe()",
        "pd.DataFrame(np.eye(3)).style.format('{:.1f}').to_html(uuid='u')[:40]",
        "import matplotlib; import matplotlib.pyplot as plt\nfig, ax = plt.subplots(figsize=(2, 2)); ax.plot([1, 2])",
        "plt.plot([3, 1]); plt.title('t'); plt.show(); print(plt.get_backend())",
        "%matplotlib inline\nplt.figure(figsize=(1, 1)); plt.bar([1], [2]);",
        "from sklearn.linear_model import LogisticRegression\nLogisticRegression().fit([[0], [1]], [0, 1]).predict([[2]])",
        "np.arange(6).reshape(2, 3), np.float64(1.5), pd.Timestamp('2024-01-01')",
    ],
}


#: what ends in a kernel, though `--direct` was asked for
UNFIT = {
    "import ipywidgets as w": "it uses widgets",
    "from tqdm.auto import tqdm": "its progress bars are widgets",
    "from comm import create_comm": "it opens comms",
    "get_ipython().kernel": "it uses the kernel",
    "name = input('who?')": "it asks for input",
    "import threading; threading.Thread(target=print).start()": "it may print between cells",
}


@pytest.fixture(scope="module")
def warm():
    launcher = WarmLauncher()
    yield launcher
    launcher.close()


@pytest.mark.parametrize("name", CORPUS)
def test_outputs_are_those_of_a_kernel(warm, name, tmp_path):
    for folder in ("one", "other"):
        (tmp_path / folder).mkdir()
    through_kernel, _ = execute(warm, CORPUS[name], cwd=tmp_path / "one")
    directly, remark = execute(
        warm, CORPUS[name], cwd=tmp_path / "other", is_direct=True
    )

    assert remark.startswith("direct, forked")
    if name == "descriptors":  # a thread of the kernel reads them, at its own time
        directly, through_kernel = unordered(directly), unordered(through_kernel)
    assert directly == through_kernel


def unordered(cells):
    """Return the lines of each stream and the results of each cell, without their order."""
    return [
        sorted(
            (output.get("name", ""), line)
            for output in cell["outputs"]
            for line in str(output.get("text", output.get("data"))).splitlines()
        )
        for cell in cells
    ]


@pytest.mark.parametrize("source", UNFIT)
def test_cells_that_need_a_kernel_are_told_by_their_text(source):
    assert needs_kernel(["x = 1", source]) == UNFIT[source]


def test_every_cell_of_the_corpus_may_run_directly():
    assert {
        name: needs_kernel(cells) for name, cells in CORPUS.items()
    } == dict.fromkeys(CORPUS, "")


def test_a_notebook_that_needs_a_kernel_gets_one(warm, tmp_path):
    told, remark = execute(
        warm, ["k = get_ipython().kernel; 1"], cwd=tmp_path, is_direct=True
    )

    assert remark.startswith("forked")
    assert remark.endswith("it uses the kernel")
    assert told[0]["outputs"][0]["data"] == {"text/plain": "1"}


def test_a_comm_that_no_text_foretold_ends_the_notebook(warm, tmp_path):
    source = (
        "m = __import__('com' + 'm'); m.__dict__['create_' + 'comm'](target_name='t')"
    )

    with pytest.raises(DirectRefusedError, match="a comm was opened"):
        execute(warm, ["print(1)", source], cwd=tmp_path, is_direct=True)


def test_cells_end_as_in_a_kernel(warm, tmp_path):
    with pytest.raises(DeadKernelError):
        execute(
            warm, ["print(1)", "import os; os._exit(3)"], cwd=tmp_path, is_direct=True
        )


def test_cells_are_interrupted_at_their_limit(warm, tmp_path):
    options = {"timeout": 1, "interrupt_on_timeout": True}
    told, _ = execute(
        warm,
        ["import time; time.sleep(60)  # raises", "print('alive')"],
        cwd=tmp_path,
        is_direct=True,
        **options,
    )

    assert told[0]["outputs"][-1]["ename"] == "KeyboardInterrupt"
    assert told[1]["outputs"][0]["text"] == "alive\n"

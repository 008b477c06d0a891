"""Which leading cells may be executed once for all jobs of a sweep, and what ends them."""

from __future__ import annotations

import pytest

from nbship.jobs.prefix import SharedPrefix, shared_prefix
from nbship.records.notebook import Cell, CellKind, Notebook

PARAMETERS = "lr: float = 0.1\ndepth: int = 3\nhow: str = 'mean'"
LOADING = "import pandas as pd\nframe = pd.read_csv('data.csv')"


def notebook(*sources, parameters=PARAMETERS, before=(), tags=None):
    cells = []
    for source in before:
        cells.append((f"b{len(cells) + 1}", source, ()))
    cells.append(("p", parameters, ("parameters",)))
    for number, source in enumerate(sources, start=1):
        cells.append((f"c{number}", source, (tags or {}).get(number, ())))
    return Notebook(
        path="n.ipynb",
        digest="d",
        kernel_name="python3",
        language="python",
        cells=tuple(
            Cell(id=i, kind=CellKind.CODE, source=s, index=k, tags=t)
            for k, (i, s, t) in enumerate(cells)
        ),
    )


def shared(*sources, swept=("lr", "depth"), injected=(), own=(), **more):
    return shared_prefix(
        notebook(*sources, **more), swept=swept, sources=injected, own_modules=own
    )


def ends_first(source, **more):
    """Return why a cell behind the parameters is not shared."""
    found = shared(source, **more)
    assert found.cells == ("p",), f"shared: {source!r}"
    return found.ends


def test_cells_are_shared_until_one_mentions_a_swept_name():
    found = shared(
        LOADING,
        "import numpy as np\nnp.random.seed(0)\nx = np.random.rand(9)",
        "%matplotlib inline\nframe.describe()",
        "y = x.mean()\nmodel = lr * y",
        "print(y)",
        before=("from datetime import date",),
    )
    assert found == SharedPrefix(
        cells=("b1", "p", "c1", "c2", "c3"), ends="cell c4, line 2: it mentions lr"
    )


def test_a_notebook_that_uses_no_swept_name_is_shared_as_a_whole():
    found = shared("x = 1", swept=("unused",))
    assert found == SharedPrefix(
        cells=("p", "c1"), ends="no cell depends on what is swept"
    )


@pytest.mark.parametrize(
    "source",
    [
        "print(lr)",
        "lr = 5",
        "del lr",
        "lr += 1",
        "def train():\n    return lr",
        "train = lambda: lr",
        "def train(lr):\n    return 1",
        "for lr in [1]:\n    pass",
        "[lr for lr in [1]]",
        "print(f'{lr}')",
        "frame.query('x > @lr')",
        "import numpy as lr",
        "class lr:\n    pass",
        "def f():\n    global lr",
        "with a as lr:\n    pass",
        "try:\n    1\nexcept ValueError as lr:\n    pass",
        "match 1:\n    case lr:\n        pass",
        "match {}:\n    case {**lr}:\n        pass",
        "(lr := 3)",
        "x: lr = 1",
        "note = 'tune lr here'",
    ],
)
def test_every_mention_of_a_swept_name_ends_the_prefix(source):
    assert "mentions lr" in ends_first(source)


@pytest.mark.parametrize(
    "source", ["fit(lr=0.1)", "model.lr", "learning_lr = 1", "dict(lr=2)"]
)
def test_words_and_attributes_of_the_same_spelling_are_no_mention(source):
    assert shared(source).cells == ("p", "c1")


def test_defaults_may_be_derived_in_the_parameters_cell():
    found = shared(
        "x = width",
        parameters="lr = 0.1\nwidth = lr * 2\nboth = [lr for _ in range(2)]",
    )
    assert found.cells == ("p", "c1")


@pytest.mark.parametrize(
    "parameters",
    [
        "lr = 0.1\ntrain = lambda: lr",
        "lr = 0.1\ndef train():\n    return lr",
        "lr = 0.1\nnumbers = (lr for _ in range(2))",
        "lr = 0.1\nclass A:\n    def f(self):\n        return lr",
    ],
)
def test_a_function_of_the_parameters_cell_that_reads_a_swept_name_later_ends_it(
    parameters,
):
    found = shared("x = train()", parameters=parameters)
    assert found.cells == ()
    assert "mentions lr in what runs later" in found.ends


def test_a_cell_that_sets_what_values_are_made_with_ends_the_prefix():
    made = {"injected": ["# Parameters\nday = date.fromisoformat('2024-01-02')"]}
    parameters = "from datetime import date\nday: date = date(2024, 1, 1)"
    said = ends_first("date = 5", swept=("day",), parameters=parameters, **made)
    assert "sets date, with which values are made" in said
    assert "sets date" in ends_first(
        "date.tag = 5", swept=("day",), parameters=parameters, **made
    )
    assert shared("d = 5", swept=("day",), parameters=parameters, **made).cells == (
        "p",
        "c1",
    )


@pytest.mark.parametrize(
    "source",
    [
        # what no syntax tree shows
        "from numpy import *",
        "exec('x = 1')",
        "eval('1')",
        "globals()['l' + 'r']",
        "locals()",
        "vars()",
        "dir()",
        "getattr(frame, 'to_csv')('x')",
        "get_ipython().user_ns",
        "import __main__",
        "__import__('os')",
        "frame.__class__.__init__.__globals__",
        "print(_)",
        "Out[1]",
        "import pandas as pd\npd.read_pickle('x')",
        "import pandas as pd\npd.eval('1')",
        "frame.query('x > @l' + 'r')",
        "q = frame.query",
        "import pickle\npickle.load(f)",
        "import inspect\ninspect.currentframe()",
        "import sys\nsys._getframe()",
        "import sys\nsys.modules",
        "import operator\noperator.methodcaller('to_csv', 'x')(frame)",
        # lines of IPython
        "%run other.ipynb",
        "!ls",
        "files = !ls",
        "%%bash\nls",
        "%load_ext autoreload",
        "%mlops log acc=1",
        "frame?",
        "  %time 1",
        "reset",
        # writing
        "open('x', 'w').write('1')",
        "with open('x', 'a') as f:\n    pass",
        "with open('x', mode='r+') as f:\n    pass",
        "with open('x', mode) as f:\n    pass",
        "from pathlib import Path\nPath('x').write_text('1')",
        "from pathlib import Path\nwith Path('x').open('w') as f:\n    pass",
        "frame.to_csv('x')",
        "import numpy as np\nnp.save('x', 1)",
        "import matplotlib.pyplot as plt\nplt.savefig('x')",
        "import os\nos.remove('x')",
        "from os import remove\nremove('x')",
        "import os as o\no.system('ls')",
        "import shutil\nshutil.rmtree('x')",
        "import os\nerase = os",
        # kept open
        "f = open('x')",
        "from functools import partial\npartial(open, 'x')",
        "import pandas as pd\nparts = pd.read_csv('x', chunksize=3)",
        "import numpy as np\nx = np.load('x.npz')",
        "import numpy as np\nx = np.load('x.npy', mmap_mode='r')",
        "import zipfile\nzipfile.ZipFile('x')",
        # threads, processes, servers
        "import threading\nthreading.Thread()",
        "from threading import Thread\nThread()",
        "import subprocess\nsubprocess.run(['ls'])",
        "from multiprocessing import Pool\nPool()",
        "from concurrent.futures import ThreadPoolExecutor\nThreadPoolExecutor()",
        "from sklearn.model_selection import cross_val_score\ncross_val_score(m, x, n_jobs=2)",
        "import socket\nsocket.socket()",
        "import requests\nrequests.get(u)",
        "import pandas as pd\npd.read_csv('https://example.org/a.csv')",
        "from sklearn.datasets import fetch_openml\nfetch_openml('x')",
        "import torch\ntorch.zeros(1)",
        "await f()",
        "import atexit\natexit.register(print)",
        "class A:\n    def __del__(self):\n        print(1)",
        # clock and the system's randomness
        "import time\ntime.time()",
        "from datetime import datetime\ndatetime.now()",
        "import pandas as pd\npd.Timestamp.today()",
        "import numpy as np\nrng = np.random.default_rng()",
        "import numpy as np\nrng = np.random.default_rng(None)",
        "import numpy as np\nmake = np.random.default_rng",
        "from numpy.random import default_rng\nmake = default_rng",
        "import random\nrandom.seed()",
        "import random\nrandom.SystemRandom().random()",
        "import uuid\nuuid.uuid4()",
        "import secrets\nsecrets.token_hex()",
        "from sklearn.utils import shuffle\nshuffle(x, random_state=None)",
        "import numpy as np\nx = np.random.rand()",
        "import random\nx = random.random()\nrandom.seed(1)",
        "import random, numpy as np\nrandom.seed(1)\nx = np.random.rand()",
        "from sklearn.model_selection import train_test_split as split\nsplit(x)",
        "from sklearn.ensemble import RandomForestClassifier\nRandomForestClassifier()",
        "frame.sample(3)",
        # what is not known
        "import unheard_of\nunheard_of.do()",
        "this is no Python",
        "import os.path as p, os\nos.chdir('x')",
        "from . import near",
    ],
)  # fmt: skip
def test_what_a_cell_does_beside_computing_ends_the_prefix(source):
    assert ends_first(source).startswith("cell c1, line ")


@pytest.mark.parametrize(
    "source",
    [
        "import os, sys, time, torch, requests, subprocess",
        "import os\nos.path.join('a', os.environ['HOME'], os.getcwd())",
        "with open('x') as f:\n    text = f.read()",
        "with open('x', 'rb') as f:\n    text = f.read()",
        "import gzip\nfrom pathlib import Path\nwith Path('x').open(mode='r') as f:\n    f.read()",
        "import numpy as np\nx = np.load('x.npy')",
        "import numpy as np\nrng = np.random.default_rng(7)\nrng.normal(size=3)",
        "import random\nrandom.seed(1)\nrandom.shuffle([1, 2])",
        "from sklearn.model_selection import train_test_split as split\nsplit(x, random_state=0)",
        "from sklearn.ensemble import RandomForestClassifier as F\nF(n_jobs=1, random_state=0).fit(x, y)",
        "import time\ntime.sleep(0.1)",
        "import numpy as np\nnp.random.seed(1)\nx = np.random.rand()\nframe.sample(3)",
        "frame.sample(3, random_state=1)",
        "from sklearn.preprocessing import StandardScaler\nStandardScaler().fit(x)",
        "from sklearn.datasets import load_iris\nload_iris()",
        "import matplotlib.pyplot as plt\nplt.plot([1])\nplt.show()",
        "from IPython.display import display, HTML\ndisplay(HTML('<b>x</b>'))",
        "x = 1\nx",
        "class A:\n    def __init__(self):\n        self.x = 1",
        "frame.query('x > 3')",
        "# only a comment",
        "",
        "%matplotlib inline\n%config InlineBackend.figure_format = 'svg'",
    ],
)  # fmt: skip
def test_cells_that_compute_and_read_are_shared(source):
    assert shared(source).cells == ("p", "c1")


def test_imports_of_the_projects_own_modules_end_the_prefix():
    assert "imports steps.load, a module of the project" in ends_first(
        "import steps.load", own=["steps"]
    )
    assert "imports steps" in ends_first("from steps import x", own=["steps"])


def test_a_tag_that_changes_how_a_cell_runs_ends_the_prefix():
    assert "is tagged 'raises-exception'" in ends_first(
        "1 / 0", tags={1: ("raises-exception",)}
    )
    assert shared("x = 1", tags={1: ("hide-input",)}).cells == ("p", "c1")


def test_a_name_imported_in_an_earlier_cell_is_judged_in_a_later_one():
    found = shared("import shutil as s", "x = 1", "s.rmtree('x')")
    assert found.cells == ("p", "c1", "c2")
    assert found.ends == (
        "cell c3, line 1: it uses shutil.rmtree, which is not known to compute only"
    )


def test_what_stands_before_the_parameters_cell_is_judged_too():
    found = shared("x = 1", before=("import os\nos.mkdir('x')",))
    assert found.cells == ()
    assert found.ends.startswith("cell b1, line 2")

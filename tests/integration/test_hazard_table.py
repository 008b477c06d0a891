"""The hazards of notebooks, each in a real kernel: a right answer, or a refusal with its fix."""

from __future__ import annotations

import json
import textwrap

import pytest

from support.live_kernel import LiveKernel

pytestmark = [pytest.mark.kernel, pytest.mark.xdist_group("hazard-table")]
OWN_FEATURES = """
import own_units

FACTOR = 3


class Scale:
    def __init__(self, by):
        self.by = by

    def fit(self, X, y=None):
        return self

    def transform(self, X):
        return X * self.by


def scaled(x):
    return own_units.to_metres(x) * FACTOR
"""


class Shell:
    """One kernel in which each hazard has its own notebook, after a reset."""

    def __init__(self, folder):
        self.kernel = LiveKernel(folder)
        self.kernel.run("%load_ext nbship")
        self.folder = folder

    def check(self, *cells, root="predict"):
        """Run cells after a reset and return what `--check --json` says."""
        self.kernel.run("%reset -f")
        self.kernel.run(
            f"__import__('nbship.faces.roots', fromlist=['']).attend([{root!r}])"
        )
        for cell in cells:
            reply = self.kernel.run(textwrap.dedent(cell))
            assert reply.status == "ok", (reply.ename, reply.evalue)
        reply = self.kernel.run(f"%mlops export {root} --check --json")
        assert reply.status == "ok", (reply.ename, reply.evalue)
        text = "".join(
            content["text"] for kind, content in reply.messages if kind == "stream"
        )
        return json.loads(text)


@pytest.fixture(scope="module")
def shell(tmp_path_factory):
    folder = tmp_path_factory.mktemp("hazards")
    (folder / "own_features.py").write_text(OWN_FEATURES)
    (folder / "own_units.py").write_text("def to_metres(x):\n    return x * 0.3048\n")
    found = Shell(folder)
    yield found
    found.kernel.close()


#: hazard of the table -> cells; each ends in a right answer
HANDLED = {
    "mutation of a list": (
        "SEEN = ['a']",
        "SEEN.append('b')",
        "def predict(x): return SEEN.count(x)",
        "predict('b')",
    ),
    "mutation of a frame": (
        "import pandas as pd\ntable = pd.DataFrame({'a': [1, 2], 'b': [3, 4]})",
        "table['c'] = table.a * 2\ntable.drop(columns='b', inplace=True)",
        "def predict(n):\n    return table.c.sum() * n + table.shape[1]",
        "predict(2)",
    ),
    "aliasing": (
        "import numpy as np\nA = np.arange(4.0)\nB = A\nB[0] = 7",
        "def predict(x):\n    return float(A[0] + B[0]) * x",
        "predict(2)",
    ),
    "aliased list that is changed": (
        "LOG = [1]\nSAME = LOG",
        "def predict(x):\n    seen = list(LOG)\n    seen.append(x)\n    return SAME is LOG, seen",
        "predict(2)",
    ),
    "closure": (
        "def make(rate):\n    table = {'a': rate}\n    def inner(x):\n        return table['a'] * x\n    return inner\npredict = make(3)",
        "predict(2)",
    ),
    "closures that share a dict": (
        "def make():\n    memo = {}\n    def put(k, v):\n        memo[k] = v\n    def get(k):\n        return memo.get(k, -1)\n    return put, get\nput, get = make()",
        "def predict(x):\n    put(x, x * 2)\n    return get(x)",
        "predict(5)",
    ),
    "closure over a global object": (
        "CACHE = {}\ndef make(memo):\n    def put(k):\n        memo[k] = k\n    return put\nput = make(CACHE)",
        "def predict(x):\n    put(x)\n    return sorted(CACHE)[-1]",
        "CACHE.clear()\npredict(1)\nCACHE.clear()",
    ),
    "factory of factories": (
        "def outer(a):\n    def middle(b):\n        def inner(x):\n            return a * x + b\n        return inner\n    return middle\npredict = outer(2)(3)",
        "predict(4)",
    ),
    "partial": (
        "from functools import partial\ndef power(x, n, plus=0): return x ** n + plus\npredict = partial(power, n=3, plus=1)",
        "predict(2)",
    ),
    "lambda": ("add, predict = (lambda x: x + 1), (lambda x: x * 2)", "predict(3)"),
    "lambda in a table": (
        "RULES = {'up': lambda x: x + 1, 'down': lambda x: x - 1}\ndef predict(x, rule): return RULES[rule](x)",
        "predict(3, 'down')",
    ),
    "decorator of the notebook": (
        "def twice(f):\n    def wrapper(*args):\n        return f(*args) * 2\n    return wrapper",
        "@twice\ndef predict(x):\n    return x + 1",
        "predict(3)",
    ),
    "decorator that is a class": (
        "class Twice:\n    def __init__(self, f):\n        self.f = f\n    def __call__(self, x):\n        return self.f(x) * 2\n@Twice\ndef helper(x):\n    return x + 1",
        "def predict(x):\n    return helper(x)",
        "predict(3)",
    ),
    "cache": (
        "import functools\n@functools.lru_cache(maxsize=None)\ndef slow(x): return x * 2\ndef predict(x): return slow(x)",
        "predict(4)",
    ),
    "context manager": (
        "from contextlib import contextmanager\n@contextmanager\ndef scaled(by):\n    yield by\ndef predict(x):\n    with scaled(3) as by:\n        return x * by",
        "predict(3)",
    ),
    "redefinition": (
        "def step(x): return x * 100",
        "def predict(x): return step(x)",
        "def step(x): return x + 1",
        "predict(1)",
    ),
    "cells out of order": (
        "def predict(x): return clean(x) + SHIFT",
        "SHIFT = 2",
        "def clean(x): return x * 2",
        "SHIFT = 5",
        "predict(1)",
    ),
    "star import": (
        "from math import *",
        "def predict(x): return sqrt(x) + pi",
        "predict(4)",
    ),
    "star import of a local module": (
        "from own_units import *",
        "def predict(x): return to_metres(x)",
        "predict(4)",
    ),
    "conditional definition": (
        "if 1 > 2:\n    def step(x): return x\nelse:\n    def step(x): return x * 3",
        "def predict(x): return step(x)",
        "predict(4)",
    ),
    "import that may fail": (
        "try:\n    import nothing_like_it as fast\nexcept ImportError:\n    fast = None",
        "def predict(x): return x if fast is None else fast.f(x)",
        "predict(4)",
    ),
    "recursion": (
        "def even(n): return n == 0 or odd(n - 1)\ndef odd(n): return n > 0 and even(n - 1)\ndef predict(n): return even(n)",
        "predict(7)",
    ),
    "magics beside the code": (
        "%matplotlib inline\n!true\nSCALE = 2",
        "def predict(x): return x * SCALE",
        "%timeit -n1 -r1 predict(1)\npredict(1)",
    ),
    "local modules": (
        "import own_features as features\nfrom own_units import to_metres",
        "def predict(x): return features.scaled(x) + to_metres(1)",
        "predict(10)",
    ),
    "class of a local module inside a pipeline": (
        (
            "import numpy as np\nfrom sklearn.linear_model import LinearRegression\nfrom sklearn.pipeline import make_pipeline\nfrom own_features import Scale\n"
            "X = np.arange(20.0).reshape(10, 2)\nmodel = make_pipeline(Scale(2.0), LinearRegression()).fit(X, X[:, 0])"
        ),
        "def predict(rows):\n    return model.predict(rows)",
        "predict(X)",
    ),
    "class of the notebook inside a pipeline": (
        "import numpy as np\nfrom sklearn.base import BaseEstimator, TransformerMixin\nfrom sklearn.linear_model import LinearRegression\nfrom sklearn.pipeline import make_pipeline",
        "class Shift(TransformerMixin, BaseEstimator):\n    def __init__(self, by=1): self.by = by\n    def fit(self, X, y=None):\n        self.n_features_in_ = X.shape[1]\n        return self\n    def transform(self, X): return X + self.by",
        "X = np.arange(20.0).reshape(10, 2)\nmodel = make_pipeline(Shift(), LinearRegression()).fit(X, X[:, 0])\ndef predict(rows): return model.predict(rows)",
        "predict(X)",
    ),
    "secret in the environment": (
        "import os\nos.environ['OWN_API_KEY'] = 'abcdefgh12345678'\nAPI_KEY = os.environ.get('OWN_API_KEY', '')",
        "def predict(x): return len(API_KEY) + x",
        "predict(1)",
    ),
    "declared resource": (
        "import nbship, sqlite3\n@nbship.resource\ndef prices():\n    made = sqlite3.connect(':memory:')\n    made.execute('create table p (v)')\n    made.execute('insert into p values (7)')\n    return made",
        "def predict(x):\n    return prices().execute('select v from p').fetchone()[0] * x",
        "predict(2)",
    ),
    "monkey patch that nothing calls": (
        "import pandas as pd\npd.DataFrame.shout = lambda self: 'A'",
        "def predict(x): return int(pd.Series([x]).sum())",
        "predict(2)",
    ),
    "type aliases": (
        "from typing import TypeVar, Optional\nRow = dict[str, float]\nMaybe = Optional[Row]\nT = TypeVar('T')",
        "def predict(row: Row, more: Maybe = None, kind: T = None) -> T:\n    return row['a']",
        "predict({'a': 1.5})",
    ),
    "logger": (
        "import logging\nlog = logging.getLogger('own')",
        "def predict(x):\n    log.debug('asked')\n    return x",
        "predict(2)",
    ),
    "collections": (
        "from collections import Counter, defaultdict, deque\nfrom operator import itemgetter\nC = Counter('aab'); D = defaultdict(int, {'a': 2}); Q = deque([1, 2], maxlen=2); first = itemgetter(0)",
        "def predict(k): return C[k], D[k], Q[0], first('ab')",
        "predict('a'); predict('z')",
    ),
    "lambdas made in a loop": (
        "fs = [lambda x, i=i: x + i for i in range(3)]\ngs = []\nfor k in (2, 3):\n    gs.append(lambda x, k=k: x * k)",
        "def predict(x): return [f(x) for f in fs + gs]",
        "predict(3)",
    ),
    "methods of builtin types": (
        "import re\nup = str.upper\nget = {'A': 1}.get\nsub = re.compile('b').sub",
        "def predict(x): return get(up(sub('a', x)))",
        "predict('b')",
    ),
    "vectorized function": (
        "import numpy as np\n@np.vectorize\ndef step(x): return x * 2 if x > 1 else 0",
        "def predict(rows): return step(rows)",
        "predict(np.arange(4))",
    ),
    "method put on an object": (
        "class Model:\n    def run(self, x): return x\ndef double(x): return x * 2\nmodel = Model()\nmodel.run = double",
        "def predict(x): return model.run(x)",
        "predict(3)",
    ),
    "calls in the cell of the definition": (
        "def predict(x):\n    return x * 2\nfor n in range(3):\n    predict(n)",
    ),
}


@pytest.mark.parametrize("hazard", HANDLED)
def test_a_hazard_ends_in_the_right_answer(shell, hazard):
    check = shell.check(*HANDLED[hazard])

    assert [f for f in check["findings"] if f["severity"] == "blocker"] == []
    assert check["passed"] is True
    assert check["cases_replayed"] == check["cases"] > 0


#: hazard of the table -> cells, its word, a part of the message, a part of the fix
REFUSED = {
    "deleted name": (
        (
            "def step(x): return x",
            "def predict(x): return step(x)",
            "predict(1)",
            "del step",
        ),
        "missing-name",
        "reads 'step', which no cell binds now",
        "Run the cell that binds step",
    ),
    "edited default": (
        ("T = 1\ndef predict(x, t=T): return x + t", "T = 2\npredict(1)"),
        "changed-default",
        "the default of 't'",
        "Run the cell",
    ),
    "redefined decorator": (
        (
            "def deco(f):\n    def wrapper(x): return f(x) * 2\n    return wrapper",
            "@deco\ndef predict(x): return x",
            "def deco(f):\n    def wrapper(x): return f(x) * 3\n    return wrapper",
            "predict(1)",
        ),
        "redefined",
        "a decorator was redefined",
        "Run the cell that defines predict again",
    ),
    "monkey patch": (
        (
            "import pandas as pd\npd.Series.twice = lambda self: self * 2",
            "def predict(x): return int(pd.Series([x]).twice()[0])",
            "predict(2)",
        ),
        "monkey-patch",
        "pandas",
        "Write it as a function of its own",
    ),
    "replaced function of a library": (
        (
            "import statistics\ndef mine(x): return 1\nstatistics.mean = mine",
            "def predict(x): return statistics.mean([x])",
            "predict(4)",
        ),
        "monkey-patch",
        "statistics.mean is replaced in",
        "call that",
    ),
    "changed class": (
        (
            "class Model:\n    k = 2\n    def run(self, x): return x * self.k",
            "Model.k = 5",
            "def predict(x): return Model().run(x)",
            "predict(1)",
        ),
        "changed-class",
        "'k' was set or changed",
        "in the body of class Model",
    ),
    "attribute of a class computed from what changed": (
        (
            "RATE = 2\nclass Model:\n    by = RATE * 2",
            "RATE = 5",
            "def predict(x): return Model.by * x",
            "predict(1)",
        ),
        "changed-class",
        "'by' was set or changed",
        "in the body of class Model",
    ),
    "monkey patch by setattr": (
        (
            "import statistics\ndef mine(x): return 1\nsetattr(statistics, 'median', mine)",
            "def predict(x): return statistics.median([x])",
            "predict(4)",
        ),
        "monkey-patch",
        "statistics.median is replaced in",
        "call that",
    ),
    "redefined base class": (
        (
            "class Base:\n    def f(self): return 1",
            "class Child(Base): pass",
            "class Base:\n    def f(self): return 2",
            "def predict(x): return Child().f() + x",
            "predict(1)",
        ),
        "redefined",
        "its base Base was redefined",
        "Run the cell that defines Child again",
    ),
    "closures that share a variable": (
        (
            "def make():\n    n = 0\n    def up():\n        nonlocal n\n        n += 1\n    def get(): return n\n    return up, get\nup, get = make()",
            "def predict(x):\n    up()\n    return get() * 0 + x",
            "predict(1)",
        ),
        "closure",
        "share 'n'",
        "attribute of a class",
    ),
    "handle": (
        (
            "import sqlite3\nconn = sqlite3.connect(':memory:')",
            "def predict(x): return conn and x",
            "predict(1)",
        ),
        "handle",
        "a database connection",
        "@nbship.resource",
    ),
    "generator": (
        (
            "rows = (n for n in range(9))",
            "def predict(x): return next(rows) * 0 + x",
            "predict(1)",
        ),
        "handle",
        "a generator or iterator",
        "Turn it into a list",
    ),
    "random generator": (
        (
            "import numpy as np\nrng = np.random.default_rng(0)",
            "def predict(x): return x + rng.normal()",
            "predict(1)",
        ),
        "handle",
        "a random generator",
        "from a seed",
    ),
    "secret": (
        (
            "API_KEY = 'abcdefgh12345678'",
            "def predict(x): return len(API_KEY) + x",
            "predict(1)",
        ),
        "secret",
        "looks like a secret",
        'API_KEY = os.environ.get("API_KEY", "")',
    ),
    "magic inside a function": (
        ("def predict(x):\n    %time y = x\n    return x", "predict(1)"),
        "magic",
        "a magic or shell command stands in its body",
        "cell of its own",
    ),
    "input": (
        ("def predict(x):\n    return x if x else input()", "predict(1)"),
        "keyboard",
        "calls input()",
        "an argument",
    ),
    "local module imported inside": (
        (
            "def predict(x):\n    import own_units\n    return own_units.to_metres(x)",
            "predict(1)",
        ),
        "local-module",
        "own_units",
        "at the top of a cell",
    ),
    "inner function inside an estimator": (
        (
            "from sklearn.preprocessing import FunctionTransformer as F\ndef times(n):\n    return lambda x: x * n\nstep = F(times(2))",
            "def predict(x): return step.transform(x)",
            "import numpy as np\npredict(np.ones((2, 2)))",
        ),
        "redefined",
        "times.<locals>.<lambda>",
        "at the top level of a cell",
    ),
    "older class inside a pipeline": (
        (
            "class Twice:\n    def transform(self, X): return X * 2\nstep = Twice()",
            "class Twice:\n    def transform(self, X): return X * 2",
            "def predict(x): return step.transform(x)",
            "predict(1)",
        ),
        "redefined",
        "which is not the Twice that the notebook defines now",
        "Define Twice",
    ),
    "code without text": (
        (
            "exec('def step(x): return x')",
            "def predict(x): return step(x)",
            "predict(1)",
        ),
        "no-text",
        "no executed cell holds its text",
        "Define it in a cell",
    ),
    "values hung on a function": (
        (
            "def step(x): return x + step.by\nstep.by = 1",
            "def predict(x): return step(x)",
            "predict(1)",
        ),
        "function-attributes",
        "by",
        "global name",
    ),
    "singledispatch": (
        (
            "import functools\n@functools.singledispatch\ndef step(x): return x",
            "def predict(x): return step(x)",
            "predict(1)",
        ),
        "singledispatch",
        "singledispatch",
        "isinstance",
    ),
    "class inside a function": (
        (
            "def make():\n    class Inner:\n        def f(self): return 1\n    return Inner\nInner = make()",
            "def predict(x): return Inner().f() + x",
            "predict(1)",
        ),
        "nested-class",
        "inside a function",
        "top level of a cell",
    ),
    "no call": (
        ("def predict(x): return x",),
        "no-golden-case",
        "no golden case",
        "Call predict in a cell",
    ),
    "asynchronous": (
        ("async def predict(x): return x", "await predict(1)"),
        "unrecorded-calls",
        "coroutine cannot be recorded",
        "with plain values",
    ),
    "handle as an argument": (
        (
            "import threading\ndef predict(x, lock):\n    return x",
            "predict(1, threading.Lock())",
        ),
        "unrecorded-calls",
        "a lock holds _thread.lock",
        "from global names",
    ),
    "inner function as an argument": (
        (
            "def times(n):\n    return lambda x: x * n\ndef predict(x, change):\n    return change(x)",
            "predict(1, times(3))",
        ),
        "unrecorded-calls",
        "<lambda>, a function that no name leads to",
        "from global names",
    ),
    "changed while it answers": (
        (
            "N = [0]\ndef predict(x):\n    N[0] += 1\n    return N[0] + x",
            "predict(1)\npredict(1)",
        ),
        "parity",
        "where",
        "hidden state",
    ),
    "randomness": (
        ("import random\ndef predict(x): return x + random.random()", "predict(1)"),
        "parity",
        "where",
        "randomness",
    ),
}


@pytest.mark.parametrize("hazard", REFUSED)
def test_a_hazard_is_refused_with_its_fix(shell, hazard):
    cells, word, message, fix = REFUSED[hazard]

    check = shell.check(*cells)

    blockers = [f for f in check["findings"] if f["severity"] == "blocker"]
    assert check["passed"] is False
    assert [f["hazard"] for f in blockers] == [word] * len(blockers)
    assert message in blockers[0]["message"]
    assert fix in blockers[0]["hint"]


NOTED = {
    "global that is set": (
        ("N = 0\ndef predict(x):\n    global N\n    N = x\n    return x", "predict(1)"),
        "predict changes the global 'N' when it is called",
    ),
    "value that is changed": (
        (
            "MEMO = {}\ndef predict(x):\n    MEMO[x] = x\n    return x",
            "predict(1)\nMEMO.clear()",
        ),
        "predict changes 'MEMO' when it is called",
    ),
    "print": (
        ("def predict(x):\n    print(x)\n    return x", "predict(1)"),
        "predict calls print()",
    ),
    "clock": (
        ("import time\ndef predict(x):\n    time.time()\n    return x", "predict(1)"),
        "predict calls time.time(): its answers may differ",
    ),
    "environment": (
        (
            "import os\ndef predict(x):\n    return x + len(os.environ.get('OWN_' + 'GONE', ''))",
            "predict(1)",
        ),
        "an environment variable whose name is computed",
    ),
    "variable of a closure": (
        (
            "def make():\n    n = 0\n    def step(x):\n        nonlocal n\n        n = x\n        return x\n    return step\npredict = make()",
            "predict(1)",
        ),
        "predict keeps 'n' from one call to the next",
    ),
    "setting of a library": (
        (
            "import decimal\ndecimal.MAX_EMAX_OWN = 3\ndef predict(x):\n    return decimal.Decimal(x)",
            "predict(1)",
        ),
        "decimal.MAX_EMAX_OWN is set in",
    ),
}


@pytest.mark.parametrize("hazard", NOTED)
def test_what_may_change_answers_is_noted(shell, hazard):
    cells, remark = NOTED[hazard]

    check = shell.check(*cells)

    assert check["passed"] is True
    assert any(remark in finding["message"] for finding in check["findings"])


def test_a_cell_that_did_not_compile_is_no_hindrance(shell):
    shell.kernel.run("def broken(:\n    pass")

    check = shell.check("def predict(x): return x", "predict(1)")

    assert check["passed"] is True


def test_the_table_of_an_explanation_is_shown_in_the_notebook(shell):
    shell.check("RATE = 2\ndef predict(x): return x * RATE", "predict(1)")

    shown = shell.kernel.run("%mlops export predict --explain")

    (data,) = [c["data"] for kind, c in shown.messages if kind == "display_data"]
    assert "constant: predict reads RATE" in data["text/plain"]
    assert "<table>" in data["text/html"]
    assert not (shell.folder / ".mlops" / "exports").exists()

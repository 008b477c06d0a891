"""Live objects that have no place in a package: each is refused with name, type, cell and fix."""

from __future__ import annotations

from types import ModuleType

import pytest

from nbship.errors import HazardError
from support.executed import ExecutedNotebook

HANDLES = {
    "open file": ("handle = open(__import__('os').devnull)", "an open file (_io."),
    "stream": ("import io\nhandle = io.StringIO('a')", "a stream in memory"),
    "connection": (
        "import sqlite3\nhandle = sqlite3.connect(':memory:')",
        "a database connection (sqlite3.Connection)",
    ),
    "cursor": (
        "import sqlite3\nconn = sqlite3.connect(':memory:')\nhandle = conn.cursor()",
        "a database connection (sqlite3.Cursor)",
    ),
    "socket": ("import socket\nhandle = socket.socket()", "a socket (socket.socket)"),
    "thread": (
        "import threading\nhandle = threading.Thread(target=print)",
        "a thread or lock (threading.Thread)",
    ),
    "lock": ("import threading\nhandle = threading.RLock()", "a thread or lock"),
    "generator": ("handle = (x for x in 'abc')", "a generator or iterator"),
    "iterator": ("handle = map(str, [1])", "a generator or iterator (map)"),
    "pool": (
        "import concurrent.futures as cf\nhandle = cf.ThreadPoolExecutor(1)",
        "a process or pool",
    ),
    "temporary file": (
        "import tempfile\nhandle = tempfile.NamedTemporaryFile()",
        "an open file",
    ),
    "weak reference": (
        "import weakref\nclass A: pass\na = A()\nhandle = weakref.ref(a)",
        "a weak reference",
    ),
    "figure": (
        "import matplotlib\nmatplotlib.use('agg')\nfrom matplotlib.figure import Figure\nhandle = Figure()",
        "a figure",
    ),
}


def refusal(tmp_path, *cells):
    notebook = ExecutedNotebook(*cells)
    with pytest.raises(HazardError) as caught:
        notebook.capture(tmp_path / "capture")
    assert not (tmp_path / "capture").exists()
    for value in reversed(notebook.namespace.values()):
        if hasattr(value, "close") and not isinstance(value, (type, ModuleType)):
            value.close()
    return caught.value


@pytest.mark.parametrize("name", HANDLES)
def test_a_live_handle_is_refused(tmp_path, name):
    cell, text = HANDLES[name]

    error = refusal(
        tmp_path,
        cell,
        "def helper(x):\n    return handle\ndef predict(x):\n    return x if x else helper(x)\n",
        "predict(1)",
    )

    assert text in error.message
    assert error.message.startswith("helper reads 'handle': ")
    assert ", bound in cell In[1] (c1); a package cannot hold it" in error.message
    assert error.hint.endswith(".")


SECRETS = [
    ("API_KEY = 'abcdefgh12345678'", "API_KEY"),
    ("DB = 'postgresql://user:hunter22@db/x'", "DB"),
    ("CONFIG = {'url': 'x', 'password': 'hunter2hunter2'}", "CONFIG.password"),
    ("KEYS = ['AKIAABCDEFGHIJKLMNOP']", "KEYS[0]"),
    ("pem = '-----BEGIN RSA PRIVATE KEY-----\\nabc'", "pem"),
]


@pytest.mark.parametrize(("cell", "place"), SECRETS)
def test_a_secret_is_refused_and_not_repeated(tmp_path, cell, place):
    name = cell.partition(" = ")[0]

    error = refusal(
        tmp_path, cell, f"def predict(x):\n    return len({name})\n", "predict(1)"
    )

    assert f"predict reads {name!r}: {place} looks like a secret" in error.message
    assert "os.environ" in error.hint
    assert "hunter2" not in str(error)


def test_a_secret_inside_the_text_of_a_function_is_refused(tmp_path):
    error = refusal(
        tmp_path,
        "def predict(x):\n    return 'ghp_" + "a" * 36 + "' + x\n",
        "predict('a')",
    )

    assert "its text in cell In[1] (c1) holds what looks like a secret" in error.message


@pytest.mark.parametrize(
    "cell",
    [
        "PAD_TOKEN = '<padding>'",
        "TOKEN_PATTERN = r'[a-z]+_[a-z]+'",
        "password = 'no'",
        "token_counts = {'a': 1}",
    ],
)
def test_words_that_only_sound_secret_are_taken(tmp_path, cell):
    name = cell.partition(" = ")[0]
    notebook = ExecutedNotebook(
        cell, f"def predict(x):\n    return len({name}) + x\n", "predict(1)"
    )

    assert cell in notebook.text(tmp_path / "capture")


def test_a_value_that_no_codec_takes_is_refused(tmp_path):
    error = refusal(
        tmp_path,
        "class Odd:\n    def __reduce__(self):\n        raise TypeError('never')\nODD = Odd()\n",
        "def predict(x):\n    return ODD and x\n",
        "predict(1)",
    )

    assert "no codec writes a __main__.Odd, bound in cell In[1] (c1)" in error.message
    assert "nbship.codecs" in error.hint


def test_an_estimator_fitted_with_an_older_class_is_refused(tmp_path):
    transformer = (
        "import numpy as np\nfrom sklearn.base import BaseEstimator, TransformerMixin\n"
        "class Twice(TransformerMixin, BaseEstimator):\n"
        "    def fit(self, X, y=None):\n        return self\n"
        "    def transform(self, X):\n        return X * 2\n"
    )
    error = refusal(
        tmp_path,
        transformer,
        "step = Twice().fit(None)\n",
        transformer,
        "def predict(x):\n    return step.transform(x)\n",
        "predict(1)",
    )

    assert "holds Twice, which is not the Twice that the notebook defines" in str(error)


def test_a_function_made_inside_another_is_refused_inside_an_estimator(tmp_path):
    error = refusal(
        tmp_path,
        "from sklearn.preprocessing import FunctionTransformer\n"
        "def times(n):\n    return lambda x: x * n\n"
        "step = FunctionTransformer(times(2))\n",
        "def predict(x):\n    return step.transform(x)\n",
        "predict(1)",
    )

    assert "holds times.<locals>.<lambda>, which is not the" in error.message


def test_a_pipeline_with_a_foreign_function_of_the_standard_library_is_refused(
    tmp_path,
):
    error = refusal(
        tmp_path,
        "import os\nfrom sklearn.preprocessing import FunctionTransformer\n"
        "step = FunctionTransformer(os.system)\n",
        "def predict(x):\n    return step is not None and x\n",
        "predict(1)",
    )

    assert "holds posix.system, which a package must not trust" in error.message

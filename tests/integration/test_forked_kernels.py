"""A forked kernel gives the answers of a fresh one; differences are declared in docs/speed.md."""

import signal
import sys
from dataclasses import replace

import pytest

from nbship.adapters.kernels.beginning import beginning_source
from nbship.adapters.kernels.launching import FreshLauncher
from nbship.adapters.kernels.warm_launching import WarmLauncher
from nbship.records.capsule import Determinism
from support.kernel_probes import ask

pytestmark = [
    pytest.mark.kernel,
    pytest.mark.skipif(sys.platform != "linux", reason="warm kernels need Linux"),
]

#: cells by what they ask; imports at their top level are preloaded
FAST = {
    "namespace": "print(sorted(n for n in globals() if not n.startswith('__')))",
    "modules": """import sys
print(sorted(n for n in sys.modules if n not in {'_bisect', 'bisect'}))""",
    "environment": """import os
print(sorted((k, v) for k, v in os.environ.items()
      if k not in {'JPY_PARENT_PID', 'PWD', 'OLDPWD', '_'}))""",
    "folder, arguments, paths": """import os, sys
print(os.path.basename(os.getcwd()), sys.path, sys.orig_argv[:3], [os.path.basename(a) for a in sys.argv[:1]], sys.flags)
print(__import__('tempfile').gettempdir(), sys.getrecursionlimit(), sys.executable)""",
    "session": """import os
print(os.getsid(0) == os.getpid(), os.getpgrp() == os.getpid())
mask = os.umask(0); os.umask(mask); print(mask)""",
    "signals": """import signal
print({n: str(signal.getsignal(n)).split(' at ')[0] for n in signal.valid_signals()})
print(signal.pthread_sigmask(signal.SIG_BLOCK, []))""",
    "threads": """import threading, os
print(sorted((t.name, t.daemon, type(t).__name__) for t in threading.enumerate()))
print(len(os.listdir('/proc/self/task')), threading.current_thread() is threading.main_thread())""",
    "descriptors": """import os, re
found = []
for n in os.listdir('/proc/self/fd'):
    try: found.append(re.sub(r'\\d+', 'N', os.readlink('/proc/self/fd/' + n)))
    except OSError: pass
print(sorted(found))""",
    "warnings": "import warnings; print(warnings.filters)",
    "logging": """import logging
print(logging.root.handlers, logging.root.level, sorted(logging.root.manager.loggerDict))""",
    "a warning that is logged": "import logging; logging.warning('w')",
    "locale and zone": """import locale, time
print(locale.setlocale(locale.LC_ALL), time.tzname, locale.getpreferredencoding())""",
    "limits": """import resource, os, gc, sys
print([resource.getrlimit(getattr(resource, n)) for n in dir(resource) if n.startswith('RLIMIT')])
print(sorted(os.sched_getaffinity(0)), gc.isenabled(), gc.get_threshold(), sys.getswitchinterval())""",
    "top-level await": "import asyncio; await asyncio.sleep(0.01); print('ok')",
    "history": "print(list(get_ipython().history_manager.get_range()), In, Out)",
    "shell": """ip = get_ipython()
print(type(ip).__name__, type(ip.kernel).__name__, sorted(ip.config), ip.user_module, __name__)""",
    "hooks": """import sys, threading, builtins
print([getattr(sys, n).__qualname__ for n in ('excepthook', 'unraisablehook')], sys.displayhook.__class__)
print(threading.excepthook.__qualname__, sorted(vars(builtins)))""",
    "exit": "import sys; sys.exit(3)",
}
DESCRIPTORS = """import os
os.system('echo from-sh')
!echo from-bang
_ = os.write(1, b'raw\\n')"""
EXITS = {
    "os._exit": ("import os; os._exit(7)", 7),
    "segmentation fault": ("import ctypes; ctypes.string_at(0)", -signal.SIGSEGV),
    "SIGTERM": (
        "import os, signal, time; os.kill(os.getpid(), signal.SIGTERM); time.sleep(9)",
        -signal.SIGTERM,
    ),
    "SIGKILL": ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", -9),
}


@pytest.fixture(scope="module")
def warm():
    launcher = WarmLauncher()
    yield launcher
    launcher.close()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("notebook")


@pytest.fixture(scope="module")
def heated(warm, folder):
    """A launcher whose servers know what kernels import, and have numpy and pandas."""
    for _ in range(2):
        ask(warm, "import numpy, pandas", cwd=folder)
    return warm


def words(fresh, forked):
    """Say in few words how two answers differ."""
    if fresh == forked:
        return ""
    one, other = (text.replace(",", " ,").split() for text in (fresh, forked))
    only = set(one) - set(other), set(other) - set(one)
    order = next(((a, b) for a, b in zip(one, other, strict=False) if a != b), ())
    return f"fresh only: {sorted(only[0])}; forked only: {sorted(only[1])}; {order}"


def both(warm, *sources, cwd, **options):
    fresh = ask(FreshLauncher(), *sources, cwd=cwd, **options)
    forked = ask(warm, *sources, cwd=cwd, **options)
    assert forked.remark.startswith("forked"), forked.remark
    return fresh, replace(forked, remark=fresh.remark)


def test_a_forked_kernel_answers_as_a_fresh_one_does(heated, folder):
    fresh, forked = both(heated, *FAST.values(), cwd=folder)

    answers = zip(FAST, fresh.texts, forked.texts, strict=True)
    assert {name: words(one, other) for name, one, other in answers} == dict.fromkeys(
        FAST, ""
    )
    # ipykernel's control thread now and then waits for its output thread, which has ended; the
    # kernel is then terminated
    assert {fresh.exit_code, forked.exit_code} <= {0, -signal.SIGTERM}


def test_a_forked_kernel_captures_what_is_written_to_descriptors(heated, folder):
    """A thread of the kernel reads them: it may come after the cell, so there are several."""
    answers = both(heated, *[DESCRIPTORS] * 5, cwd=folder)

    for texts in (str(answer.texts) for answer in answers):
        assert all(line in texts for line in ("from-sh", "from-bang", "raw")), texts


def test_what_acts_behind_an_import_acts_in_a_forked_kernel_too(heated, folder):
    seeds = beginning_source(Determinism(seed=0))
    meets = "from nbship.faces import attend_readers as a\nseen = []\na.meet_readers(seen.append)"
    draws = "import numpy; print(numpy.random.rand())"
    reads = """pandas.DataFrame({'x': [1]}).to_parquet('d.parquet')
del seen[:]
pandas.read_parquet('d.parquet')
print(sorted(set(seen)))"""
    cells = (seeds, meets, "import pandas", draws, reads)

    fresh, forked = both(heated, *cells, cwd=folder)

    assert forked.texts == fresh.texts
    assert "0.5488135039273248" in str(forked.texts[-2])
    assert "d.parquet" in str(forked.texts[-1])


@pytest.mark.parametrize("name", EXITS)
def test_a_forked_kernel_ends_as_a_fresh_one_does(heated, folder, name):
    source, code = EXITS[name]

    fresh, forked = both(heated, source, cwd=folder)

    assert (fresh, forked.exit_code) == (forked, code)


def test_a_forked_kernel_ignores_what_its_owner_does_as_under_nohup(folder):
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    warm = WarmLauncher()
    try:
        fresh, forked = both(warm, FAST["signals"], cwd=folder)
    finally:
        warm.close()
        signal.signal(signal.SIGHUP, before)

    assert words(*fresh.texts, *forked.texts) == ""

"""What a kernel begins with: decided from arguments alone, and seeded without imports."""

import random
import subprocess
import sys
import time

import pytest

from nbship.adapters.kernels.beginning import beginning_source
from nbship.jobs.determinism import THREAD_VARIABLES, settle
from nbship.records.capsule import Determinism


def _settle(**given):
    defaults = {
        "seed": 0,
        "is_strict": False,
        "cpus": 2,
        "time_zone": "Europe/Berlin",
        "environ": {},
    }
    return settle(**{**defaults, **given})


def test_threads_hash_seed_time_zone_and_cublas_are_decided():
    assert _settle() == Determinism(
        seed=0,
        is_strict=False,
        environ={
            **dict.fromkeys(THREAD_VARIABLES, "2"),
            "PYTHONHASHSEED": "0",
            "CUBLAS_WORKSPACE_CONFIG": ":4096:8",
            "TZ": "Europe/Berlin",
        },
    )


def test_what_the_user_has_set_stays():
    own = {"OMP_NUM_THREADS": "7", "TZ": "Asia/Tokyo", "HOME": "/root", "LANG": "C"}

    decided = _settle(environ=own).environ

    assert (decided["OMP_NUM_THREADS"], decided["TZ"]) == ("7", "Asia/Tokyo")
    assert decided["OPENBLAS_NUM_THREADS"] == "2"
    assert not {"HOME", "LANG"} & set(decided)


def test_strict_asks_the_frameworks_and_keeps_flags_of_ones_own():
    decided = _settle(is_strict=True, environ={"XLA_FLAGS": "--xla_dump_to=x"}).environ

    assert decided["TF_DETERMINISTIC_OPS"] == "1"
    assert decided["XLA_FLAGS"] == "--xla_dump_to=x --xla_gpu_deterministic_ops=true"


def _python(code):
    done = subprocess.run(
        [sys.executable, "-I", "-c", code], capture_output=True, text=True, check=True
    )
    return done.stdout.split()


def test_generators_are_seeded_and_nothing_is_imported():
    beginning = beginning_source(Determinism(seed=3))
    random_numbers = random.Random(3)  # noqa: S311

    found = _python(
        f"import sys; before = set(dir())\n{beginning}\n"
        "print(sorted(set(dir()) - before - {'before'}), 'numpy' in sys.modules)\n"
        "import random; print(random.random())"
    )

    assert found == ["[]", "False", repr(random_numbers.random())]


def test_numpy_is_seeded_when_it_is_imported_however_that_is_written():
    pytest.importorskip("numpy")
    import numpy as np

    expected = repr(float(np.random.RandomState(3).random()))
    beginning = beginning_source(Determinism(seed=3))
    shown = (
        "print(repr(float(numpy.random.random())), numpy.__loader__.__class__.__name__)"
    )

    for way in (
        f"{beginning}\nimport numpy\n",
        f"{beginning}\nfrom numpy.random import rand; import numpy\n",
        f"import numpy\n{beginning}\n",
    ):
        assert _python(way + shown) == [expected, "SourceFileLoader"]


def test_who_seeds_by_himself_wins():
    pytest.importorskip("numpy")
    import numpy as np

    expected = repr(float(np.random.RandomState(9).random()))
    beginning = beginning_source(Determinism(seed=3))

    found = _python(
        f"{beginning}\nimport numpy\nnumpy.random.seed(9)\n"
        "print(repr(float(numpy.random.random())))"
    )

    assert found == [expected]


def test_torch_is_seeded_and_made_strict_when_it_is_imported(tmp_path):
    (tmp_path / "torch.py").write_text(  # stands for the library, whose calls it notes
        "from types import SimpleNamespace\ncalls = []\n"
        "def manual_seed(seed): calls.append(('seed', seed))\n"
        "def use_deterministic_algorithms(mode): calls.append(('strict', mode))\n"
        "backends = SimpleNamespace(cudnn=SimpleNamespace(benchmark=True))\n"
    )
    beginning = beginning_source(Determinism(seed=3, is_strict=True), [str(tmp_path)])

    found = _python(f"{beginning}\nimport torch; print(torch.calls)")

    assert " ".join(found) == "[('seed', 3), ('strict', True)]"


def test_a_module_that_breaks_under_seeding_is_imported_all_the_same(tmp_path):
    (tmp_path / "torch.py").write_text("answer = 42\n")
    beginning = beginning_source(Determinism(seed=3), [str(tmp_path)])

    assert _python(f"{beginning}\nimport torch; print(torch.answer)") == ["42"]


def test_without_a_seed_nothing_is_run():
    assert beginning_source(Determinism()) == ""


def test_the_beginning_takes_less_than_two_milliseconds():
    source = beginning_source(Determinism(seed=3))
    state, finders = random.getstate(), list(sys.meta_path)
    taken_s = []
    try:
        for _ in range(5):
            began_s = time.process_time()
            exec(compile(source, "<cell>", "exec"), {})  # noqa: S102
            taken_s.append(time.process_time() - began_s)
    finally:
        random.setstate(state)
        sys.meta_path[:] = finders

    assert min(taken_s) < 0.002
